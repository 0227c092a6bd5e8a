"""Real devices that come and go in a virtual room: the talk goes on, and sound comes out where it should."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.sound.server import missing, running_room
from tests.sound.test_room import QUESTION, levels

_NOW = "(now come out of|heard again through) '{}'"
"""A sound server moves a stream to another device, or ends it."""
_LIMIT_SECONDS = 45
pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]


@pytest.fixture
def room():
    """A room of its own: it is torn down and built again here."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with running_room() as made:
        yield made


class Talk:
    """`tests.sound.live_devices` in the room."""

    def __init__(self, room, backend="auto"):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sound.live_devices", backend],
            env=room.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip
        # What is waited for must come: without it the reading of lines would wait for ever.
        self.limit = threading.Timer(_LIMIT_SECONDS, self.process.kill)
        self.limit.start()

    def until(self, *wanted):
        """Read lines until each of these patterns was told, in any order."""
        open_ = set(wanted)
        for line in self.process.stdout:
            event = json.loads(line)
            self.lines.append(event["text"])
            open_ -= {words for words in open_ if re.search(words, event["text"])}
            if not open_:
                return
        raise AssertionError(f"it ended without {open_}: {self.lines[-5:]} {self.process.stderr.read()[-2000:]}")

    def say(self, text):
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def quit(self):
        self.process.stdin.close()
        self.lines += [json.loads(line)["text"] for line in self.process.stdout]
        code = self.process.wait(20)
        self.limit.cancel()
        error = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        assert code == 0, error
        assert "Ended(reason='quit')" in self.lines[-1]


def seconds_of_sound(path):
    return (levels(path) > 500).sum() * 0.01


@pytest.mark.parametrize("backend", ["auto", "pipes"])
def test_a_sound_server_that_dies_in_a_reply_and_comes_back(room, tmp_path, backend):
    talk = Talk(room, backend)
    talk.until("listening")
    talk.say("tell me")
    talk.until("speaking")
    time.sleep(1)
    room.stop()
    talk.until("microphone '", "speaker '")
    room.start()
    with room.recording(tmp_path / "after.raw"):
        talk.until("listening again through", "heard again through")
        time.sleep(1.5)
    # The reply goes on on the new server's speaker, and the microphone hears.
    assert seconds_of_sound(tmp_path / "after.raw") > 0.5
    with room.saying(QUESTION):
        talk.until("hearing you")
    talk.quit()
    assert len([line for line in talk.lines if "is gone" in line]) == 2


@pytest.mark.parametrize("backend", ["auto", "pipes"])
def test_sound_follows_the_default_and_outlives_a_device_that_is_unplugged(room, tmp_path, backend):
    room.pactl("load-module", "module-null-sink", "sink_name=headphones", "rate=24000", "channels=1")
    talk = Talk(room, backend)
    talk.until("listening")
    talk.say("tell me")
    talk.until("speaking")
    with room.recording(tmp_path / "first.raw", "headphones.monitor"):
        room.pactl("set-default-sink", "headphones")
        talk.until(_NOW.format("headphones"))
        time.sleep(1)
    assert seconds_of_sound(tmp_path / "first.raw") > 0.5
    (module,) = [
        line.split()[0] for line in room.pactl("list", "short", "modules").splitlines() if "headphones" in line
    ]
    room.pactl("unload-module", module)
    room.pactl("set-default-sink", "speaker")
    with room.recording(tmp_path / "second.raw"):
        talk.until(_NOW.format("speaker"))
        time.sleep(1)
    assert seconds_of_sound(tmp_path / "second.raw") > 0.5
    talk.quit()
