"""Settings survive the way to the host process."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mlops_core.errors import InvalidRequest
from mlops_core.local.aws.config import AwsConfig, Image, Limits


def _config(state: Path) -> AwsConfig:
    return AwsConfig(
        port=4566,
        state=state,
        python=Path("/ms/bin/python"),
        lambda_python=Path("/bare/python3"),
        jwks={"https://issuer": Path("/keys.json")},
        images={"mlops/work": Image(Path("/env/bin"), ("mlops-job",))},
        limits=Limits(per_function=3, reserved={"server": 2}),
    )


def test_what_is_written_is_read_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    config = _config(tmp_path)
    config.write(tmp_path / "sub" / "config.json")
    assert AwsConfig.read(tmp_path / "sub" / "config.json") == config
    assert stat.S_IMODE((tmp_path / "sub" / "config.json").stat().st_mode) == 0o600


def test_the_endpoint_is_loopback_tls(tmp_path: Path) -> None:
    assert _config(tmp_path).endpoint == "https://127.0.0.1:4566"


@pytest.mark.parametrize(("change", "said"), [({"sketchy": 1}, "'sketchy'"), ({"python": None}, "'python'")])
def test_an_unknown_or_missing_setting_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    _config(tmp_path).write(tmp_path / "config.json")
    raw = json.loads((tmp_path / "config.json").read_text()) | change
    kept = {name: value for name, value in raw.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(kept))
    with pytest.raises(InvalidRequest, match=said):
        AwsConfig.read(tmp_path / "config.json")
