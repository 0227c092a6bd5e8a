"""Token counts: whole, consistent and growing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.items import user_text
from mrblue_cli.protocol.usage import usage_of


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=40), st.text(max_size=40), st.integers(0, 10**6))
def test_the_sums_fit(history, instructions, text, audio_ms):
    usage = usage_of([user_text(words, "i") for words in history], instructions, text, audio_ms)
    given_, made = usage["input_token_details"], usage["output_token_details"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == given_["text_tokens"] + given_["audio_tokens"]
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert given_["cached_tokens"] <= usage["input_tokens"]


def test_a_second_of_speech_is_twenty_tokens():
    assert usage_of([], "", "", 1000)["output_token_details"] == {"text_tokens": 0, "audio_tokens": 20}
    assert usage_of([], "", "", 1)["output_token_details"]["audio_tokens"] == 1
    assert usage_of([], "abcde", "", 0)["input_tokens"] == 2
