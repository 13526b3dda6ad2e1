"""What somebody needs who wants an image of a model's own: a Dockerfile and the pinned requirements of the serve image.

    files = own_image(config)            # {"Dockerfile": b"…", "requirements.txt": b"…"}

The image is the serve image, named by digest when it is built, with the model inside.  The requirements are a copy of ``locks/serve.txt``:
installing them in the serve image changes nothing, and elsewhere it makes the same environment.
"""

from __future__ import annotations

from importlib.resources import files

from mlops_core.contracts.model import PackagingJobConfig

FOLDER = "inference_code"
_DOCKERFILE = """\
# {model} {version}, made by run {run}; the installation serves it with {image}.
# In the folder of this version (the one that holds model.tar.gz):
#   docker build -f inference_code/Dockerfile --build-arg SERVE_IMAGE=REGISTRY/mlops-serve@sha256:DIGEST -t {model}:{version} .
ARG SERVE_IMAGE
FROM ${{SERVE_IMAGE}}
LABEL org.opencontainers.image.title="{model}" org.opencontainers.image.version="{version}" org.opencontainers.image.revision="{commit}"
COPY inference_code/requirements.txt /opt/mlops/requirements.txt
RUN /opt/mlops/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r /opt/mlops/requirements.txt
# ADD unpacks the archive; the program reads it there and checks every file against the manifest.
ADD model.tar.gz /opt/ml/model/
EXPOSE 8080
ENTRYPOINT ["mlops-serve", "serve"]
"""


def own_image(config: PackagingJobConfig) -> dict[str, bytes]:
    """Contents by file name, for the folder ``inference_code`` beside the archive."""
    text = _DOCKERFILE.format(
        model=config.model_name, version=config.version, run=config.run_id, image=_word(config.image), commit=_word(config.code_commit)
    )
    return {"Dockerfile": text.encode(), "requirements.txt": (files("mlops_core.serving") / "requirements.txt").read_bytes()}


def _word(text: str) -> str:
    """Plain characters of an image's or a commit's name: a line of a Dockerfile must stay one."""
    return "".join(character for character in text if character.isalnum() or character in "._-/:@") or "unknown"
