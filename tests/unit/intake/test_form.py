"""The form is generated from the contract and offers only what works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.contracts.request import TrainingRequest
from mlops_core.intake.form import FIELDS, TARGETS, by_label, by_name, form_yaml, write_forms

ROOT = Path(__file__).resolve().parents[3]


def _form() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(form_yaml())
    return loaded


@pytest.mark.parametrize("target", TARGETS)
def test_the_committed_form_is_the_generated_one(target: str) -> None:
    assert (ROOT / target).read_text(encoding="utf-8") == form_yaml(), "run python -m mlops_core.intake.form"


def test_writing_the_forms_makes_both_copies(tmp_path: Path) -> None:
    assert [path.read_text(encoding="utf-8") for path in write_forms(tmp_path)] == [form_yaml()] * 2


def test_every_field_of_the_contract_is_on_the_form() -> None:
    assert {field.name for field in FIELDS} == set(TrainingRequest.model_fields)


def test_labels_and_ids_are_unique_and_bilingual() -> None:
    elements = [element for element in _form()["body"] if element["type"] != "markdown"]
    labels = [element["attributes"]["label"] for element in elements]
    assert len(set(labels)) == len(labels) == len({element["id"] for element in elements})
    assert all(not part.isascii() for part in (label.split(" / ")[1] for label in labels))


def test_no_dropdown_offers_a_word_that_github_refuses_or_reads_as_a_truth_value() -> None:
    refused = {"none", "yes", "no", "on", "off", "true", "false", "y", "n"}
    for element in _form()["body"]:
        options = element["attributes"].get("options", [])
        assert all(isinstance(option, str) and option.lower() not in refused for option in options)
        assert len(set(options)) == len(options)


def test_the_default_of_every_optional_choice_means_the_default_of_the_contract() -> None:
    for field in FIELDS:
        contract = TrainingRequest.model_fields[field.name]
        if field.options is not None and not contract.is_required():
            assert field.options[field.default] == contract.default
        elif field.kind == "whole":
            assert (int(field.default) if field.default else None) == contract.default


def test_only_learning_methods_of_the_catalogue_are_offered() -> None:
    assert set(by_name("algorithm").options or {}) == {"auto", *ENTRIES}


def test_a_field_is_found_by_its_exact_heading_only() -> None:
    metric = by_label("Metric / 指標")
    assert metric is not None
    assert metric.name == "metric"
    assert by_label("metric / 指標") is None
    assert by_label("Ｍetric / 指標") is None
