"""Tokens, stems, pairing and order of words."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.cache.guards.features import NAMES, features
from mrblue_cli.gateway.cache.guards.lexicon import kin, opposites, prefixed, synonyms
from mrblue_cli.gateway.cache.guards.matching import match
from mrblue_cli.gateway.cache.guards.order import order
from mrblue_cli.gateway.cache.guards.reading import fold, read
from mrblue_cli.gateway.cache.guards.stems import stem


@pytest.mark.parametrize(
    "forms",
    [
        ("configure", "configuration", "configured"),
        ("install", "installation", "installing"),
        ("buy", "bought"),
        ("utilize", "utilise", "utilization"),
        ("process", "processes", "processing"),
        ("stop", "stopped"),
        ("verify", "verification", "verifies"),
        ("child", "children"),
        ("colour", "color"),
        ("deploy", "deployment"),
        ("create", "creation", "creating"),
    ],
)
def test_forms_of_a_word_meet(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("increase", "decrease"), ("port", "report"), ("card", "car"), ("user", "use"), ("form", "from")]
)
def test_different_words_do_not_meet(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("call os.path.join(x) now", ["os.path.join"]),
        ("use --force here", ["--force"]),
        ("open ~/a/b.txt", ["~/a/b.txt"]),
        ("top-up my card", []),
        ("the $HOME folder", ["$HOME"]),
        ("it costs $1,000", []),
        ("use loadData or load_data", ["loaddata", "load_data"]),
        ("version v2.10.0", ["2.10.0"]),
        ("see issue #42", ["#42"]),
        ("mail a@example.org", ["a@example.org"]),
        ("write C++ code", ["C++"]),
        ("and/or", []),
    ],
)
def test_identifiers_are_found(text: str, code: list[str]) -> None:
    assert [token.key for token in read(text).tokens if token.kind == "code"] == code


def test_contractions_are_written_out() -> None:
    assert read("I can't, won't and dont").lower == ("i", "can", "not", ",", "will", "not", "and", "do", "not")


def test_names_are_told_from_words_at_the_beginning() -> None:
    names = [token.text for token in read("Yesterday Clara met the NATO people in Oslo.").tokens if token.name]
    assert names == ["Clara", "NATO", "Oslo"]
    assert not any(token.name for token in read("THIS IS ALL IN CAPITALS").tokens)


def test_folding_forgives_spacing_and_quotes_but_not_case() -> None:
    assert fold(" It’s   here. ") == fold("It's here")
    assert fold("ls -A") != fold("ls -a")


def test_words_are_paired_by_form_synonym_slip_and_compound() -> None:
    found = match(read("Remove my databse and topup a card"), read("Delete the database and top up my cards"))
    assert not found.left
    assert not found.right


def test_a_quoted_word_is_not_replaced_by_a_synonym() -> None:
    found = match(read("the command `delete` is gone"), read("the command `remove` is gone"))
    assert [token.text for token in found.left] == ["delete"]


def test_lexicon() -> None:
    assert synonyms(stem("buy"), stem("purchase"))
    assert not synonyms(stem("buy"), stem("sell"))
    assert opposites(stem("buy"), stem("selling"))
    assert opposites("before", "after")
    assert prefixed("unhealthi", "healthi")
    assert kin("python", "java")
    assert not kin("python", "python")


@pytest.mark.parametrize(
    ("one", "other", "harmless"),
    [
        ("Ann likes tea and cake.", "Ann likes cake and tea.", True),
        ("In winter Ann lives in Rome.", "Ann lives in Rome in winter.", True),
        ("Ann stayed in Oslo with Bob.", "Ann stayed with Bob in Oslo.", True),
        ("Ann sent Bob a letter.", "Bob sent Ann a letter.", False),
        ("The red car and the blue house", "The blue car and the red house", False),
        ("He flew from Rome to Oslo.", "He flew from Oslo to Rome.", False),
    ],
)
def test_harmless_moves_are_told_from_exchanged_roles(one: str, other: str, harmless: bool) -> None:
    here, there = read(one), read(other)
    assert (order(here, there, match(here, there)).inversions == 0) is harmless


def test_active_and_passive_are_noticed() -> None:
    here, there = read("Bob wrote the letter."), read("The letter was written by Bob.")
    assert order(here, there, match(here, there)).voice


def test_features_have_names_and_do_not_care_for_the_order_of_the_texts() -> None:
    one, other = (
        read("How do I move a big file from Oslo to Rome?"),
        read("How can I transfer large files to Rome from Oslo?"),
    )
    forth = features(one, other, match(one, other), 0.97)
    back = features(other, one, match(other, one), 0.97)
    assert len(forth) == len(NAMES)
    assert forth == pytest.approx(back)
