"""What the adapters share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, FaultKind, Usage
from mrblue_cli.gateway.providers import wire
from tests.gateway.providers.samples import target


@pytest.mark.parametrize("name", ["a", "a/b", "../x", "a?b#c", "a%2f", "ä ö", "a:b@c", "\r\nx: y"])
def test_a_segment_stays_one(name: str) -> None:
    made = wire.segment(name)
    assert not set(made) & set("/?#\r\n ")


@given(st.text(min_size=1, max_size=30))
def test_any_name_is_a_safe_segment_or_refused(name: str) -> None:
    try:
        made = wire.segment(name)
    except CallError:
        assert not name.strip(".")
    else:
        assert made.isascii()
        assert made not in {".", ".."}
        assert "/" not in made


@pytest.mark.parametrize(
    ("asked", "bound", "want"),
    [(None, None, None), (None, 5, 5), (3, 5, 3), (9, 5, 5), (9, None, 9), (True, 5, 5), ("x", None, None)],
)
def test_bounds(asked: Any, bound: int | None, want: int | None) -> None:
    assert wire.bounded(asked, target("openai", max_tokens=bound)) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (5, 5),
        (0, 0),
        (-1, 0),
        (2.9, 2),
        (True, 0),
        ("5", 0),
        (None, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (2**60, 0),
    ],
)
def test_counts(value: Any, want: int) -> None:
    assert wire.count(value) == want


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("data:image/png;base64,AAAA", ("image/png", "AAAA")),
        ("data:image/svg+xml;charset=utf-8;base64,AAAA", ("image/svg+xml", "AAAA")),
        ("data:;base64,AA==", ("application/octet-stream", "AA==")),
        ("data:image/png;base64,AA\nAA", ("image/png", "AAAA")),
        ("data:image/png;base64,-_-_", ("image/png", "+/+/")),
        ("https://example.org", None),
    ],
)
def test_data_urls(url: str, want: tuple[str, str] | None) -> None:
    assert wire.split_data_url(url) == want


@pytest.mark.parametrize("url", ["data:", "data:image/png,x", "data:image/png;base64,A", "data:image/png;base64,<>"])
def test_broken_data_urls(url: str) -> None:
    with pytest.raises(CallError) as caught:
        wire.split_data_url(url)
    assert caught.value.fault.kind is FaultKind.BAD_REQUEST


@pytest.mark.parametrize(
    ("date", "want"),
    [("Sat, 21 Nov 2026 11:00:00 GMT", 1795258800), ("", 0), ("soon", 0), ("Sat, 99 Nov 2026 11:00:00 GMT", 0)],
)
def test_dates(date: str, want: int) -> None:
    assert wire.date_of({"date": date} if date else {}) == want


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        (None, ""),
        ([{"text": "a"}, {"text": "b"}, {"x": 1}, 5, {"text": 7}], "ab"),
        ({"text": "a"}, ""),
        (5, ""),
    ],
)
def test_texts(content: Any, text: str) -> None:
    assert wire.text_of(content) == text


def test_usage_as_a_client_reads_it() -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cached_input_tokens=3, cache_write_tokens=2, reasoning_tokens=1)
    assert wire.usage_table(usage) == {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert wire.usage_table(Usage()) == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_only_the_first_chunk_of_a_choice_carries_the_role() -> None:
    make = wire.ChunkMaker()
    deltas = [make.delta({"content": "a"}), make.delta({"content": "b"}), make.delta({"content": "c"}, index=1)]
    assert [("role" in (piece.data or {})["choices"][0]["delta"]) for piece in deltas] == [True, False, True]
    assert [piece.text for piece in deltas] == ["a", "b", ""]
    assert make.finish("stop", index=1).finish == ""
    assert make.finish("stop").finish == "stop"


def test_hashes_are_the_same_each_time_and_keep_parts_apart() -> None:
    assert wire.short_hash("a", "b") == wire.short_hash("a", "b") != wire.short_hash("ab")
    assert len(wire.short_hash("\ud800", length=9)) == 9


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_broken(data: bytes) -> None:
    with pytest.raises(CallError) as caught:
        wire.decode_table(data)
    assert caught.value.fault.kind is FaultKind.BROKEN


def test_options() -> None:
    assert wire.option(target("openai", options=(("a", "1"), ("b", "2"))), "b") == "2"
    assert wire.option(target("openai"), "b") == ""
