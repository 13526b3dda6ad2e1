"""The embedded AWS: MiniStack as host, with what it lacks registered into it."""
