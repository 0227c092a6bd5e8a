"""Real PortAudio in a room where the loudspeaker reaches the microphone: no reply cuts itself, a person does."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager

import pytest

from tests.sound.server import missing, running_room
from tests.sound.test_room import QUESTION, Program

pytestmark = [pytest.mark.sound, pytest.mark.speech, pytest.mark.xdist_group("sound")]


@contextmanager
def echoing_room(delay_ms=60, percent=50):
    """The loudspeaker is heard by the microphone after `delay_ms`, at half its amplitude (-6 dB)."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with running_room() as room:
        room.pactl(
            "load-module", "module-loopback", "source=speaker.monitor", "sink=room_mic", f"latency_msec={delay_ms}"
        )
        (loop,) = json.loads(room.pactl("-f", "json", "list", "sink-inputs"))
        # PulseAudio's percentages are cubic: 79 % is an amplitude of a half.
        room.pactl("set-sink-input-volume", str(loop["index"]), f"{round(100 * (percent / 100) ** (1 / 3))}%")
        yield room


def is_turn(event):
    return event["type"] == "turn"


def test_it_answers_without_interrupting_itself_and_a_person_gets_through():
    with echoing_room() as room:
        program = Program(room, route="speakers")
        program.state("listening")
        program.type("jwt expired")
        program.state("speaking")
        before = len(program.events)
        time.sleep(5.0)  # it speaks, the room answers; the canceller has learnt it after three seconds
        with room.saying(QUESTION) as question:
            began = time.monotonic()
            program.state("hearing you")
            took = time.monotonic() - began
            cut = program.until(lambda event: event.get("heard_ms") is not None)
            final = program.until(lambda event: event["type"] == "user_transcript" and event["final"])
            question.wait(30)
        code, error = program.quit()
    assert code == 0, error
    # Had it interrupted itself, the reply would have been cut before the person spoke.
    assert cut["heard_ms"] > 4500
    heard = {event["item_id"] for event in program.events[before:] if event["type"] == "user_transcript"}
    assert heard == {final["item_id"]}
    assert "address already in use" in final["text"].lower()
    # The player and the sound server take their part of it.
    assert took < 2.0
    assert not any(event["type"] == "error" for event in program.events)


def test_half_duplex_hears_neither_itself_nor_a_person_over_it():
    with echoing_room() as room:
        program = Program(room, route="speakers", echo="half-duplex")
        program.state("listening")
        program.type("jwt expired")
        program.state("speaking")
        time.sleep(1.0)  # over the middle of the reply, which is four times as long as the question
        with room.saying(QUESTION) as question:
            question.wait(30)
        program.until(is_turn)
        program.state("listening")
        code, error = program.quit()
    assert code == 0, error
    assert [event["text"] for event in program.events if event["type"] == "user_transcript"] == ["jwt expired"]
    assert not any(event.get("heard_ms") for event in program.events)
