"""Microphone and speaker through programs: small scripts stand in for the sound server's own."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.core.errors import DeviceError, MissingPart
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.voice.pipes import PipeMicrophone, PipeSpeaker, PipeTool, find_tools

KEY = AudioKey("r", "i", 0)


def script(code, *arguments):
    return PipeTool(sys.executable, ("-c", code, *arguments), "--device={}")


def until(met, seconds=10.0):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def test_the_first_program_that_is_installed_comes_first():
    installed = {"pw-record", "arecord", "aplay"}
    found = find_tools("input", lambda name: name if name in installed else None)
    assert [tool.program for tool in found] == ["pw-record", "arecord"]
    with pytest.raises(MissingPart, match="none of pacat"):
        find_tools("output", lambda _: None)


def test_a_device_is_passed_on():
    (tool, *_) = find_tools("output", lambda name: name)
    assert tool.command("usb")[:2] == ["pacat", "--device=usb"]
    assert "--device" not in " ".join(tool.command())


def test_what_a_program_hears_arrives_whole_whatever_the_pieces():
    # 4 s of a ramp in pieces of odd length.
    code = (
        "import sys,struct,time\n"
        "data=b''.join(struct.pack('<h', n % 30000) for n in range(48000 // 2))\n"
        "for at in range(0, len(data), 333): sys.stdout.buffer.write(data[at:at+333]); sys.stdout.flush()\n"
        "time.sleep(60)\n"
    )
    microphone = PipeMicrophone(script(code), "mic")
    microphone.open()
    got = []
    until(lambda: got.append(microphone.read()) or sum(map(len, got)) >= 24_000)
    assert np.array_equal(np.concatenate(got), np.arange(24_000) % 30_000)
    assert microphone.active
    assert microphone.blocks_heard > 0
    assert microphone.lost_samples == 0
    microphone.close()
    microphone.close()
    assert not microphone.active


@pytest.mark.parametrize("kind", [PipeMicrophone, PipeSpeaker])
class TestBoth:
    def test_a_program_that_ends_at_once_is_told_with_its_last_words(self, kind):
        code = "import sys; sys.exit('pa_context_connect() failed: Connection refused')"
        with pytest.raises(DeviceError, match="Connection refused") as caught:
            kind(script(code)).open()
        assert caught.value.hint

    def test_a_program_that_is_not_there(self, kind):
        with pytest.raises(DeviceError, match="No such file"):
            kind(PipeTool("no-such-program-at-all", (), "")).open()

    def test_one_that_dies_later_is_noticed_and_its_end_is_clean(self, kind):
        port = kind(script("import time; time.sleep(0.6)"))
        port.open()
        assert port.active
        until(lambda: not port.active)
        port.close()
        assert port.pid is None

    def test_one_that_will_not_end_is_ended(self, kind):
        code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        port = kind(script(code))
        port.open()
        process = port._child.process
        port.close()
        assert process.returncode is not None


def test_a_reply_goes_to_the_program_at_its_pace_with_silence_around_it(tmp_path):
    # Takes 20 ms of sound every 10 ms, as a device that runs twice as fast would.
    code = (
        "import sys,time\n"
        "with open(sys.argv[1], 'wb', buffering=0) as out:\n"
        "    while data := sys.stdin.buffer.raw.read(960): out.write(data); time.sleep(0.01)\n"
    )
    heard = tmp_path / "heard.raw"
    speaker = PipeSpeaker(script(code, str(heard)))
    speaker.open()
    until(lambda: speaker.blocks_taken > 3)
    speaker.play(KEY, np.full(RATE // 2, 8000, dtype="<i2").tobytes())
    speaker.finish(KEY)
    done = []

    def over():
        speaker.pump()
        done.extend(speaker.heard_out())
        return bool(done)

    until(over)
    assert 0.04 <= speaker.latency_seconds <= 0.2
    # Never more than the pipe holds is ahead of the program.
    handed = speaker.blocks_taken
    until(lambda: speaker.blocks_taken > handed + 10)
    speaker.close()
    pcm = np.frombuffer(heard.read_bytes()[: heard.stat().st_size // 2 * 2], dtype="<i2")
    loud = np.flatnonzero(pcm)
    assert len(loud) == pytest.approx(RATE // 2, abs=10)
    assert loud[-1] - loud[0] == pytest.approx(RATE // 2, abs=10)
    assert done == [KEY]


def test_a_program_that_takes_nothing_is_seen_to_stand_still():
    speaker = PipeSpeaker(script("import time; time.sleep(60)"))
    speaker.open()
    until(lambda: speaker.blocks_taken >= 4)
    speaker._thread.join(0.2)
    # The pipe is full: 4096 bytes are four blocks and a piece of the fifth.
    assert speaker.blocks_taken == 4
    speaker.close()
