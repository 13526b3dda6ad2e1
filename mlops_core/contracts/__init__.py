"""Messages between the stations: frozen, closed, importing nothing of ours."""
