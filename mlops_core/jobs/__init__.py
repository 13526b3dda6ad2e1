"""Programs of the processing and training containers: one module per word, started as ``mlops-job <word>``."""
