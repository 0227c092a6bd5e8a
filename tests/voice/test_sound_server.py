"""What `pactl` prints, read; and what follows from it."""

from __future__ import annotations

import pytest

from mrblue_cli.audio.gate import Route
from mrblue_cli.voice.sound_server import SoundServer, parse_endpoints, parse_streams
from tests.fakes.sound_server import NOWHERE, FakePulse

SINKS = """Sink #0
	State: SUSPENDED
	Name: alsa_output.pci-0000_00_1f.3.analog-stereo
	Description: Built-in Audio Analog Stereo
	Volume: front-left: 65536 / 100% / 0.00 dB,   front-right: 65536 / 100% / 0.00 dB
	Properties:
		device.bus = "pci"
		device.form_factor = "internal"
		device.description = "Built-in \\"Audio\\" Analog Stereo"
	Ports:
		analog-output-speaker: Speakers (type: Speaker, priority: 10000, availability group: Legacy 2)
		analog-output-headphones: Headphones (type: Headphones, priority: 9900, available)
	Active Port: analog-output-headphones
	Formats:
		pcm

Sink #7
	Name: bluez_output.AA_BB_CC.1
	Description: Jane's WH-1000
	Properties:
		device.bus = "bluetooth"
		device.form_factor = "headset"
		api.bluez5.address = "AA:BB:CC"
"""


def test_a_listing_is_read():
    built_in, headset = parse_endpoints(SINKS, "output")
    assert (built_in.index, built_in.title) == ("0", "Built-in Audio Analog Stereo")
    assert (built_in.bluetooth, built_in.headphones, built_in.route) == (False, True, Route.HEADPHONES)
    assert (headset.name, headset.bluetooth, headset.headphones) == ("bluez_output.AA_BB_CC.1", True, True)
    assert headset.device == "AA:BB:CC"


def test_the_loudspeaker_port_is_a_loudspeaker():
    (built_in, _) = parse_endpoints(SINKS.replace("Active Port: analog-output-headphones", "Active Port: x"), "output")
    assert built_in.route is Route.SPEAKERS


def test_two_devices_of_one_description_go_by_their_names():
    listing = "\n\n".join(f"Sink #{number}\n\tName: null{number}\n\tDescription: Null Output" for number in range(2))
    assert [one.title for one in parse_endpoints(listing, "output")] == ["null0", "null1"]


@pytest.mark.parametrize(
    "listing", ["", "\n", "nonsense", "Sink #\n", "Sink #1\n\tName\n", "Failure: Connection refused\n"]
)
def test_nonsense_is_not_a_device(listing):
    assert [one for one in parse_endpoints(listing, "output") if one.name] == []


def test_only_streams_of_the_given_processes_count():
    listing = (
        'Sink Input #3\n\tSink: 7\n\tProperties:\n\t\tapplication.process.id = "11"\n\n'
        'Sink Input #4\n\tSink: 8\n\tProperties:\n\t\tapplication.process.id = "12"\n'
    )
    assert list(parse_streams(listing, "Sink", (12,))) == ["8"]


def test_the_state_of_a_server():
    pulse = FakePulse(("hdmi", "usb"), ("mic",))
    pulse.default_sink = "usb"
    state = pulse.server().state()
    assert state.default("output").title == "The usb"
    assert state.default("input").name == "mic"
    before = state.fingerprint
    pulse.default_sink = "hdmi"
    assert pulse.server().state().fingerprint == before
    del pulse.sinks["usb"]
    assert pulse.server().state().fingerprint != before


def test_a_default_that_is_not_there_is_none():
    pulse = FakePulse()
    pulse.default_sink = "@DEFAULT_SINK@"
    assert pulse.server().state().default("output") is None


def test_without_a_server_the_kernels_cards_tell_whether_something_changed(tmp_path):
    cards = tmp_path / "cards"
    cards.write_text(" 0 [PCH]: HDA-Intel\n")
    server = SoundServer(lambda _: None, cards)
    before = server.state().fingerprint
    cards.write_text(" 0 [PCH]: HDA-Intel\n 1 [USB]: USB-Audio\n")
    assert server.state().fingerprint != before


def test_without_either_nothing_is_known():
    server = SoundServer(lambda _: None, NOWHERE)
    assert server.state() is None
    assert server.streams_on("output", (1,)) == frozenset()


def test_an_echo_cancelling_source_is_known():
    pulse = FakePulse(sources=("echo-cancel-source",))
    assert pulse.server().state().default("input").echo_free
