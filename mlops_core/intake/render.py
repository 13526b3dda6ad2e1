"""A filled form from a request: the inverse of the parser.

    parse_body(render_body(request), bucket=bucket).request == request      # every field, as GitHub writes a form that was sent
    parse_body(render_answers(request), bucket=bucket).request == request   # only what was decided: for people to read

`mlops run` and the demo open their issues with them, so they take the same way in as a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_core.contracts.request import Derived, TrainingRequest
from mlops_core.errors import InvalidRequest
from mlops_core.intake.form import FIELDS, FormField
from mlops_core.intake.hyperparameters import plain
from mlops_core.intake.values import SIGNS

NOTHING = "_No response_"


def render_body(request: TrainingRequest) -> str:
    """The issue body a person would have made; `InvalidRequest` when a value cannot be written in the form."""
    return _sections(FIELDS, request)


def render_answers(request: TrainingRequest) -> str:
    """The issue body without the optional fields that say what the parser takes for a field that is left out.

    For issues that are read at once; where a request must mean the same in a later version (retraining), `render_body` writes it out.
    """
    defaults = {name: field.get_default(call_default_factory=True) for name, field in TrainingRequest.model_fields.items()}
    return _sections([field for field in FIELDS if field.required or getattr(request, field.name) != defaults[field.name]], request)


def _sections(fields: Sequence[FormField], request: TrainingRequest) -> str:
    return "\n\n".join(f"### {field.label}\n\n{_text(field, getattr(request, field.name))}" for field in fields) + "\n"


def _text(field: FormField, value: object) -> str:
    if value is None or value in ((), {}):
        return NOTHING
    if field.options is not None:
        return next(option for option, meant in field.options.items() if meant == value and isinstance(meant, type(value)))
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {plain(item)}" for name, item in value.items())
    lines = (
        [_line(item) for item in value] if isinstance(value, tuple) else [plain(value) if isinstance(value, (int, float)) else str(value)]
    )
    for line in lines:
        if line != line.strip(" \t") or not line or "\n" in line or "\r" in line or line == NOTHING:
            headline = f"{field.english} cannot be written in the form: {line[:80]!r}."
            raise InvalidRequest(headline, remedy="Rename it in the data.", code="E-PARSE-008")
    return "\n".join(lines)


def _line(item: object) -> str:
    if isinstance(item, Derived):
        # A name that holds a sign between blanks would be read in two ways.
        if any(f" {sign} " in f"{side} " for sign in SIGNS for side in (item.left, item.right)):
            raise InvalidRequest(
                f"a derived feature of {item.left[:80]!r} and {item.right[:80]!r} cannot be written in the form.",
                remedy="Rename the column in the data.",
                code="E-PARSE-032",
            )
        return f"{item.left} {next(sign for sign, kind in SIGNS.items() if kind == item.kind)} {item.right}"
    return plain(item) if isinstance(item, (int, float)) else str(item)
