"""Clauses, speakable words and the recogniser's prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.engine.clauses import MAX_WORDS, ClauseSplitter
from mrblue_cli.engine.speakable import speakable
from mrblue_cli.engine.vocabulary import MAX_CHARS, recogniser_prompt
from mrblue_cli.knowledge.base import load_base


def split(text, size=None):
    splitter = ClauseSplitter()
    pieces = [text] if size is None else [text[start : start + size] for start in range(0, len(text), size)]
    return [clause for piece in pieces for clause in splitter.feed(piece)] + splitter.finish()


def test_the_first_clause_is_short_and_the_rest_are_sentences():
    text = "Found it: another process, most likely an old one, still holds the port. Find it with lsof, then stop it."
    clauses = split(text)
    assert clauses[0] == "Found it: another process,"
    assert clauses[1] == "most likely an old one, still holds the port."
    assert clauses[2] == "Find it with lsof, then stop it."


@pytest.mark.parametrize(
    "text",
    [
        "Use Python 3.11 for this.",
        "Open app.py at 10:30.",
        "Try e.g. npm or so.",
        "See example.com.",
    ],
)
def test_marks_inside_words_end_nothing(text):
    assert split(text) == [text]


def test_a_very_long_stretch_is_cut_at_a_blank():
    clauses = split("word " * 100)
    assert all(len(clause.split()) <= MAX_WORDS for clause in clauses)
    assert sum(len(clause.split()) for clause in clauses) == 100


def test_what_has_no_words_is_not_spoken():
    assert split("… — !") == []
    assert split("") == []


@given(st.text(alphabet="ab1 .,:;!?\n-", max_size=200), st.integers(1, 9))
def test_streaming_in_any_pieces_loses_no_word(text, size):
    joined = " ".join(split(text, size))
    kept = [word for word in joined.split() if any(char.isalnum() for char in word)]
    assert kept == [word for word in text.split() if any(char.isalnum() for char in word)]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("lsof -i :3000", "L S O F dash i colon 3000"),
        ("kill <PID>", "kill the pid"),
        ("git push --force", "git push dash dash force"),
        ("see https://nodejs.org/api/errors.html", "see nodejs dot org"),
        ("use **sudo** `npm`", "use soo doo N P M"),
        ("cat a | sort && ls", "cat a pipe sort and then L S"),
        ("plain words stay", "plain words stay"),
    ],
)
def test_commands_are_read_sensibly(written, spoken):
    assert speakable(written) == spoken


@given(st.text(max_size=120))
def test_any_text_can_be_made_speakable(text):
    assert speakable(text) == speakable(text).strip()
    assert "  " not in speakable(text)


def test_the_prompt_is_bounded_phrases_first_names_last():
    prompt = recogniser_prompt(load_base().vocabulary())
    assert len(prompt) <= MAX_CHARS
    assert prompt.endswith("ModuleNotFoundError.")
    assert "address already in use" in prompt
    assert prompt.count("Error") <= 3


def test_a_prompt_without_phrases_still_has_the_names():
    assert recogniser_prompt(()).startswith("EADDRINUSE")


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("ejecuta lsof -i :3000", "ejecuta L S O F guion i dos puntos 3000"),
        ("npm run --verbose", "N P M run guion guion verbose"),
        ("kill <PID>", "kill el pid"),
        ("mira http://127.0.0.1/x", "mira 127 punto 0 punto 0 punto 1"),
        ("src/app && sudo ls", "src barra app y luego sudo L S"),
    ],
)
def test_symbols_are_read_in_the_language_of_the_talk(written, spoken):
    assert speakable(written) == spoken
