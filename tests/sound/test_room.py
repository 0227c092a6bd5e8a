"""Real PortAudio in a virtual room: the program hears, answers aloud, and falls silent when it is spoken over."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.wav import wav_header
from tests.sound.server import missing, running_room
from tests.speech_models import cache_folder

QUESTION = Path(__file__).parent.parent.parent / "mrblue_cli" / "data" / "question.wav"
pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]


@pytest.fixture
def room():
    """A room of its own for each test: what one test does to a server is nothing to the next."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with running_room() as made:
        yield made
        assert made.alive(), f"the sound server ended: {made.log.read_text()[-2000:]}"


class Program:
    """`mrblue talk --headless --json` on the room's devices."""

    def __init__(self, room, *args, **talk):
        self.events = []
        settings = {f"MRBLUE_TALK_{name.upper()}": value for name, value in {"route": "headphones", **talk}.items()}
        env = {**room.env, "MRBLUE_ENGINE_CACHE_FOLDER": str(cache_folder()), **settings}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sound.live", *args],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip

    def until(self, met):
        """Read events up to the first that meets the condition."""
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if met(event):
                return event
        raise AssertionError(f"the program ended: {self.events[-3:]} {self.process.stderr.read()}")

    def type(self, text):
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def state(self, word):
        return self.until(lambda event: event.get("state") == word)

    def quit(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        self.events += [json.loads(line) for line in rest.splitlines()]
        code = self.process.wait(20)
        error = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, error


def levels(path, block_ms=10):
    """Root mean square of each block of a recording."""
    pcm = np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], dtype="<i2").astype(np.float64)
    size = RATE * block_ms // 1000
    return np.sqrt(np.mean(pcm[: len(pcm) // size * size].reshape(-1, size) ** 2, axis=1))


@pytest.mark.speech
def test_it_hears_the_microphone_and_answers_aloud(room, tmp_path):
    heard = tmp_path / "heard.raw"
    program = Program(room)
    program.state("listening")
    with room.recording(heard):
        time.sleep(0.5)  # the recorder needs a moment; nothing is measured
        with room.saying(QUESTION) as question:
            question.wait(30)
        turn = program.until(lambda event: event["type"] == "turn")
    code, error = program.quit()
    assert code == 0, error
    final = next(event for event in program.events if event["type"] == "user_transcript" and event["final"])
    assert "address already in use" in final["text"].lower()
    assert any(event["type"] == "kb_hit" and event["id"] == "node/port-in-use" for event in program.events)
    assert turn["underruns"] == 0
    loud = levels(heard) > 100
    assert loud.sum() * 0.01 > 4.0, "the reply was not heard at the speaker"


@pytest.mark.speech
def test_speaking_over_it_leaves_silence_and_the_heard_part(room, tmp_path):
    heard = tmp_path / "heard.raw"
    program = Program(room)
    program.state("listening")
    with room.recording(heard):
        time.sleep(0.5)
        with room.saying(QUESTION) as question:
            question.wait(30)
        program.state("speaking")
        time.sleep(1.5)  # let it speak a little before it is interrupted
        with room.saying(QUESTION) as speaking:
            cut = program.until(lambda event: event.get("heard_ms") is not None)
            first = program.until(lambda event: event["type"] == "turn")
            speaking.wait(30)
        program.until(lambda event: event["type"] == "turn")
    code, error = program.quit()
    assert code == 0, error
    assert 500 < cut["heard_ms"] < 6000
    assert first["barge_in_stop_ms"] <= 100
    # From the cut to the next reply, which is at least the rest of the question and the end-of-turn silence away,
    # the speaker is silent: one stretch of a second or more of nothing between two loud ones.
    loud = levels(heard) > 100
    starts = np.flatnonzero(np.diff(loud.astype(int)) == 1)
    ends = np.flatnonzero(np.diff(loud.astype(int)) == -1)
    gaps = [start - end for end in ends for start in starts if start > end and not loud[end + 1 : start].any()]
    assert max(gaps) * 0.01 >= 1.0


def test_a_tone_arrives_whole_and_stops_at_once(room, tmp_path):
    heard = tmp_path / "tone.raw"
    code = (
        "import time, numpy as np\n"
        "from mrblue_cli.voice.devices import choose_device\n"
        "from mrblue_cli.voice.speakers import DeviceSpeaker\n"
        "from mrblue_cli.protocol.notices import AudioKey\n"
        "speaker = DeviceSpeaker(choose_device('output', None)[0]); speaker.open()\n"
        "key = AudioKey('r', 'i', 0)\n"
        "tone = (np.sin(np.arange(24000 * 5) * 0.1) * 8000).astype('<i2').tobytes()\n"
        "speaker.play(key, tone); speaker.finish(key)\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end: speaker.pump(); time.sleep(0.005)\n"
        "played = speaker.stop()[0]\n"
        "end = time.monotonic() + 1.0\n"
        "while time.monotonic() < end: speaker.pump(); time.sleep(0.005)\n"
        "speaker.close(); print(played.played_ms, played.complete)\n"
    )
    with room.recording(heard):
        time.sleep(0.5)
        done = subprocess.run([sys.executable, "-c", code], env=room.env, capture_output=True, text=True, check=True)
    played_ms, complete = done.stdout.split()
    assert complete == "False"
    loud = np.flatnonzero(levels(heard) > 500)
    sounded_ms = (loud[-1] - loud[0] + 1) * 10
    # What we say was heard and what the room heard agree within the output's latency.
    assert abs(sounded_ms - int(played_ms)) <= 150
    assert sounded_ms < 2000


def test_a_tone_that_is_held_goes_on_and_loses_nothing(room, tmp_path):
    heard = tmp_path / "held.raw"
    code = (
        "import time, numpy as np\n"
        "from mrblue_cli.voice.devices import choose_device\n"
        "from mrblue_cli.voice.speakers import DeviceSpeaker\n"
        "from mrblue_cli.protocol.notices import AudioKey\n"
        "speaker = DeviceSpeaker(choose_device('output', None)[0]); speaker.open()\n"
        "key = AudioKey('r', 'i', 0)\n"
        "def run(seconds, met=lambda: False):\n"
        "    end = time.monotonic() + seconds\n"
        "    while time.monotonic() < end and not met(): speaker.pump(); time.sleep(0.005)\n"
        "tone = (np.sin(np.arange(24000 * 2) * 0.1) * 8000).astype('<i2').tobytes()\n"
        "speaker.play(key, tone); speaker.finish(key)\n"
        # A fresh output may take a second or two before it takes anything.
        "run(15, lambda: speaker.samples_taken > 24000); speaker.pause(); run(0.8); speaker.resume()\n"
        "over = []; run(15, lambda: over.extend(speaker.heard_out()) or over)\n"
        "run(0.5); speaker.close(); print(len(over), speaker.underruns)\n"
    )
    with room.recording(heard):
        time.sleep(0.5)
        done = subprocess.run([sys.executable, "-c", code], env=room.env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
    loud = levels(heard) > 500
    places = np.flatnonzero(loud)
    gaps = np.diff(places)
    assert np.count_nonzero(gaps > 30) == 1
    assert 600 <= (gaps.max() - 1) * 10 <= 2000
    # All of the tone, and the fade twice.
    assert 1950 <= len(places) * 10 <= 2100


def test_a_second_of_microphone_is_a_second(room, tmp_path):
    tone = (np.sin(np.arange(24_000 * 4) * 0.2) * 8000).astype("<i2")
    wav = tmp_path / "tone.wav"
    wav.write_bytes(wav_header(len(tone)) + tone.tobytes())
    code = (
        "import time\n"
        "from mrblue_cli.voice.devices import choose_device\n"
        "from mrblue_cli.voice.microphones import DeviceMicrophone\n"
        "microphone = DeviceMicrophone(choose_device('input', None)[0]); microphone.open()\n"
        "while microphone.blocks_heard == 0: time.sleep(0.01)\n"
        "microphone.read(); got = 0; blocks = microphone.blocks_heard; loud = 0\n"
        "end = time.monotonic() + 2.0\n"
        "while time.monotonic() < end:\n"
        "    pcm = microphone.read(); got += len(pcm); loud += int((abs(pcm) > 1000).sum()); time.sleep(0.02)\n"
        "print(got, microphone.blocks_heard - blocks, microphone.lost_samples, loud); microphone.close()\n"
    )
    with room.saying(wav):
        done = subprocess.run([sys.executable, "-c", code], env=room.env, capture_output=True, text=True, check=True)
    got, blocks, lost, loud = map(int, done.stdout.split())
    assert got == pytest.approx(48_000, rel=0.1)
    assert blocks == pytest.approx(100, rel=0.15)
    assert lost == 0
    assert loud > 10_000


def test_doctor_opens_both_devices(room):
    done = subprocess.run(
        [sys.executable, "-m", "mrblue_cli", "doctor", "--json"],
        env=room.env,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert found["microphone"]["ok"], found["microphone"]
    assert found["speaker"]["ok"], found["speaker"]


@pytest.mark.speech
def test_a_sound_server_that_dies_leaves_text(tmp_path):
    reason = missing()
    if reason:
        pytest.skip(reason)
    with running_room() as room:
        program = Program(room)
        program.state("listening")
        room.stop()
        program.until(lambda event: event["type"] == "error" and event["code"] == "device")
        program.process.stdin.write("jwt expired\n")
        program.process.stdin.flush()
        program.until(lambda event: event["type"] == "assistant_transcript")
        code, error = program.quit()
    assert code == 0
    assert "is gone" in error
