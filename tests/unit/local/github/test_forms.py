"""The issue form of a repository becomes a page and its answers become GitHub's Markdown."""

from __future__ import annotations

import pytest

from mlops_core.local.github.pages.forms import BadFormError, IssueForm

FORM = """
name: Train
labels: [a, b]
title: "Train: "
body:
  - {type: markdown, attributes: {value: hello}}
  - {type: input, id: model, attributes: {label: Model}, validations: {required: true}}
  - {type: dropdown, id: algorithm, attributes: {label: Algorithm, options: [xgboost, forest], default: 1}}
  - {type: dropdown, id: drop, attributes: {label: Drop, multiple: true, options: [x, y]}}
  - {type: textarea, id: params, attributes: {label: Parameters, render: text}}
  - {type: textarea, id: notes, attributes: {label: Notes}}
  - {type: checkboxes, id: ok, attributes: {label: Agreement, options: [{label: yes indeed, required: true}, {label: mail}]}}
"""


def form() -> IssueForm:
    return IssueForm.parse(".github/ISSUE_TEMPLATE/train.yml", FORM)


def test_answers_become_the_markdown_that_github_writes() -> None:
    values = {"model": ["trees"], "algorithm": ["forest"], "drop": ["x", "y"], "params": ["a=1\r\nb=2"], "ok": ["yes indeed"]}
    assert form().body(values) == (
        "### Model\n\ntrees\n\n### Algorithm\n\nforest\n\n### Drop\n\nx, y\n\n### Parameters\n\n```text\na=1\nb=2\n```\n\n"
        "### Notes\n\n_No response_\n\n### Agreement\n\n- [X] yes indeed\n- [ ] mail"
    )


def test_required_answers_and_unknown_options_are_complained_about_by_label() -> None:
    assert form().complaints({"algorithm": ["other"]}) == [
        "Model is required",
        "Algorithm: 'other' is not offered",
        "Agreement: please tick 'yes indeed'",
    ]


def test_the_default_of_a_dropdown_is_its_index() -> None:
    assert next(item for item in form().fields if item.name == "algorithm").value == "forest"


@pytest.mark.parametrize("text", ["a: [", "name: x", "body:\n  - {type: video}", "body:\n  - {type: input, attributes: {}}"])
def test_what_is_no_form_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(BadFormError, match=r"f\.yml"):
        IssueForm.parse("f.yml", text)
