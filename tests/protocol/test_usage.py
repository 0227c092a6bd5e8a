"""Token counts: whole, consistent and growing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.items import user_text
from mrblue_cli.protocol.usage import ModelsUsed, usage_of


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


COUNTS = st.fixed_dictionaries({}, optional={"input_tokens": st.integers(0, 9), "output_tokens": st.integers(0, 9)})


@given(st.lists(st.tuples(st.sampled_from(["chat", "voice"]), COUNTS), max_size=6))
def test_paid_models_are_summed_by_name_and_their_tokens_are_the_totals(uses):
    models = ModelsUsed()
    for name, counts in uses:
        models.add(name, **counts, characters=None)
    usage = models.laid_over(usage_of([], "be kind", "yes", 100))
    assert bool(models) == ("models" in usage) == bool(uses)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    if any("output_tokens" in counts for _, counts in uses):
        assert usage["output_tokens"] == sum(counts.get("output_tokens", 0) for _, counts in uses)
    for entry in usage.get("models", []):
        assert "characters" not in entry
