"""Each mark lands in the turn it belongs to."""

from __future__ import annotations

from mrblue_cli.voice.ports import Losses
from mrblue_cli.voice.turn_times import TurnTimes


def test_a_spoken_turn_from_speech_end_to_first_sample():
    times = TurnTimes()
    times.speech_heard(1000)
    times.speech_heard(1500)
    times.committed(2000, spoken=True)
    times.audio_received(2100)
    times.audio_received(2150)
    times.sample_played(2230)
    times.sample_played(2300)
    times.used({"total_tokens": 7})
    record = times.finish(underruns=2, cost_usd=0.01)
    assert record is not None
    assert (record.speech_end_ms, record.commit_ms) == (1500, 2000)
    assert (record.first_audio_ms, record.first_sample_ms) == (2100, 2230)
    assert record.latency_ms == 730
    assert (record.underruns, record.usage, record.cost_usd) == (2, {"total_tokens": 7}, 0.01)


def test_typed_text_has_no_speech_end_and_is_measured_from_its_commit():
    times = TurnTimes()
    times.speech_heard(100)
    times.committed(400, spoken=False)
    times.sample_played(900)
    record = times.finish(underruns=0)
    assert record is not None
    assert record.speech_end_ms is None
    assert record.latency_ms == 500


def test_speech_over_the_reply_belongs_to_the_next_turn():
    times = TurnTimes()
    times.speech_heard(100)
    times.committed(600, spoken=True)
    times.speech_heard(1500)
    times.stopped(40)
    first = times.finish(underruns=0)
    times.committed(2100, spoken=True)
    second = times.finish(underruns=0)
    assert first is not None
    assert second is not None
    assert (first.speech_end_ms, first.barge_in_stop_ms) == (100, 40)
    assert (second.speech_end_ms, second.barge_in_stop_ms) == (1500, None)


def test_underruns_are_counted_per_turn_from_the_running_total():
    times = TurnTimes()
    times.committed(1, spoken=False)
    first = times.finish(underruns=3)
    times.committed(2, spoken=False)
    second = times.finish(underruns=4)
    assert first is not None
    assert second is not None
    assert (first.underruns, second.underruns) == (3, 1)


def test_what_the_microphone_lost_counts_once_and_another_device_begins_at_nothing():
    times = TurnTimes()
    found = []
    for losses in (Losses(2, 9), Losses(2, 9), Losses(3, 10), Losses(1, 4)):
        times.committed(1, spoken=True)
        record = times.finish(underruns=0, losses=losses)
        found.append((record.overruns, record.dropped_chunks))
    assert found == [(2, 9), (0, 0), (1, 1), (1, 4)]


def test_replies_of_one_turn_are_added_up_whatever_they_hold():
    times = TurnTimes()
    times.committed(1, spoken=False)
    times.used({"total_tokens": 10, "input_token_details": {"text_tokens": 4, "cached": {"deep": 1}}, "x": "word"})
    more = {"text_tokens": 3, "cached": {"deep": 2}}
    times.used({"total_tokens": 5, "input_token_details": more, "x": None, "y": True})
    times.used({"total_tokens": "many", "input_token_details": None})
    times.used(None)
    assert times.finish(underruns=0).usage == {
        "total_tokens": "many",
        "input_token_details": {"text_tokens": 7, "cached": {"deep": 3}},
        "x": "word",
        "y": True,
    }


def test_without_a_turn_there_is_no_record():
    times = TurnTimes()
    times.audio_received(5)
    times.sample_played(6)
    assert times.finish(underruns=0) is None
    assert not times.is_open


def test_a_reply_never_heard_has_no_latency():
    times = TurnTimes()
    times.committed(10, spoken=False)
    record = times.finish(underruns=0)
    assert record is not None
    assert record.latency_ms is None
