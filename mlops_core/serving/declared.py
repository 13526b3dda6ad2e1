"""Libraries that a serving image declares: none matters to an ONNX graph, so one that says otherwise must say the truth.

    check_declared(model.manifest, {"MLOPS_LIBRARIES": "xgboost==3.2.0"})      # EnvironmentBroken when the model was trained with another

The serve image declares nothing.  An image of somebody's own may, for example because it explains predictions with the learning library;
then a version that differs from the one in the manifest keeps the model from being served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_core.contracts.model import Manifest
from mlops_core.errors import EnvironmentBroken

VARIABLE = "MLOPS_LIBRARIES"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\Z")


def check_declared(manifest: Manifest, environ: Mapping[str, str]) -> None:
    """`EnvironmentBroken` (E-SERVE-006) for the first declared library that differs from the manifest's, or for another form."""
    trained = {_plain(name): version for name, version in manifest.libraries.items()}
    for text in re.split(r"[\s,]+", environ.get(VARIABLE, "").strip()):
        if not text:
            continue
        pin = _PIN.match(text)
        if pin is None:
            headline = f"{VARIABLE} holds {text[:80]!r}; declare libraries as name==version."
            raise EnvironmentBroken(headline, remedy="Correct the image's environment.", code="E-SERVE-006")
        wanted = trained.get(_plain(pin["name"]))
        if wanted is not None and wanted != pin["version"]:
            model = f"{manifest.model_name} {manifest.version}"
            raise EnvironmentBroken(
                f"this image declares {pin['name']} {pin['version']}, and {model} was trained with {wanted}.",
                remedy=f"Build the image with {pin['name']}=={wanted}, or declare nothing: the model itself needs neither.",
                code="E-SERVE-006",
            )


def _plain(name: str) -> str:
    """A distribution's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()
