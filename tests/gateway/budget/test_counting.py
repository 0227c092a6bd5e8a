"""The count lies above what byte-pair encodings make of a text, and audio is never taken for shorter than it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.budget.counting import audio_seconds, count_text

# Token counts by o200k_base and cl100k_base, the larger of the two, measured once.
MEASURED = [
    ("What does ENOSPC mean?", 7),
    ("The quick brown fox jumps over the lazy dog.", 10),
    ('{"id": 12345, "name": "item", "ok": true, "price": 0.142857}', 27),
    ("def add(left: int, right: int) -> int:\n    return left + right\n", 19),
    ("2026-11-21T11:05:07.123Z ERROR [worker-17] GET /v1/users/134623 503\n", 32),
    ("Die Verbindung zum Server wurde unterbrochen, weil der Schlüssel abgelaufen ist.", 21),
    ("Η σύνδεση με τον διακομιστή διακόπηκε επειδή το κλειδί έληξε.", 56),
    ("由于密钥已过期，与服务器的连接已中断。", 17),
    ("Great work 🎉🚀 all tests pass ✅ ship it 🚢", 18),
]


def wav(seconds, *, rate=24_000):
    size = int(seconds * rate * 2)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"\x01\x00\x01\x00" + rate.to_bytes(4, "little") + (rate * 2).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return head + b"data" + size.to_bytes(4, "little") + bytes(size)


@pytest.mark.parametrize(("text", "tokens"), MEASURED)
def test_counts_lie_above_the_truth_and_not_far(text, tokens):
    assert tokens <= count_text(text) <= 3 * tokens + 3


def test_nothing_is_nothing():
    assert count_text("") == 0


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_text_never_counts_much_less(first, second):
    # Joining two texts may join two words into one; nothing else is lost.
    assert count_text(first + second) >= max(count_text(first), count_text(second)) - 3


@given(st.text(alphabet=st.characters(codec="utf-16", exclude_categories=()), max_size=50))
def test_any_text_can_be_counted(text):
    assert count_text(text) >= (len(text) > 0)


@pytest.mark.parametrize("seconds", [0.5, 3, 60])
def test_a_wav_is_as_long_as_it_says(seconds):
    assert seconds <= audio_seconds(wav(seconds)) <= seconds * 1.01 + 0.01


@pytest.mark.parametrize(("head", "kbits"), [(b"\xff\xfb\x90\x00", 128), (b"\xff\xf3\x80\x00", 64)])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)])
def test_an_mp3_is_not_taken_for_shorter_than_it_is(head, kbits, tag):
    data = tag + head + bytes(kbits * 125 * 10)
    assert 10 <= audio_seconds(data) <= 21


@given(st.binary(max_size=200))
def test_anything_may_be_uploaded(data):
    assert 0 <= audio_seconds(data) <= len(data)


@given(st.binary(max_size=200))
@pytest.mark.parametrize("start", [b"RIFF\0\0\0\0WAVEfmt ", b"ID3", b"\xff\xfb"])
def test_damaged_recordings_are_measured_too(start, data):
    assert 0 <= audio_seconds(start + data) < 60
