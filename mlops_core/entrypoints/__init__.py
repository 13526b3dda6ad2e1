"""One module per folder of ``actions/``: what a step of a workflow runs.  The only user of the actions toolkit."""
