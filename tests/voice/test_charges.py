"""Usage becomes charges: parts sum, cached stays inside, hostile numbers bill nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.prices import NANO
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.prices import MOST_TOKENS, as_input_nano, reply_charges, transcription_charges

REALTIME = "gpt-realtime-2.1"


def reply(usage, model=REALTIME, **options):
    (charge,) = reply_charges(model, usage, **options)
    return charge


def test_reasoning_is_inside_the_written_output():
    made = {"text_tokens": 100, "audio_tokens": 50, "reasoning_tokens": 60}
    charge = reply({"input_tokens": 0, "output_tokens": 150, "output_token_details": made})
    assert (charge.text_output, charge.audio_output, charge.output_tokens) == (100, 50, 150)
    assert charge.cost_nano == round((100 * 24 + 50 * 64) / 1e6 * NANO)


def test_what_the_details_leave_out_is_text():
    charge = reply({"input_tokens": 130, "output_tokens": 9, "input_token_details": {"audio_tokens": 100}})
    assert (charge.text_input, charge.audio_input, charge.text_output) == (30, 100, 9)
    assert charge.cost_nano == round((30 * 4 + 100 * 32 + 9 * 24) / 1e6 * NANO)


def test_cached_is_inside_the_input_and_never_more():
    details = {"text_tokens": 10, "audio_tokens": 20, "cached_tokens": 5000}
    charge = reply({"input_tokens": 30, "input_token_details": details})
    assert charge.cached_input == charge.input_tokens == 30
    split = {**details, "cached_tokens_details": {"text_tokens": 99, "audio_tokens": 7}}
    assert reply({"input_token_details": split}).cached_input == 17


def test_input_of_an_unknown_kind_has_no_price_where_sound_is_dearer():
    charge = reply({"input_tokens": 100, "output_tokens": 10})
    assert (charge.input_tokens, charge.cost_nano) == (100, None)
    assert reply({"input_tokens": 100, "output_tokens": 10}, model="gpt-4o-mini").cost_nano is not None


def test_this_machine_costs_nothing_and_still_counts():
    charge = reply({"input_token_details": {"text_tokens": 12}}, model="mrblue-local", free=True)
    assert (charge.text_input, charge.cost_nano, charge.cost_usd) == (12, 0, 0.0)


def test_an_unknown_model_has_tokens_and_no_price():
    charge = reply({"input_token_details": {"text_tokens": 12}}, model="somebody-elses")
    assert (charge.text_input, charge.cost_nano, charge.cost_usd) == (12, None, None)


def test_several_models_behind_one_reply_are_billed_each():
    rows = [
        {"model": "gpt-transcribe", "seconds": 36.0},
        {"model": "gpt-4o-mini", "input_tokens": 1000, "output_tokens": 100},
        {"model": "tts-1", "characters": 200},
        {"model": "unheard-of", "input_tokens": 5},
        "nonsense",
    ]
    charges = reply_charges("batch", {"input_tokens": 77, "models": rows}, free=True)
    assert [charge.model for charge in charges] == ["gpt-transcribe", "gpt-4o-mini", "tts-1", "unheard-of"]
    assert [charge.cost_usd for charge in charges] == [
        pytest.approx(0.0027), pytest.approx(0.00021), pytest.approx(0.003), None
    ]  # fmt: skip


def test_what_this_machine_makes_beside_paid_models_is_free_and_an_empty_bill_is_an_unknown_one():
    rows = [
        {"model": "gpt-4o-mini", "input_tokens": 1000, "cached_tokens": 400, "output_tokens": 0},
        {"model": "tts-1"},
    ]
    chat, voice = reply_charges("mrblue-local", {"input_tokens": 1000, "models": rows}, free=True)
    assert (chat.cached_input, chat.cost_usd) == (400, pytest.approx((600 * 0.15 + 400 * 0.075) / 1e6))
    assert (voice.model, voice.cost_nano) == ("tts-1", None)
    told = {"type": "duration", "seconds": 3, "models": [{"model": "whisper-1", "seconds": 10}]}
    (heard,) = transcription_charges("", told)
    assert (heard.kind, heard.cost_usd) == (ChargeKind.TRANSCRIPTION, pytest.approx(0.001))


def test_a_transcription_is_billed_by_time_or_by_tokens():
    (by_time,) = transcription_charges("gpt-transcribe", {"type": "duration", "seconds": 40})
    assert (by_time.kind, by_time.seconds, by_time.cost_usd) == (ChargeKind.TRANSCRIPTION, 40.0, pytest.approx(0.003))
    (by_tokens,) = transcription_charges(
        "gpt-4o-transcribe", {"type": "tokens", "input_tokens": 100, "output_tokens": 10}
    )
    assert (by_tokens.audio_input, by_tokens.text_output) == (100, 10)
    assert by_tokens.cost_nano == round((100 * 6 + 10 * 10) / 1e6 * NANO)
    assert transcription_charges("gpt-transcribe", {"type": "duration"}) == ()
    (unknown,) = transcription_charges("", {"type": "duration", "seconds": 40})
    assert unknown.cost_nano is None


def test_reading_for_the_first_time_has_a_price_only_for_known_models():
    assert as_input_nano(REALTIME, text_tokens=10, audio_tokens=100) == round((10 * 4 + 100 * 32) / 1e6 * NANO)
    assert as_input_nano("unheard-of", text_tokens=10, audio_tokens=100) == 0


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.integers(), max_size=2),
    st.integers(0, 3000), st.floats(0, 3000),
)  # fmt: skip
NAMES = ("text_tokens", "audio_tokens", "image_tokens", "cached_tokens", "reasoning_tokens")
PARTS = st.dictionaries(st.sampled_from(NAMES), ODD)
DETAILS = st.builds(lambda parts, cached: {**parts, "cached_tokens_details": cached}, PARTS, st.one_of(PARTS, ODD))
TOTALS = st.dictionaries(st.sampled_from(["input_tokens", "output_tokens", "seconds", "characters"]), ODD)
USAGE = st.builds(
    lambda totals, given, made: {**totals, "input_token_details": given, "output_token_details": made},
    TOTALS, st.one_of(DETAILS, ODD), st.one_of(PARTS, ODD),
)  # fmt: skip
MODELS = st.sampled_from([REALTIME, "gpt-realtime-2.1-mini", "gpt-4o-transcribe", "gpt-transcribe", "tts-1", "", "x"])


def sane(charge: Charge):
    parts = (charge.text_input, charge.audio_input, charge.image_input, charge.text_output, charge.audio_output)
    assert all(isinstance(part, int) and 0 <= part <= 2 * MOST_TOKENS for part in parts)
    assert charge.input_tokens + charge.output_tokens == sum(parts)
    assert 0 <= charge.cached_input <= charge.input_tokens
    assert charge.cost_nano is None or 0 <= charge.cost_nano < 2**63


@given(MODELS, st.one_of(USAGE, ODD), st.booleans())
def test_whatever_a_server_says_no_charge_is_negative_or_absurd(model, usage, free):
    for charge in (*reply_charges(model, usage, free=free), *transcription_charges(model, usage, free=free)):
        sane(charge)
        if free:
            assert charge.cost_nano == 0


@given(
    MODELS, st.lists(st.one_of(st.builds(lambda usage, model: {**usage, "model": model}, USAGE, ODD), ODD), max_size=20)
)
def test_hostile_lists_of_models_are_billed_sanely(model, rows):
    charges = reply_charges(model, {"models": rows})
    assert len(charges) <= 16
    for charge in charges:
        sane(charge)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_caching_never_makes_it_dearer(text, audio, cached):
    fresh = {"input_token_details": {"text_tokens": text, "audio_tokens": audio}}
    known = {"input_token_details": {**fresh["input_token_details"], "cached_tokens": cached}}
    cheap, dear = reply_charges(REALTIME, known), reply_charges(REALTIME, fresh)
    assert sum(charge.cost_nano for charge in cheap) <= sum(charge.cost_nano for charge in dear)
