"""SageMaker inside the local AWS: jobs that really run, a model registry, endpoints that really serve.

``service.create(host, config)`` makes the service; nothing here knows the server that hosts it.
"""
