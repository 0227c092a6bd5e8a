"""Web pages are kept away from a gateway without keys; programs are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.server.origin import stranger


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:8080"},
        {"host": "127.0.0.1:8080"},
        {"host": "[::1]:8080"},
        {"host": "10.1.2.3:8080"},
        {"host": "gateway:8080"},
        {"host": "app.localhost"},
        {"host": "Gate.Example.org:8080"},
        {"host": "localhost:8080", "origin": "http://localhost:3000"},
        {"host": "localhost:8080", "origin": "http://127.0.0.1:5173"},
        {"host": "127.0.0.1:8080", "origin": "http://app.localhost:5173"},
        {"host": "127.0.0.1:8080", "origin": "http://[::1]:5173"},
        {"host": "10.1.2.3:8080", "origin": "http://10.1.2.3:3000"},
        {"host": "gateway:8080", "origin": "http://gateway"},
        {"host": "localhost:8080", "origin": "https://gate.example.org"},
    ],
)
def test_programs_and_local_pages_are_welcome(headers: dict[str, str]) -> None:
    assert stranger(headers, "gate.example.org") is None


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"host": "evil.example:8080"}, "evil.example"),
        ({"host": "localhost.evil.example"}, "evil.example"),
        ({"host": "localhost", "origin": "https://evil.example"}, "evil.example"),
        ({"host": "localhost", "origin": "null"}, "without an origin"),
        ({"host": "localhost", "origin": "https://127.0.0.1.evil.example"}, "evil.example"),
        ({"host": "localhost", "origin": "https://[oops"}, "pages from"),
        # A page needs no name: one that is served from a bare address is as foreign as any other.
        ({"host": "127.0.0.1:8080", "origin": "http://93.184.216.34"}, "93.184.216.34"),
        ({"host": "localhost:8080", "origin": "http://192.168.1.66:8000"}, "192.168.1.66"),
        ({"host": "localhost:8080", "origin": "http://[2001:db8::1]"}, "2001:db8::1"),
        ({"host": "localhost:8080", "origin": "http://intranet"}, "intranet"),
        ({"host": "[oops"}, "Host"),
    ],
)
def test_foreign_pages_are_not(headers: dict[str, str], word: str) -> None:
    fault = stranger(headers, "127.0.0.1")
    assert fault is not None
    assert fault.status == 403
    assert word in fault.message


@given(st.dictionaries(st.sampled_from(["host", "origin"]), st.text()))
def test_any_header_is_judged_without_a_crash(headers: dict[str, str]) -> None:
    fault = stranger(headers, "127.0.0.1")
    assert fault is None or len(fault.message) < 400
