"""From what people write (an issue, a comment, a label) to contracts: parsing, authorisation and refusals."""
