"""What the tests of the command line share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mrblue_cli.cli.errors import run
from mrblue_cli.cli.main import app
from mrblue_cli.knowledge.base import load_base
from tests.program import environment


@pytest.fixture(scope="session")
def index_cache(tmp_path_factory):
    """A cache folder that holds the index of the bundled entries, so that no test has to build it again."""
    folder = tmp_path_factory.mktemp("xdg-cache")
    load_base(cache=folder / "mrblue")
    return folder


@pytest.fixture
def ask_env(index_cache):
    """The environment of a program with that cache; call it with more variables."""
    return lambda **more: environment(XDG_CACHE_HOME=str(index_cache), **more)


@pytest.fixture
def match(capsys):
    """`mrblue match` in this process: the exit code and what was printed. Quick, for the many options."""

    def call(*args):
        capsys.readouterr()
        code = run(lambda: app(["match", *map(str, args)], standalone_mode=False), debug=False)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err)

    return call
