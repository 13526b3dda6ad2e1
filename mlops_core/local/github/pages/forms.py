"""Issue forms: GitHub's YAML as fields of a page, and what a person filled in as the issue's Markdown.

    form = IssueForm.parse(".github/ISSUE_TEMPLATE/train.yml", text)
    form.missing(values)             # labels of required fields that are empty
    form.body(values)                # "### Model\\n\\ntrees\\n\\n### Notes\\n\\n_No response_"

Source: GitHub's "Syntax for GitHub's form schema".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

FOLDER = ".github/ISSUE_TEMPLATE"
_NOTHING = "_No response_"
_KINDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}

Values = Mapping[str, list[str]]


class BadFormError(Exception):
    """The file is no issue form; ``str(error)`` says why."""


@dataclass(frozen=True)
class FormField:
    """One element of a form; ``name`` is what the page's input is called."""

    kind: str
    name: str
    label: str
    description: str = ""
    value: str = ""
    placeholder: str = ""
    render: str = ""
    required: bool = False
    multiple: bool = False
    options: list[tuple[str, bool]] = field(default_factory=list)

    def chosen(self, values: Values) -> list[str]:
        """What the person gave, without empty texts."""
        return [value for value in values.get(self.name, []) if value.strip()]

    def answer(self, values: Values) -> str:
        """The Markdown below the heading."""
        given = self.chosen(values)
        if self.kind == "checkboxes":
            return "\n".join(f"- [{'X' if label in given else ' '}] {label}" for label, _ in self.options)
        if not given:
            return _NOTHING
        text = ", ".join(given) if self.kind == "dropdown" else given[0].replace("\r\n", "\n").strip("\n")
        return f"```{self.render}\n{text}\n```" if self.render else text

    def complaint(self, values: Values) -> str:
        """Why the answer cannot be taken, or nothing."""
        given = self.chosen(values)
        known = {label for label, _ in self.options}
        if self.kind in {"dropdown", "checkboxes"} and not set(given) <= known:
            return f"{self.label}: {min(set(given) - known)!r} is not offered"
        if self.kind == "checkboxes":
            unticked = [label for label, demanded in self.options if demanded and label not in given]
            return f"{self.label}: please tick {unticked[0]!r}" if unticked else ""
        return f"{self.label} is required" if self.required and not given else ""


@dataclass(frozen=True)
class IssueForm:
    """A whole form."""

    path: str
    name: str
    description: str
    title: str
    labels: list[str]
    fields: list[FormField]

    @classmethod
    def parse(cls, path: str, text: str) -> IssueForm:
        """Raises `BadFormError` naming what is wrong."""
        try:
            content = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise BadFormError(f"{path} is not valid YAML: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("body"), list):
            raise BadFormError(f"{path} has no body")
        labels = content.get("labels") or []
        labels = [part.strip() for part in labels.split(",")] if isinstance(labels, str) else [str(part) for part in labels]
        fields = [_field(path, number, item) for number, item in enumerate(content["body"])]
        texts = {key: str(content.get(key) or "") for key in ("name", "description", "title")}
        return cls(path, texts["name"] or path, texts["description"], texts["title"], labels, fields)

    @property
    def file(self) -> str:
        """The file's name, as ``?template=`` takes it."""
        return self.path.rpartition("/")[2]

    def questions(self) -> Iterator[FormField]:
        """The fields that ask for something."""
        return (item for item in self.fields if item.kind != "markdown")

    def complaints(self, values: Values) -> list[str]:
        """Everything that keeps the form from being sent."""
        return [complaint for item in self.questions() if (complaint := item.complaint(values))]

    def body(self, values: Values) -> str:
        """The issue's Markdown."""
        return "\n\n".join(f"### {item.label}\n\n{item.answer(values)}" for item in self.questions())


def _field(path: str, number: int, item: Any) -> FormField:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind not in _KINDS:
        raise BadFormError(f"{path}: element {number} has type {kind!r}; allowed: {', '.join(sorted(_KINDS))}")
    attributes: Mapping[str, Any] = item.get("attributes") or {}
    name = str(item.get("id") or f"field-{number}")
    if kind == "markdown":
        return FormField(kind, name, "", value=str(attributes.get("value") or ""))
    if not attributes.get("label"):
        raise BadFormError(f"{path}: element {number} ({kind}) has no label")
    options = [_option(option) for option in attributes.get("options") or []]
    default = attributes.get("default")
    value = options[int(default)][0] if kind == "dropdown" and default is not None else str(attributes.get("value") or "")
    required = bool((item.get("validations") or {}).get("required"))
    texts = {key: str(attributes.get(key) or "") for key in ("description", "placeholder", "render")}
    multiple = bool(attributes.get("multiple"))
    return FormField(kind, name, str(attributes["label"]), value=value, required=required, multiple=multiple, options=options, **texts)


def _option(option: Any) -> tuple[str, bool]:
    if isinstance(option, dict):
        return str(option.get("label") or ""), bool(option.get("required"))
    return str(option), False
