"""The API description and its page, made from the model's manifest.

openapi(model, answer)       # OpenAPI 3.1 as JSON bytes
docs_page(model, answer)     # one static HTML page: no script, nothing loaded from elsewhere
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from mlops_core.contracts.model import ColumnSchema
from mlops_core.features.typing import MISSING_INT64
from mlops_core.serving.model import ServedModel, Value

_TYPES: dict[str, list[str]] = {
    "float64": ["number", "null"],
    "int64": ["integer", "null"],
    "string": ["string", "null"],
    "datetime": ["string", "number", "null"],
}
_MOST_CATEGORIES = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ABSENT = ("", MISSING_INT64)


def _field(column: ColumnSchema) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _TYPES[column.type]}
    if column.type == "datetime":
        described["description"] = "A date or a date and time (ISO 8601; UTC unless it says otherwise), or seconds since 1970."
    if column.categories:
        described["description"] = f"Known in training: {_known(column)}. Other text is allowed."
    return described


def _known(column: ColumnSchema) -> str:
    more = len(column.categories) - _MOST_CATEGORIES
    return ", ".join(column.categories[:_MOST_CATEGORIES]) + (f" and {more} more" if more > 0 else "")


def example(model: ServedModel) -> dict[str, Any]:
    """One made-up row as an object."""
    values = zip(model.columns, model.smoke[0].values, strict=True)
    return {column.name: _written(column, value) for column, value in values}


def _written(column: ColumnSchema, value: Value) -> Value:
    """A value of a smoke row as a person would send it."""
    if value in _ABSENT or value != value:  # noqa: PLR0124  NaN alone
        return None
    if column.type == "datetime" and isinstance(value, int | float):
        return (_EPOCH + timedelta(seconds=round(value))).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _prediction(model: ServedModel) -> dict[str, Any]:
    if model.manifest.task == "regression":
        return {"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}
    labels = list(model.manifest.labels)
    return {
        "type": "object",
        "properties": {
            "label": {"type": "string", "enum": labels},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "probabilities": {"type": "object", "properties": {label: {"type": "number"} for label in labels}},
        },
        "required": ["label", "score", "probabilities"],
    }


def _schemas(model: ServedModel) -> dict[str, Any]:
    error: dict[str, Any] = {
        "row": {"type": ["integer", "null"]},
        "field": {"type": ["string", "null"]},
        "value": {},
        "problem": {"type": "string"},
    }
    return {
        "Instance": {
            "type": "object",
            "additionalProperties": False,
            "properties": {column.name: _field(column) for column in model.columns},
            "required": [column.name for column in model.columns if column.required],
            "example": example(model),
        },
        "Instances": {
            "type": "object",
            "properties": {"instances": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Instance"}}},
            "required": ["instances"],
        },
        "Table": {
            "type": "object",
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "data": {"type": "array", "items": {"type": "array"}},
            },
            "required": ["columns", "data"],
        },
        "Predictions": {
            "type": "object",
            "properties": {
                "predictions": {"type": "array", "items": _prediction(model)},
                "model": {"type": "object", "properties": {"name": {"type": "string"}, "version": {"type": "string"}}},
            },
            "required": ["predictions", "model"],
        },
        "Errors": {
            "type": "object",
            "properties": {"errors": {"type": "array", "items": {"type": "object", "properties": error}}, "total": {"type": "integer"}},
            "required": ["errors", "total"],
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def openapi(model: ServedModel, answer: bytes) -> bytes:
    """OpenAPI 3.1; ``answer`` is what the made-up row gets."""
    manifest = model.manifest
    header = ", ".join(column.name for column in model.columns)
    bodies: list[dict[str, Any]] = [{"$ref": f"#/components/schemas/{name}"} for name in ("Instances", "Instance", "Table")]
    bodies.append({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Instance"}})
    scored = _answer("Predictions in the order of the rows.", "Predictions")
    scored["content"]["application/json"]["example"] = json.loads(answer)
    scored["content"]["application/jsonlines"] = {"schema": {"type": "string", "description": "one prediction a line, as in JSON"}}
    scored["content"]["text/csv"] = {"schema": {"type": "string", "description": "label,score per row; regression: the value"}}
    invocations = {
        "summary": f"Predict {manifest.target}",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": bodies}, "example": {"instances": [example(model)]}},
                "application/jsonlines": {"schema": {"type": "string", "description": "one instance a line"}},
                "text/csv": {"schema": {"type": "string", "description": f"No header; columns: {header}"}},
            },
        },
        "responses": {
            "200": scored,
            "400": _answer("Every wrong value by row and field; no row was scored.", "Errors"),
            "406": _answer("No acceptable answer format.", "Errors"),
            "413": _answer("The body is larger than 6,291,456 bytes.", "Errors"),
            "415": _answer("The content type is neither JSON, JSON lines nor CSV.", "Errors"),
            "503": _answer("Too many large requests are waiting, or the server is stopping; ask again after a second.", "Errors"),
        },
    }
    ping = {"summary": "Health", "responses": {"200": {"description": "The model answers."}, "503": _answer("It does not.", "Errors")}}
    text = {"200": {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": manifest.model_name, "version": manifest.version, "description": f"{manifest.task}, {manifest.algorithm}"},
        "paths": {
            "/invocations": {"post": invocations},
            "/ping": {"get": ping},
            "/metrics": {"get": {"summary": "Metrics", "responses": text}},
        },
        "components": {"schemas": _schemas(model)},
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


_STYLE = """:root{--page:#f6f7f9;--card:#fff;--ink:#1b1f24;--muted:#59636e;--line:#dde2e8}
@media(prefers-color-scheme:dark){:root{--page:#0f1317;--card:#171c22;--ink:#e7ebef;--muted:#9aa6b2;--line:#2b333c}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink)}
body{font:16px/1.55 system-ui,sans-serif}
main{max-width:900px;margin:0 auto;padding:28px 16px}h1{margin:0;overflow-wrap:anywhere}p{color:var(--muted)}
h2{font-size:1.1rem;margin:28px 0 8px}
pre,div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px;overflow-x:auto;font-size:.9rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:7px 10px;border-bottom:1px solid var(--line);vertical-align:top}
a{color:inherit}
@media(max-width:640px){table,tbody,tr,td{display:block}thead{display:none}tr{padding:8px 0;border-bottom:1px solid var(--line)}
td{border:0;padding:1px 4px}td:nth-child(3)::before{content:"required: "}}"""


def docs_page(model: ServedModel, answer: bytes) -> bytes:
    """A page for people: how to ask, what comes back, what each field takes."""
    manifest = model.manifest
    title = escape(f"{manifest.model_name} {manifest.version}")
    body = escape(json.dumps({"instances": [example(model)]}, ensure_ascii=False, indent=2))
    back = escape(json.dumps(json.loads(answer), ensure_ascii=False, indent=2))
    rows = "".join(
        f"<tr><td><code>{escape(column.name)}</code></td><td>{' or '.join(_TYPES[column.type])}</td>"
        f"<td>{'yes' if column.required else 'no'}</td><td>{escape(_known(column))}</td></tr>"
        for column in model.columns
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{title}</h1><p>Predicts {escape(manifest.target)} ({manifest.task}, {escape(manifest.algorithm)}).</p>"
        f"<h2>POST /invocations</h2><pre>{body}</pre>"
        "<p>Also one object, a list of objects, columns with data, JSON lines (application/jsonlines) or CSV without a header in the "
        "order below. null and an empty cell mean missing. At most 6,291,456 bytes.</p>"
        f"<h2>Answer</h2><pre>{back}</pre>"
        "<p>The Accept header chooses application/json, application/jsonlines or text/csv. A value that does not fit is refused with "
        "its row and field (400), and then no row is scored.</p>"
        "<h2>More</h2><p><a href=openapi.json>openapi.json</a> describes all of this for programs, <a href=metrics>metrics</a> counts, "
        "<a href=ping>ping</a> says whether the model answers.</p>"
        "<h2>Fields</h2><div><table><thead><tr><th>Field</th><th>Type</th><th>Required</th><th>Known values</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></main></body></html>\n"
    )
    return page.encode()
