"""One profile for every property test: no deadline (timing decides nothing), reproducible in CI."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import settings

from mrblue_cli.core import texts

settings.register_profile("mrblue", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("mrblue")

# What numba compiles is shared by all test processes, and compiled again when a source of it changes.
_ROOT = Path(__file__).parent.parent
_MATCHER = _ROOT / "mrblue_cli" / "matcher"
_SOURCES = b"".join(
    path.read_bytes() for path in sorted((*_MATCHER.glob("topk/*.py"), *_MATCHER.glob("criteria/geo*.py")))
)
_COMPILED = _ROOT / ".pytest_cache" / "numba" / hashlib.blake2b(_SOURCES, digest_size=6).hexdigest()
os.environ.setdefault("NUMBA_CACHE_DIR", str(_COMPILED))


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch, tmp_path):
    """No test reads the developer's own configuration, keys or gateway."""
    for name in list(os.environ):
        if name.startswith("MRBLUE_") and name != "MRBLUE_SHARED_DATA":
            monkeypatch.delenv(name)
    for name in ("OPENAI_API_KEY", "BIFROST_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _english_again():
    """A command of another test may have chosen a language for the whole process."""
    yield
    texts.use("en")


@pytest.fixture
def spanish():
    """This process speaks Spanish."""
    texts.use("es")


@pytest.fixture(scope="session")
def shared_data():
    """Recordings that are not part of the project; tests that need them skip where they are absent."""
    folder = Path(os.environ.get("MRBLUE_SHARED_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set MRBLUE_SHARED_DATA)")
    return folder
