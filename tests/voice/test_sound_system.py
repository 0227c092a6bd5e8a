"""Which ways to a microphone and a speaker are tried, and in which order."""

from __future__ import annotations

import os

import pytest

from mrblue_cli.audio.gate import Route
from mrblue_cli.core.errors import ComponentError, DeviceError, MissingPart
from mrblue_cli.voice.device_watch import Side
from mrblue_cli.voice.sound_system import SUBSTITUTE, SoundSystem
from tests.fakes.portaudio import FakeDevice, FakePortAudio
from tests.fakes.sound_server import FakePulse

MIC, SPEAKER = Side.MICROPHONE, Side.SPEAKER
BUILT_IN = FakeDevice("Built-in", inputs=1, outputs=2)
USB = FakeDevice("USB headset", inputs=1, outputs=2)
SERVED = FakeDevice("default", inputs=32, outputs=32)


def missing():
    raise MissingPart("PortAudio, the sound library, is not installed", hint="install it")


def system(*devices, programs=(), pulse=None, load=None, **options):
    server = pulse or FakePulse()
    server.alive = pulse is not None
    server.pid = os.getpid()
    return SoundSystem(
        load=load or FakePortAudio(*devices),
        server=server.server(),
        find=lambda program: f"/usr/bin/{program}" if program in programs else None,
        **options,
    )


def offered(sound, side):
    return [(choice.backend, choice.port.name, choice.rank) for choice in sound.choices(side)]


@pytest.mark.parametrize("side", [MIC, SPEAKER])
def test_portaudio_comes_before_the_programs(side):
    assert offered(system(BUILT_IN, programs=("parec", "pacat")), side) == [
        ("portaudio", "Built-in", 1),
        ("pipes", "parec" if side is MIC else "pacat", 2),
    ]


@pytest.mark.parametrize("load", [missing, FakePortAudio()])
def test_where_portaudio_is_missing_or_sees_nothing_the_programs_are_left(load):
    assert offered(system(load=load, programs=("pw-record", "arecord")), MIC) == [
        ("pipes", "pw-record", 2),
        ("pipes", "arecord", 2),
    ]


def test_the_settings_decide_when_they_say_so():
    programs = ("parec", "pacat")
    assert [way for way, *_ in offered(system(BUILT_IN, programs=programs, backend="portaudio"), MIC)] == ["portaudio"]
    assert [way for way, *_ in offered(system(BUILT_IN, programs=programs, backend="pipes"), MIC)] == ["pipes"]


def test_nothing_at_all_is_told_with_what_to_do():
    with pytest.raises(MissingPart, match="PortAudio"):
        system(load=missing).choices(MIC)
    with pytest.raises(DeviceError, match="no microphone was found"):
        system().choices(MIC)
    with pytest.raises(ComponentError, match=r"none of parec, pw-record, arecord") as caught:
        system(backend="pipes").choices(MIC)
    assert "pulseaudio-utils" in caught.value.hint


def test_a_named_device_comes_first_and_the_default_stands_in_for_it():
    sound = system(BUILT_IN, USB, wanted_output="usb")
    first, second = sound.choices(SPEAKER)
    assert (first.port.name, first.advice, first.rank) == ("USB headset", "", 0)
    assert (second.port.name, second.rank) == ("Built-in", SUBSTITUTE)
    assert second.advice == "'usb' cannot be used; using Built-in"


def test_a_named_device_that_is_absent_is_replaced_and_told():
    (choice,) = system(BUILT_IN, wanted_output="usb").choices(SPEAKER)
    assert (choice.port.name, choice.rank) == ("Built-in", SUBSTITUTE)
    assert "no output device matches 'usb'" in choice.advice


def test_a_device_that_only_the_sound_server_knows_is_reached_by_its_programs():
    sound = system(SERVED, programs=("pacat", "aplay"), pulse=FakePulse(("hdmi", "usb")), wanted_output="usb")
    assert offered(sound, SPEAKER)[0] == ("pipes", "The usb", 0)
    assert "--device=usb" in sound.choices(SPEAKER)[0].port._command


def test_the_servers_default_goes_by_its_own_name_and_route():
    sound = system(SERVED, pulse=FakePulse(("headphones",)))
    (choice,) = sound.choices(SPEAKER)
    assert (choice.port.name, choice.port.route) == ("The headphones", Route.HEADPHONES)


def test_a_way_that_gave_nothing_comes_last_until_all_gave_nothing():
    sound = system(BUILT_IN, programs=("parec",))
    sound.distrust(MIC, "portaudio")
    assert [way for way, *_ in offered(sound, MIC)] == ["pipes", "portaudio"]
    sound.distrust(MIC, "pipes")
    assert [way for way, *_ in offered(sound, MIC)] == ["portaudio", "pipes"]


# Bluetooth ----------------------------------------------------------------------------------------------------

AIRPODS = FakeDevice("AirPods Pro", inputs=1, outputs=2)
MACBOOK = FakeDevice("MacBook Pro Microphone", inputs=1)


def test_another_microphone_than_the_headsets_is_preferred_and_why_is_told():
    first, second = system(AIRPODS, MACBOOK).choices(MIC)
    assert (first.port.name, second.port.name) == ("MacBook Pro Microphone", "AirPods Pro")
    assert "'AirPods Pro'" in first.advice
    assert "--input-device" in first.advice


def test_unless_it_was_named_or_there_is_no_other():
    assert system(AIRPODS, MACBOOK, wanted_input="airpods").choices(MIC)[0].port.name == "AirPods Pro"
    (only,) = system(AIRPODS).choices(MIC)
    assert (only.port.name, only.advice) == ("AirPods Pro", "")
    speakers = FakeDevice("MacBook Pro Speakers", outputs=2)
    assert system(AIRPODS, MACBOOK, speakers, wanted_output="speakers").choices(MIC)[0].port.name == "AirPods Pro"


def test_the_same_behind_a_sound_server():
    pulse = FakePulse(("bluez_output.AA",), ("bluez_input.AA", "bluez_output.AA.monitor", "alsa_input.pci"))
    first = system(SERVED, programs=("parec",), pulse=pulse).choices(MIC)[0]
    assert (first.backend, first.port.name) == ("pipes", "The alsa_input.pci")
    assert "telephone" in first.advice


# News ----------------------------------------------------------------------------------------------------


def test_without_a_server_nothing_is_known():
    sound = system(BUILT_IN)
    assert sound.news({SPEAKER: sound.choices(SPEAKER)[0].port}).changed is None


def test_a_default_that_moved_is_told_once_with_whether_our_stream_went_along():
    pulse = FakePulse(("hdmi", "usb"))
    sound = system(SERVED, pulse=pulse)
    ports = {SPEAKER: sound.choices(SPEAKER)[0].port}
    assert sound.news(ports).moved == ()
    pulse.default_sink, pulse.streams = "usb", [("Sink", 0)]
    ((side, endpoint, followed),) = sound.news(ports).moved
    assert (side, endpoint.name, followed) == (SPEAKER, "usb", False)
    assert sound.news(ports).moved == ()
    pulse.default_sink, pulse.streams = "hdmi", [("Sink", 0)]
    assert sound.news(ports).moved[0][2]


def test_a_device_that_was_named_does_not_follow_the_default():
    pulse = FakePulse(("hdmi", "usb"))
    sound = system(SERVED, pulse=pulse, wanted_output="default")
    ports = {SPEAKER: sound.choices(SPEAKER)[0].port}
    pulse.default_sink = "usb"
    assert sound.news(ports).moved == ()


def test_devices_that_came_are_noticed_until_the_list_is_read_anew():
    pulse = FakePulse()
    sound = system(SERVED, pulse=pulse)
    sound.choices(SPEAKER)
    assert sound.news({}).changed is False
    pulse.sinks["usb"] = ()
    assert sound.news({}).changed
    sound.refresh()
    assert sound.news({}).changed is False


def test_reading_the_list_anew_survives_a_missing_library():
    system(load=missing).refresh()


def test_a_library_that_does_not_start_again_is_not_the_end_of_the_talk():
    fake = FakePortAudio(BUILT_IN)
    sound = system(load=fake, programs=("parec",))

    def fail():
        raise fake.PortAudioError("Error initializing PortAudio: Insufficient memory [-9992]")

    begin, fake._initialize, fake._terminate = fake._initialize, fail, fail
    fake.query_devices = lambda *_, **__: fail()
    sound.refresh()
    assert [way for way, *_ in offered(sound, MIC)] == ["pipes"]
    del fake.query_devices
    fake._initialize = begin
    sound.refresh()
    assert [way for way, *_ in offered(sound, MIC)] == ["portaudio", "pipes"]
