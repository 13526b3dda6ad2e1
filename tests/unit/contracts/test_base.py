"""Names are as long as they are documented to be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mlops_core.contracts.base import ModelName, RunId


@pytest.mark.parametrize("kind", [ModelName, RunId])
def test_a_name_has_at_most_forty_characters_with_its_hyphens(kind: Any) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    assert adapter.validate_python("a-" * 19 + "ab") == "a-" * 19 + "ab"
    for wrong in ("a-" * 20 + "a", "a" * 41, "", "-a", "a-", "a--b", "A"):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
