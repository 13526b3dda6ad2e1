"""What can be done: one module per word of the vocabulary, each with its typed functions over ports and its tools.

No capability imports another; what they share about runs lives in `mlops_core.runs`.
"""
