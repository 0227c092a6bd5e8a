"""Sentences are found by their English form; what is missing stays English."""

from __future__ import annotations

from mrblue_cli.core import texts


def test_english_is_the_source_itself():
    assert texts.tell("microphone '{name}' fell silent", name="USB") == "microphone 'USB' fell silent"
    assert texts.tell("braces {stay} without values") == "braces {stay} without values"


def test_another_language_is_looked_up_and_what_is_missing_stays_english():
    texts.use("es")
    assert texts.language() == "es"
    assert texts.tell("listening") == "escuchando"
    assert texts.tell("nobody has translated {what}", what="this") == "nobody has translated this"


def test_a_language_without_a_catalogue_is_english():
    texts.use("tlh")
    assert texts.language() == "en"
