"""`mlops`: the suite from a terminal."""
