"""How long a provider asks us to wait, in all the ways in which they say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.providers.patience import LONGEST, patience, span

NOON = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("36", 36),
        ("0", 0),
        ("1.5", 1.5),
        ("7.66s", 7.66),
        ("120ms", 0.12),
        ("6m0s", 360),
        ("1m2.5s", 62.5),
        ("1h2m3s", 3723),
        ("2d", 172_800),
        (" 5S ", 5),
        ("", None),
        ("soon", None),
        ("5 apples", None),
        ("-3", None),
        ("1e9", None),
        ("nan", None),
        ("9" * 40, None),
    ],
)
def test_lengths_of_time(text: str, seconds: float | None) -> None:
    assert span(text) == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT", "date": NOON}, 90),
        ({"retry-after": "Sat, 21 Nov 2026 11:59:00 GMT", "date": NOON}, 0),
        ({"retry-after": "2026-11-21T12:00:05Z", "date": NOON}, 5),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT", "date": "yesterday"}, None),
        ({"retry-after": "gibberish"}, None),
        ({"retry-after": str(int(LONGEST) + 1)}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}, 20),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "20s"}, None),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "3s",
            },
            3,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795262460", "date": NOON}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795262460000", "date": NOON}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795262460"}, None),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:42Z",
                "date": NOON,
            },
            42,
        ),
        ({}, None),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert patience(headers) == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 7.66s.", 7.66),
        ("Please try again in 1m2.5s. See the docs.", 62.5),
        ("please retry after 26 seconds", 26),
        ("Please retry in 36.2s", 36.2),
        ("try again in 350ms", 0.35),
        ("Retry after 1 minute 30 seconds", 90),
        ("Try again in 2 hours", 7200),
        ("Try again later", None),
        ("Try again in 5 apples", None),
        ("", None),
    ],
)
def test_words(message: str, seconds: float | None) -> None:
    assert patience({}, message) == (pytest.approx(seconds) if seconds is not None else None)


def test_a_header_counts_for_more_than_words() -> None:
    assert patience({"retry-after": "3"}, "Please try again in 50s") == 3


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.text(max_size=40) | st.just("0") | st.integers(0, 10**20).map(str),
    ),
    st.text(max_size=200),
)
def test_whatever_comes_it_is_a_sane_number_or_none(headers: dict[str, str], message: str) -> None:
    seconds = patience(headers, message)
    assert seconds is None or 0 <= seconds <= LONGEST
