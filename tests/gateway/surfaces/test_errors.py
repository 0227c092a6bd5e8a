from __future__ import annotations

import pytest
from hypothesis import given

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.surfaces.errors import anthropic_error, anthropic_fault, openai_error, openai_fault, status_of
from tests.gateway.surfaces.samples import anything, few

READERS = [
    lambda message: openai_fault({"message": message}),
    lambda message: anthropic_fault({"error": {"message": message}}),
]


@pytest.mark.parametrize("read", READERS, ids=["openai", "anthropic"])
class TestWordsOfAProvider:
    @pytest.mark.parametrize(
        "secret",
        [
            "sk-proj-abcdefghijkl1234567890",
            "sk-abc*****************wxyz",
            "gsk_abcdefgh12345678",
            "Bearer abc.def",
            "a1B2c3D4e5F6a1B2c3D4e5F6a1B2",
        ],
    )
    def test_no_key_is_shown(self, read, secret):
        message = read(f"Incorrect API key provided: {secret}. See the docs.").message
        assert secret.removeprefix("Bearer ") not in message
        assert message.startswith("Incorrect API key provided: ")
        assert "[hidden]" in message

    @pytest.mark.parametrize(
        "plain",
        [
            "Overloaded",
            "Rate limit reached for gpt-4o-mini: 30000 tokens per minute.",
            "max_output_tokens must be at least 16",
            "claude-3-5-sonnet-20241022 is overloaded",
            "This model's maximum context length is 128000 tokens.",
        ],
    )
    def test_plain_words_stay(self, read, plain):
        assert read(plain).message.split()[0] == plain.split()[0]
        assert "tokens" not in plain or "tokens" in read(plain).message

    def test_one_line_and_not_too_long(self, read):
        message = read("a\r\nb\t c " + "word " * 1000).message
        assert message.startswith("a b c word")
        assert len(message) <= 600

    def test_no_words_at_all(self, read):
        assert read("").message
        assert read(None).message


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_has_a_status_and_both_bodies(kind):
    fault = Fault(kind=kind, message="m", param="p")
    status = status_of(fault)
    assert 400 <= status < 600
    assert openai_error(fault, status)["error"]["message"] == "m"
    assert anthropic_error(fault, status)["error"]["message"] == "p: m"


@given(anything)
@few
def test_no_error_of_a_provider_raises(value):
    for fault in (anthropic_fault({"error": value}), openai_fault({"code": value, "type": value, "message": value})):
        assert fault.message
        assert isinstance(fault.type, str)
