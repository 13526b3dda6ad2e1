"""The suite (a package, so that a dependency that installs its own `tests` does not hide it)."""
