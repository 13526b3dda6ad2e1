"""The inference container: one ONNX model behind SageMaker's HTTP contract."""
