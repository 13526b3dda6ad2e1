"""The catalogue of learning methods: what the request may ask for, and how each is trained."""
