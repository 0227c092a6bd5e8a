"""Speech against a room: the bundled spoken question in silence, in noise, and after a muted microphone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import BLOCK, RATE, to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.segmenter import Segmenter, SpeechBegan, SpeechEnded
from mrblue_cli.audio.vad import NoiseFloor, WebRtcDetector
from mrblue_cli.audio.wav import parse_wav

WAV = parse_wav((Path(__file__).parent.parent.parent / "mrblue_cli/data/question.wav").read_bytes(), "question.wav")
QUESTION = convert(WAV.samples, WAV.rate, RATE)
QUESTION_RMS = float(np.sqrt(np.mean(QUESTION**2)))


def zeros(seconds):
    return np.zeros(int(seconds * RATE), dtype=np.float32)


def hiss(seconds, level):
    return (np.random.default_rng(7).normal(0, level, int(seconds * RATE))).astype(np.float32)


def rumble(seconds, level):
    """Noise as of a fan: more of it the lower, as far down as a microphone hears."""
    walk = np.cumsum(np.random.default_rng(7).normal(0, 1, int(seconds * RATE)))
    walk -= np.convolve(walk, np.ones(200) / 200, "same")
    return (walk * (level / np.sqrt(np.mean(walk**2)))).astype(np.float32)


NOISES = pytest.mark.parametrize("noise", [hiss, rumble])


def blocks_of(sound):
    pcm = to_pcm(sound)
    return [pcm[start : start + BLOCK] for start in range(0, len(pcm) - BLOCK + 1, BLOCK)]


def turns(sound, detector=None, threshold=0.5):
    """(began, ended) in seconds for each turn that ended."""
    detector = detector or WebRtcDetector(threshold)
    segmenter, found, began = Segmenter(), [], 0.0
    for block in blocks_of(sound):
        for boundary in segmenter.feed(detector.is_speech(block)):
            if isinstance(boundary, SpeechBegan):
                began = boundary.at_sample / RATE
            elif isinstance(boundary, SpeechEnded):
                found.append((began, boundary.speech_end_sample / RATE))
    assert not segmenter.talking, "a turn that never ended"
    return found


def test_one_question_in_silence_is_one_turn():
    ((began, ended),) = turns(np.concatenate((zeros(1), QUESTION, zeros(2))))
    assert began == pytest.approx(1.05, abs=0.15)
    assert ended == pytest.approx(1.0 + len(QUESTION) / RATE, abs=0.4)


@NOISES
@pytest.mark.parametrize("snr_db", [30, 20, 15])
def test_one_question_in_a_noisy_room_is_one_turn(noise, snr_db):
    level = QUESTION_RMS * 10 ** (-snr_db / 20)
    sound = np.concatenate((zeros(4), QUESTION, zeros(2)))
    ((began, ended),) = turns(sound + noise(20, level)[: len(sound)])
    assert began == pytest.approx(4.05, abs=0.3)
    assert ended == pytest.approx(4.0 + len(QUESTION) / RATE, abs=0.5)


def test_speech_from_the_very_first_block_counts():
    sound = np.concatenate((QUESTION[int(0.1 * RATE) :], zeros(2)))
    ((began, _),) = turns(sound + hiss(20, QUESTION_RMS / 30)[: len(sound)])
    assert began < 0.2


@NOISES
@pytest.mark.parametrize("level", [0.003, 0.01, 0.03])
def test_a_room_that_comes_back_after_a_muted_microphone_is_no_speech(noise, level):
    detector = WebRtcDetector()
    for block in blocks_of(noise(5, level)):
        detector.is_speech(block)
    assert turns(np.concatenate((zeros(4), noise(6, level))), detector) == []


@NOISES
def test_a_fan_that_starts_is_known_within_seconds(noise):
    sound = np.concatenate((hiss(3, 0.001), noise(10, 0.01)))
    judged = [
        detector_says for detector in [WebRtcDetector()] for detector_says in map(detector.is_speech, blocks_of(sound))
    ]
    late = judged[(3 + 4) * 50 :]
    assert sum(late) <= len(late) * 0.05


@pytest.mark.parametrize("sound", [zeros(4), hiss(4, 0.0006), rumble(4, 0.002)], ids=["zeros", "hiss", "rumble"])
def test_a_quiet_room_is_no_speech(sound):
    assert not any(map(WebRtcDetector().is_speech, blocks_of(sound)))


def test_a_higher_threshold_asks_for_louder_speech():
    faint = np.concatenate((zeros(1), QUESTION * (0.004 / QUESTION_RMS), zeros(2)))
    counts = [sum(map(WebRtcDetector(threshold).is_speech, blocks_of(faint))) for threshold in (0.0, 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 20
    assert counts[-1] == 0


def test_reset_forgets_the_room():
    detector = WebRtcDetector()
    for block in blocks_of(hiss(5, QUESTION_RMS)):
        detector.is_speech(block)
    first_second = blocks_of(QUESTION[:RATE] + hiss(1, QUESTION_RMS))
    drowned = sum(map(detector.is_speech, first_second))
    detector.reset()
    assert sum(map(detector.is_speech, first_second)) > drowned + 10


@given(st.lists(st.floats(-96, 0), min_size=1, max_size=400))
def test_the_floor_is_a_level_that_was_there(levels):
    floor = NoiseFloor()
    for number, level in enumerate(levels):
        found = floor.follow(level)
        window = [heard for heard in levels[: number + 1] if heard > -90]
        assert -75 <= found <= 0
        if window:
            assert found >= max(-75, min(*window, -42))
            assert found <= max(-75, min(0.0, *window[-25:]))


def test_the_floor_forgets_what_was_quiet_long_ago():
    floor = NoiseFloor()
    for level in [-70.0] * 100:
        assert floor.follow(level) == -70
    heard = [floor.follow(-40.0) for _ in range(200)]
    assert heard[0] == -70
    assert heard[-1] == -40
    assert heard.index(-40) in range(2 * 50, 4 * 50)
