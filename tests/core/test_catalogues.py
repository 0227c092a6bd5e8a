"""Every sentence in the source has its Spanish form, with the same values, and the catalogue holds nothing else."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from mrblue_cli.core.texts import LANGUAGES, catalogue

SOURCE = Path(__file__).parents[2] / "mrblue_cli"


def sentences():
    """(sentence, place) for each `tell("…")`; a first argument that is no literal could never be looked up."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell":
                place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                assert node.args, f"{place}: tell() without a sentence"
                assert isinstance(node.args[0], ast.Constant), f"{place}: the sentence is no literal"
                yield node.args[0].value, place


def values(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_each_sentence_has_its_translation(language):
    known = catalogue(language)
    missing = {text: place for text, place in sentences() if text not in known}
    assert missing == {}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_the_catalogue_holds_only_what_is_told(language):
    assert set(catalogue(language)) - {text for text, _ in sentences()} == set()


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_translation_takes_the_same_values(language):
    for english, told in catalogue(language).items():
        assert values(told) == values(english), english
        assert told.strip(), english
