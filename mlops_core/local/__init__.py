"""The embedded AWS and GitHub: the try-out mode and the proof of the product."""
