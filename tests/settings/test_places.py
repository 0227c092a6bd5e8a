"""Our own rule for folders agrees with platformdirs on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs
import pytest

from mrblue_cli.settings.places import place

KINDS = ("config", "data", "cache")
VARIABLES = {"config": "XDG_CONFIG_HOME", "data": "XDG_DATA_HOME", "cache": "XDG_CACHE_HOME"}


def theirs(kind):
    return Path(getattr(platformdirs, f"user_{kind}_path")("mrblue"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, "", "   ", "/somewhere/else", "/with blank/x", "/trailing/"])
def test_it_is_what_platformdirs_says(kind, value, monkeypatch):
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLES[kind], value)
    assert place(kind) == theirs(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_home_moves_with_its_variable(kind, monkeypatch, tmp_path):
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(kind) == theirs(kind)
    if sys.platform == "linux":
        assert place(kind).is_relative_to(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG variables are read by us on Linux alone")
def test_an_environment_that_is_handed_in_counts_and_the_real_one_does_not(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/real")
    assert place("cache", {"XDG_CACHE_HOME": "/given"}) == Path("/given/mrblue")
    assert place("cache", {}) == Path("~/.cache/mrblue").expanduser()
