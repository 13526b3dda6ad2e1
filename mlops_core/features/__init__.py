"""Feature specification: typed once, fitted once, rendered to SQL and to ONNX."""
