"""The request's cache-control header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.cache.control import PLAIN, Control, read_control


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", PLAIN),
        ("public, x-odd=7", PLAIN),
        ("no-cache", Control(read=False)),
        ("No-Store", Control(write=False)),
        (" only-if-cached , max-age=60", Control(only_if_cached=True, max_age=60.0)),
        ('max-age="60"', Control(max_age=60.0)),
        ("max-age=60, max-age=5", Control(max_age=5.0)),
        ("max-age=soon", Control(max_age=0.0)),
        ("max-age=-1", Control(max_age=0.0)),
        ("max-age", Control(max_age=0.0)),
        ("max-age=²", Control(max_age=0.0)),
        ("max-age=" + "9" * 5000, Control(max_age=0.0)),
        ("no-cache,no-store", Control(read=False, write=False)),
    ],
)
def test_directives(header: str, wanted: Control) -> None:
    assert read_control(header) == wanted


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    assert isinstance(read_control(header), Control)


@given(st.integers(0, 10**6), st.floats(0, 10**6))
def test_age(limit: int, age: float) -> None:
    assert read_control(f"max-age={limit}").accepts(1000.0, 1000.0 + age) == (1000.0 + age - 1000.0 <= limit)
    assert PLAIN.accepts(0.0, age)
