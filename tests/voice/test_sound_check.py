"""What doctor tells about each way in which a device can fail or work."""

from __future__ import annotations

import pytest

from mrblue_cli.core.errors import MissingPart
from mrblue_cli.voice.sound_check import SoundCheck
from mrblue_cli.voice.sound_server import SoundServer
from mrblue_cli.voice.sound_system import SoundSystem
from tests.fakes.clock import ManualClock
from tests.fakes.portaudio import FakeDevice, FakePortAudio
from tests.fakes.sound_server import NOWHERE


def system(load):
    return lambda wanted: SoundSystem(
        wanted_input=wanted, wanted_output=wanted, load=load, server=SoundServer(lambda _: None, NOWHERE),
        find=lambda _: None,
    )  # fmt: skip


def check(*devices, first_after=0.0, status=False):
    """A check on fake devices, whose time passes while it waits; sound begins to flow after a while."""
    fake, clock = FakePortAudio(*devices), ManualClock()

    def pause(seconds):
        clock.advance(seconds)
        if clock.now() >= first_after:
            fake.flow(seconds, status)

    return SoundCheck(system(fake), clock=clock, pause=pause), fake


def test_a_working_microphone_tells_when_and_how_loud():
    checker, fake = check(FakeDevice("Built-in", inputs=1, hears=0.1), first_after=0.5)
    report = checker.microphone()
    assert (report.ok, report.device, report.hint) == (True, "Built-in (through portaudio)", "")
    assert report.detail == "first sound after 0.5 s, level -20 dBFS"
    assert fake.streams == []


def test_a_silent_microphone_works_but_is_worth_a_hint():
    report = check(FakeDevice("Built-in", inputs=1, hears=0.0))[0].microphone()
    assert report.ok
    assert "silent" in report.detail
    assert "muted" in report.hint


def test_a_microphone_that_gives_nothing():
    checker, fake = check(FakeDevice("Virtual", inputs=1, works=False))
    report = checker.microphone()
    assert not report.ok
    assert (report.device, report.detail) == ("Virtual (through portaudio)", "opens, but gives no sound")
    assert "--input-device" in report.hint
    assert fake.streams == []


def test_a_working_speaker_plays_the_whole_tone_and_waits_for_its_end():
    checker, fake = check(FakeDevice("USB headset", outputs=2))
    heard = []
    close = fake.OutputStream

    def keeping(**options):
        heard.append(close(**options))
        return heard[0]

    fake.OutputStream = keeping
    report = checker.speaker()
    assert (report.ok, report.detail) == (True, "a tone was played; taken for headphones")
    assert (abs(heard[0].sound) > 100).sum() > 0.2 * heard[0].rate
    assert fake.streams == []


def test_a_speaker_that_takes_nothing():
    report = check(FakeDevice("Virtual", outputs=2, works=False))[0].speaker()
    assert (report.ok, report.detail) == (False, "opens, but takes no sound")
    assert "--output-device" in report.hint


def test_sound_dropped_by_a_busy_machine_is_told():
    checker, _ = check(FakeDevice("A", inputs=1, outputs=2), status=True)
    assert "the system dropped sound" in checker.microphone().detail
    assert "the system dropped sound" in checker.speaker().detail


@pytest.mark.parametrize("method", ["microphone", "speaker"])
class TestBoth:
    def test_a_device_that_is_absent_is_replaced_and_told(self, method):
        report = getattr(check(FakeDevice("A", inputs=1, outputs=2))[0], method)("AirPods")
        assert report.ok
        assert report.device == "A (through portaudio)"
        assert "no " in report.detail
        assert "matches 'AirPods'; using A" in report.detail

    def test_a_busy_device(self, method):
        busy = FakeDevice("A", inputs=1, outputs=2, start_error="Error starting stream: Device unavailable [-9985]")
        report = getattr(check(busy)[0], method)("A")
        assert not report.ok
        assert "cannot be opened" in report.detail
        assert "another program" in report.hint

    def test_no_device(self, method):
        report = getattr(check()[0], method)()
        assert not report.ok
        assert report.detail.startswith("no ")

    def test_no_sound_library(self, method):
        def load():
            raise MissingPart("PortAudio, the sound library, is not installed", hint="install it with: …")

        report = getattr(SoundCheck(system(load)), method)()
        assert (report.ok, report.hint) == (False, "install it with: …")

    def test_the_default_is_tried_when_the_named_one_does_not_work(self, method):
        broken = FakeDevice("USB", inputs=1, outputs=2, works=False)
        report = getattr(check(FakeDevice("A", inputs=1, outputs=2), broken)[0], method)("USB")
        assert (report.ok, report.device) == (True, "A (through portaudio)")
        assert "instead of: opens, but" in report.detail
        assert "'USB' cannot be used; using A" in report.detail
