# The image of training and processing jobs: `docker build -f containers/work.Dockerfile .` in the project's folder.
# Everything comes from locks/work.txt with hashes; the same lock makes the local platform's environment.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY locks/work.txt locks/build.txt ./
RUN python3 -m venv /opt/mlops && /opt/mlops/bin/pip install --no-cache-dir --no-deps --require-hashes -r work.txt
COPY pyproject.toml README.md ./
COPY mlops_core ./mlops_core
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir --no-deps --require-hashes -r build.txt \
    && /opt/tools/bin/python -m hatchling build -t wheel -d /build/dist \
    && /opt/mlops/bin/pip install --no-cache-dir --no-deps /build/dist/*.whl

FROM ${BASE}
# libgomp runs XGBoost's and scikit-learn's threads.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/mlops /opt/mlops
ENV PATH=/opt/mlops/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
# Exec form: SIGTERM reaches the job, which has 120 seconds to end.
ENTRYPOINT ["mlops-job"]
