"""Which microphone is the better one beside a Bluetooth headset."""

from __future__ import annotations

import pytest

from mrblue_cli.voice.bluetooth import is_bluetooth, other_microphone, other_source, same_headset
from mrblue_cli.voice.sound_server import Endpoint


@pytest.mark.parametrize("name", ["AirPods Pro", "Headset (WH-1000XM4 Hands-Free AG Audio)", "bluez_output.AA"])
def test_bluetooth_by_name(name):
    assert is_bluetooth(name)


@pytest.mark.parametrize("name", ["USB Headset", "MacBook Pro Microphone", "default", "Buds are flowers"])
def test_in_doubt_it_is_not(name):
    assert not is_bluetooth(name)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("AirPods Pro", "AirPods Pro", True),
        ("Headphones (WH-1000XM4 Stereo)", "Headset (WH-1000XM4 Hands-Free AG Audio)", True),
        ("Headphones (WH-1000XM4 Stereo)", "Microphone (USB Audio Device)", False),
        ("AirPods Pro", "MacBook Pro Microphone", False),
    ],
)
def test_two_names_of_one_headset(one, other, same):
    assert same_headset(one, other) is same


def test_the_built_in_microphone_is_preferred():
    names = ["AirPods", "Webcam C920", "MacBook Pro Microphone"]
    assert other_microphone(names, "AirPods") == "MacBook Pro Microphone"
    assert other_microphone(names[:2], "AirPods") == "Webcam C920"
    assert other_microphone(names[:1], "AirPods") is None


def source(name, **options):
    return Endpoint(name, name, "input", **options)


def test_what_the_server_says():
    headset = source("bluez_input.AA", bluetooth=True, device="AA")
    output = Endpoint("bluez_output.AA", "WH", "output", bluetooth=True, device="AA")
    monitor, built_in = source("x.monitor", monitor=True), source("alsa_input.pci")
    sources = (headset, monitor, built_in)
    assert other_source(sources, headset, output) is built_in
    assert other_source(sources[:2], headset, output) is None
    assert other_source(sources, built_in, output) is None
    assert other_source(sources, headset, Endpoint("hdmi", "HDMI", "output")) is None
    assert other_source(sources, headset, Endpoint("b", "b", "output", bluetooth=True, device="BB")) is None
    assert other_source(sources, None, output) is None
