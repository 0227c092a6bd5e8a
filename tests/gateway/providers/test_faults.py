"""Every provider's errors in routing's words, with nothing in them that must not be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import FaultKind
from mrblue_cli.gateway.providers.faults import MAX_MESSAGE, fault_in_stream, mask, read, tidy
from mrblue_cli.gateway.providers.registry import provider
from tests.gateway.providers.samples import FOLDER, KINDS

SAMPLES: list[dict[str, Any]] = json.loads((FOLDER / "faults.json").read_text("utf-8"))
SECRETS = [
    "sk-proj-Ab12Cd34Ef56Gh78",
    "sk-ant-api03-xYz_123-abcdefghij",
    "gsk_a1B2c3D4e5F6g7H8",
    "xai-9f8e7d6c5b4a39281706",
    "AIzaSyA1b2C3d4E5f6G7h8I9j0",
    "0123456789abcdef0123456789abcdef",
    "hf_QwErTyUiOpAsDfGh",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "a8F3kLm92NqRsT7uVwXyZ012345",
    "mrb_3kd93jd93jd9",
]


def body_of(sample: dict[str, Any]) -> bytes:
    body = sample["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_an_error_means_what_its_provider_means(sample: dict[str, Any]) -> None:
    fault = provider(sample["provider"]).fault(sample["status"], sample["headers"], body_of(sample))
    assert fault.kind.value == sample["kind"]
    assert fault.status == sample["status"]
    assert fault.retry_after == (pytest.approx(sample["retry_after"]) if "retry_after" in sample else None)
    if "code" in sample:
        assert fault.code == sample["code"]
    if "shown" in sample:
        assert sample["shown"] in fault.message
    assert fault.message
    assert "<" not in fault.message.replace("<= 8193", "")
    assert "10.20" not in fault.message
    assert "abcdef0123" not in fault.message


def test_every_kind_of_fault_that_a_provider_can_report_is_in_the_samples() -> None:
    ours_alone = {FaultKind.CONNECT, FaultKind.BROKEN, FaultKind.UNSUPPORTED}
    assert {sample["kind"] for sample in SAMPLES} == {kind.value for kind in set(FaultKind) - ours_alone}


BARE = {
    400: FaultKind.BAD_REQUEST,
    401: FaultKind.AUTH,
    402: FaultKind.QUOTA,
    403: FaultKind.AUTH,
    404: FaultKind.NOT_FOUND,
    405: FaultKind.NOT_FOUND,
    408: FaultKind.TIMEOUT,
    409: FaultKind.SERVER,
    413: FaultKind.CONTEXT_TOO_LONG,
    422: FaultKind.BAD_REQUEST,
    429: FaultKind.RATE_LIMITED,
    500: FaultKind.SERVER,
    502: FaultKind.SERVER,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
    520: FaultKind.SERVER,
    529: FaultKind.OVERLOADED,
    599: FaultKind.SERVER,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bare_status_is_enough(kind: str) -> None:
    for status, want in BARE.items():
        fault = provider(kind).fault(status, {}, b"")
        assert fault.kind is want, status
        assert str(status) in fault.message


def test_a_redirect_says_where_to_look() -> None:
    fault = provider("openai").fault(301, {"location": "http://10.0.0.1/"}, b"")
    assert "base_url" in fault.message
    assert "10.0" not in fault.message


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("frame", ["{}", "key {} is wrong", "key={}&x=1", "({})", '"{}"', "api key: {}.", "x {}\n{}"])
def test_secrets_are_masked_wherever_they_stand(secret: str, frame: str) -> None:
    shown = tidy(frame.replace("{}", secret))
    assert secret not in shown
    assert "[hidden]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "The model gpt-4o-2024-11-20 does not exist",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo is busy",
        "Limit 30000, used 29000, try again in 6m0s",
        "messages[3].content[0].image_url.url is not an address",
        "See https://platform.example.org/docs/guides/rate-limits for more",
        "claude-sonnet-4-5-20250929 allows 200000 tokens",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8080",
        "10.1.2.3",
        "192.168.0.7:11434",
        "172.20.1.1",
        "169.254.169.254",
        "localhost:99",
        "a.b.internal",
    ],
)
def test_addresses_inside_are_masked(address: str) -> None:
    assert mask(f"cannot reach http://{address}/v1") == "cannot reach http://[address]/v1"


def test_public_addresses_and_versions_stay() -> None:
    for text in ("8.8.8.8", "version 10.2", "1.127.0.0.1", "172.40.1.1", "localhosts"):
        assert mask(text) == text


def test_a_password_in_an_address_goes() -> None:
    assert "hunter2" not in mask("https://user:hunter2@example.org/")


@given(st.text(max_size=3000))
def test_a_message_is_one_short_line_without_control_characters(text: str) -> None:
    made = tidy(text)
    assert len(made) <= MAX_MESSAGE
    assert "\n" not in made
    assert all(ord(letter) >= 32 for letter in made)


def test_long_hostile_texts_do_not_trap_the_patterns() -> None:
    """A pattern that backtracks would run into the suite's time limit here."""
    for text in ("a." * 50_000, "a-" * 50_000, "1s" * 50_000, "model" * 20_000, "sk-" * 30_000, "x" * 100_000):
        fault = provider("openai").fault(400, {}, json.dumps({"error": {"message": text}}).encode())
        assert len(fault.message) <= MAX_MESSAGE


@pytest.mark.parametrize(
    ("value", "message", "code"),
    [
        ({"error": {"message": "m", "code": "c"}}, "m", "c"),
        ({"error": "m"}, "m", ""),
        ({"error": "m", "code": "c"}, "m", "c"),
        ({"message": "m"}, "m", ""),
        ({"detail": "m"}, "m", ""),
        ({"detail": [{"loc": ["a", 1], "msg": "m"}, {"msg": "n"}]}, "a.1: m; n", ""),
        ([{"error": {"message": "m", "code": 7}}], "m", "7"),
        ({"type": "error", "error": {"type": "t", "message": "m"}}, "m", ""),
        ({"title": "m", "status": 400}, "m", ""),
        ({"error": {}}, "", ""),
        ({"error": None}, "", ""),
        ([], "", ""),
        ("m", "", ""),
        (None, "", ""),
    ],
)
def test_error_bodies_of_all_shapes_are_read(value: Any, message: str, code: str) -> None:
    said = read(json.dumps(value).encode())
    assert (said.message, said.code) == (message, code)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"error": {"message": "Overloaded", "type": "overloaded_error"}}, FaultKind.OVERLOADED),
        ({"error": {"message": "x", "code": 429}}, FaultKind.RATE_LIMITED),
        ({"error": {"message": "x", "code": "502"}}, FaultKind.SERVER),
        ({"error": {"message": "maximum context length is 10"}}, FaultKind.CONTEXT_TOO_LONG),
        ({"error": {"message": "x", "code": "content_filter"}}, FaultKind.CONTENT_FILTER),
        ({"error": {"message": "x", "type": "rate_limit_error"}}, FaultKind.RATE_LIMITED),
        ({"error": "odd"}, FaultKind.SERVER),
        ({}, FaultKind.SERVER),
    ],
)
def test_errors_inside_a_stream_have_kinds_too(value: Any, kind: FaultKind) -> None:
    fault = fault_in_stream(value)
    assert fault.kind is kind
    assert fault.message


def test_only_faults_that_pass_carry_a_wait() -> None:
    head = {"retry-after": "9"}
    assert provider("openai").fault(429, head, b"").retry_after == 9
    assert provider("openai").fault(503, head, b"").retry_after == 9
    assert provider("openai").fault(400, head, b"").retry_after is None
    assert provider("openai").fault(401, head, b"").retry_after is None
