# The inference image: `docker build -f containers/serve.Dockerfile .` in the project's folder.
# It holds no learning library: models are ONNX graphs.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY locks/serve.txt locks/build.txt ./
RUN python3 -m venv /opt/mlops && /opt/mlops/bin/pip install --no-cache-dir --no-deps --require-hashes -r serve.txt
COPY pyproject.toml README.md ./
COPY mlops_core ./mlops_core
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir --no-deps --require-hashes -r build.txt \
    && /opt/tools/bin/python -m hatchling build -t wheel -d /build/dist \
    && /opt/mlops/bin/pip install --no-cache-dir --no-deps /build/dist/*.whl

FROM ${BASE}
COPY --from=build /opt/mlops /opt/mlops
ENV PATH=/opt/mlops/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8080
# SageMaker starts the image with the argument `serve` and stops it with SIGTERM and 30 seconds.
ENTRYPOINT ["mlops-serve"]
