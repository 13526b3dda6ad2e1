"""Two clones or two users never share a folder or a port."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mlops_core.errors import EnvironmentBroken
from mlops_core.local.places import Places, is_free


def test_two_clones_have_two_state_folders(tmp_path: Path) -> None:
    first, second = (tmp_path / name / "mlops" for name in ("a", "b"))
    environ = {"HOME": str(tmp_path)}
    assert Places.of(first, environ).state != Places.of(second, environ).state


def test_the_state_folder_can_be_chosen(tmp_path: Path) -> None:
    assert Places.of(tmp_path, {"MLOPS_STATE": str(tmp_path / "mine")}).state == (tmp_path / "mine").resolve()


def test_a_state_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(EnvironmentBroken, match="MLOPS_STATE"):
        Places.of(tmp_path, {"MLOPS_STATE": str(blocker / "below")})


def test_ports_stay_the_same_until_somebody_takes_one(tmp_path: Path) -> None:
    places = Places.of(tmp_path, {"MLOPS_STATE": str(tmp_path / "state")})
    first = places.ports()
    assert places.ports() == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first[0]))
        taken.listen()
        assert not is_free(first[0])
        assert places.ports()[0] != first[0]
