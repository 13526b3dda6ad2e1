"""What every capability shares about runs: names, state, page, tokens, jobs."""
