"""What people paste and say finds its entry; ordinary talk finds nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.knowledge.detect import detect, error_types
from mrblue_cli.knowledge.model import Risk
from mrblue_cli.knowledge.normalize import clean, spoken_to_text, words

BASE = load_base()

SPOKEN = [
    ("I get address already in use on port three thousand", "node/port-in-use"),
    ("e address in use port three thousand", "node/port-in-use"),
    ("module not found error no module named pandas", "python/module-not-found"),
    ("modulenotfounderror no module named requests", "python/module-not-found"),
    ("Docker Damon is not running", "docker/daemon-not-running"),
    ("mpm error eacces permission denied", "npm/eacces-permission-denied"),
    ("course policy blocked my request", "cors/blocked-by-cors-policy"),
    ("blocked by cores policy", "cors/blocked-by-cors-policy"),
    ("no space left on device", "linux/no-space-left"),
    ("javascript heap out of memory", "node/heap-out-of-memory"),
    ("permission denied public key", "ssh/permission-denied-publickey"),
    ("crash loop back off", "kubernetes/crash-loop-back-off"),
    ("five oh two bad gateway", "nginx/bad-gateway"),
]
ORDINARY = [
    "404 people attended", "my flight is BA 500", "the total was 403 euros", "best tango events in Buenos Aires",
    "hello, how are you", "what can you do", "thank you very much", "what's the weather like", "I have two dogs",
    "the meeting is at three thousand feet", "can you sing a song", "", "   ", "…", "port wine is lovely",
]  # fmt: skip


@pytest.mark.parametrize(("text", "entry_id"), SPOKEN)
def test_what_a_recogniser_makes_of_it_finds_the_entry(text, entry_id):
    result = BASE.search(text)
    assert result.hits[0].entry.id == entry_id
    assert result.confident


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_talk_finds_nothing(text):
    assert not BASE.search(text).confident


def test_the_end_of_a_long_coloured_log_is_found():
    noise = "".join(f"2026-11-21T10:00:{i % 60:02}Z \x1b[32mINFO\x1b[0m request {i} done\n" for i in range(5000))
    log = f"{noise}\x1b[31mError: listen EADDRINUSE: address already in use :::8080\x1b[0m\n    at Server.setup\n"
    result = BASE.search(log)
    assert result.hits[0].entry.id == "node/port-in-use"
    assert result.hits[0].captures["port"] == "8080"
    assert "lsof -i :8080" in result.hits[0].solutions[0].steps


def test_captured_and_spoken_values_reach_the_steps():
    for text in ("EADDRINUSE: address already in use 127.0.0.1:5000", "address already in use port five thousand"):
        assert "lsof -i :5000" in BASE.search(text).hits[0].solutions[0].steps


def test_a_hostile_error_text_smuggles_nothing():
    result = BASE.search("ModuleNotFoundError: No module named 'x; rm -rf ~'")
    steps = [step for hit in result.hits for solution in hit.solutions for step in solution.steps]
    assert not any("rm -rf" in step for step in steps)


def test_destructive_ways_are_never_first():
    for entry in BASE.entries:
        for hit in BASE.search(entry.matches[0]).hits:
            assert hit.solutions[0].risk is not Risk.DESTRUCTIVE


def test_hits_come_best_first_and_at_most_as_many_as_asked():
    result = BASE.search("permission denied", top=2)
    assert len(result.hits) <= 2
    assert [hit.confidence for hit in result.hits] == sorted((h.confidence for h in result.hits), reverse=True)


@given(st.text(max_size=300))
def test_any_text_is_searched_without_failing(text):
    result = BASE.search(text)
    assert all(0 <= hit.confidence <= 1 for hit in result.hits)
    assert result.query == text


def test_an_unknown_id_suggests_a_known_one():
    with pytest.raises(UsageError) as caught:
        BASE.entry("node/port-already-in-use")
    assert "node/port-in-use" in caught.value.hint


def test_the_vocabulary_begins_with_phrases_of_every_category():
    vocabulary = BASE.vocabulary()
    assert all(" " in phrase for phrase in vocabulary[:5])
    assert "daemon" in vocabulary
    assert len(vocabulary) == len(set(vocabulary))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:1", "connection refused"),
        ("HTTP/1.1 429 Too Many Requests", "rate limited"),
        ("bash: foo: command not found", "command not found"),
        ("java.lang.OutOfMemoryError", "out of memory"),
        ("the disk is full", "disk full"),
        ("address already in use on port three thousand", "port in use"),
    ],
)
def test_error_types_are_named_even_without_an_entry(text, name):
    kind = detect(text)
    assert kind is not None
    assert kind.name == name
    assert kind.checks


def test_the_cause_at_the_end_wins():
    kind = detect("request timed out\nretrying\nError: EACCES: permission denied, open '/x'")
    assert kind is not None
    assert kind.name == "permission denied"
    assert len(error_types()) >= 25


@pytest.mark.parametrize("text", ORDINARY)
def test_no_type_in_ordinary_talk(text):
    assert detect(text) is None


def test_spelled_numbers():
    assert spoken_to_text("port three thousand") == "port 3000"
    assert spoken_to_text("error four oh four, port eighty eighty") == "error 404, port 8080"
    assert spoken_to_text("port five thousand four hundred thirty two") == "port 5432"
    assert spoken_to_text("one of them") == "one of them"
    assert spoken_to_text("no numbers here") == "no numbers here"
    assert words("ModuleNotFoundError port two") == ["module", "not", "found", "error", "port", "2"]


def test_cleaning_keeps_both_ends_of_a_huge_text():
    text = "first line\n" + "x y\n" * 1_000_000 + "\nlast line"
    assert clean(text).startswith("first line")
    assert clean(text).endswith("last line")
    assert len(clean(text)) < 2_100_000


def test_searching_loads_nothing_heavy():
    code = (
        "import sys; from mrblue_cli.knowledge.base import load_base; load_base().search('x');"
        "print([m for m in ('numpy','textual','openai','websockets','asyncio') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
