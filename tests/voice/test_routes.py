"""Headphones or loudspeaker: by name, and by what the sound server tells in the shape that pactl writes."""

from __future__ import annotations

import pytest

from mrblue_cli.audio.gate import Route
from mrblue_cli.voice.routes import ask_pactl, is_echo_free, output_route, route_of_sink

HEAD, ROOM = Route.HEADPHONES, Route.SPEAKERS


def server(sink=None, source=None):
    """A sound server that has these as its defaults, among others."""
    answers = {
        ("info",): {"default_sink_name": "chosen", "default_source_name": "chosen"},
        ("list", "sinks"): [
            {"name": "other", "active_port": "analog-output-headphones"},
            {"name": "chosen", **(sink or {})},
        ],
        ("list", "sources"): [{"name": "other"}, {"name": "chosen", **(source or {})}],
    }
    return answers.get


def refuse(question):
    raise AssertionError(f"nobody needs to ask {question}")


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("USB Audio: - (hw:1,0)", ROOM),
        ("MacBook Pro Speakers", ROOM),
        ("Logitech USB Headset H340", HEAD),
        ("Anna's AirPods Pro", HEAD),
        ("WH-1000XM4 Hands-Free AG Audio", HEAD),
        ("Kopfhörer (Realtek)", HEAD),
        ("JBL Bluetooth speaker A2DP", ROOM),
        ("LG TV HDMI", ROOM),
    ],
)
def test_a_name_tells(name, route):
    assert output_route(name, refuse) is route


@pytest.mark.parametrize(
    ("sink", "route"),
    [
        ({"active_port": "analog-output-headphones"}, HEAD),
        ({"active_port": "analog-output-speaker"}, ROOM),
        ({"active_port": "headset-output"}, HEAD),
        ({"active_port": "[Out] Headphones"}, HEAD),
        ({"active_port": "analog-output", "ports": [{"name": "analog-output", "type": "Headphones"}]}, HEAD),
        ({"active_port": "analog-output", "ports": [{"name": "analog-output", "type": "Analog"}]}, ROOM),
        ({"active_port": "hdmi-output-0", "description": "Headset of a monitor"}, ROOM),
        ({"active_port": None, "properties": {"device.form_factor": "headset"}}, HEAD),
        ({"properties": {"device.form_factor": "speaker"}, "description": "Bluetooth buds"}, ROOM),
        ({"name": "bluez_output.9A_07.1"}, HEAD),
        ({"active_port": "unknown-output", "name": "bluez_output.9A_07.1"}, HEAD),
        ({"name": "bluez_output.9A_07.1", "description": "Kitchen Soundbar"}, ROOM),
        ({}, ROOM),
        ({"active_port": 7, "ports": "none", "properties": []}, ROOM),
    ],
)
def test_a_sink_tells(sink, route):
    assert route_of_sink(sink) is route
    if "name" not in sink:
        for device in ("default", "pulse", "PipeWire"):
            assert output_route(device, server(sink)) is route


@pytest.mark.parametrize("answer", [None, [], {}, "text", 3, {"default_sink_name": None}])
def test_a_server_that_says_nothing_useful_leaves_the_careful_guess(answer):
    assert output_route("default", lambda _: answer) is ROOM
    assert not is_echo_free("default", lambda _: answer)


@pytest.mark.parametrize("name", ["Echo-Cancel Source", "mic.echo-cancel", "echocancel", "alsa_input.usb_echo_cancel"])
def test_a_cancelled_source_is_known_by_its_name(name):
    assert is_echo_free(name, refuse)
    assert is_echo_free("default", server(source={"description": name}))


def test_another_source_is_not():
    assert not is_echo_free("Built-in microphone", refuse)
    assert not is_echo_free("pulse", server(source={"description": "Built-in microphone"}))


def test_where_there_is_no_sound_server_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert ask_pactl(("info",)) is None
