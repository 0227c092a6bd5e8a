"""Which device is chosen, how it is opened, and what is said when that fails."""

from __future__ import annotations

import pytest

from mrblue_cli.audio.gate import Route
from mrblue_cli.core.errors import DeviceError
from mrblue_cli.voice.devices import (
    Device,
    choose_device,
    close_stream,
    list_devices,
    open_input,
    open_output,
    refresh,
    start_stream,
)
from tests.fakes.portaudio import FakeDevice, FakePortAudio


def desk():
    return FakePortAudio(
        FakeDevice("Monitor 2 speakers", outputs=2),
        FakeDevice("Built-in Microphone", inputs=1, rate=44_100.0),
        FakeDevice("USB Headset", inputs=1, outputs=2),
        FakeDevice("USB", inputs=1),
    )


def no_callback(*_):
    raise AssertionError("nothing flows here")


def test_each_direction_lists_its_devices():
    assert [(device.index, device.name) for device in list_devices("output", desk())] == [
        (0, "Monitor 2 speakers"),
        (2, "USB Headset"),
    ]
    assert [device.rate for device in list_devices("input", desk())] == [44_100.0, 48_000.0, 48_000.0]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("2", "USB Headset"),
        ("usb headset", "USB Headset"),
        (" BUILT ", "Built-in Microphone"),
        ("headset", "USB Headset"),
        ("usb", "USB"),
        ("us", "USB Headset"),
    ],
)
def test_a_device_is_found_by_index_name_or_part_of_its_name(wanted, name):
    device, advice = choose_device("input", wanted, desk())
    assert (device.name, advice) == (name, None)


def test_an_index_wins_over_a_number_in_a_name():
    assert choose_device("output", "2", desk())[0].name == "USB Headset"


@pytest.mark.parametrize("wanted", [None, ""])
def test_without_a_wish_it_is_the_default_and_follows_it(wanted):
    device, advice = choose_device("input", wanted, desk())
    assert (device.name, device.index, advice) == ("Built-in Microphone", None, None)


@pytest.mark.parametrize("wanted", ["AirPods", "0", "99"])
def test_a_device_that_is_absent_is_replaced_and_told(wanted):
    device, advice = choose_device("input", wanted, desk())
    assert device.index is None
    assert advice == f"no input device matches '{wanted}'; using Built-in Microphone"


@pytest.mark.parametrize(("kind", "word"), [("input", "microphone"), ("output", "speaker")])
def test_no_device_at_all_is_one_clear_line(kind, word):
    with pytest.raises(DeviceError) as caught:
        choose_device(kind, None, FakePortAudio())
    assert caught.value.what == f"no {word} was found"
    assert "doctor" in caught.value.hint


@pytest.mark.parametrize("name", ["Sony WH headphones", "Jane's AirPods Pro", "USB HEADSET", "Kopfhörer"])
def test_headphones_are_known_by_name(name):
    assert Device(0, name, "output", 48_000.0).route is Route.HEADPHONES


@pytest.mark.parametrize("name", ["MacBook Pro Speakers", "default", "HDMI 1", "pulse"])
def test_in_doubt_it_is_a_loudspeaker(name):
    assert Device(0, name, "output", 48_000.0).route is Route.SPEAKERS


def opened(opener, rates, channels=(1, 2), rate=48_000.0):
    fake = FakePortAudio(FakeDevice("USB", inputs=2, outputs=2, rate=rate, rates=rates, channels=channels))
    kind = "input" if opener is open_input else "output"
    stream, got = opener(choose_device(kind, None, fake)[0], no_callback, fake)
    return fake, stream, got


@pytest.mark.parametrize("opener", [open_input, open_output])
def test_it_opens_at_24_khz_in_blocks_of_20_ms_where_it_can(opener):
    fake, stream, rate = opened(opener, (24_000, 48_000))
    assert (rate, stream.options["blocksize"], stream.options["channels"]) == (24_000, 480, 1)
    assert fake.tried == [("USB", 24_000, 1)]


@pytest.mark.parametrize("opener", [open_input, open_output])
def test_else_at_its_own_rate(opener):
    _, stream, rate = opened(opener, (44_100,), rate=44_100.0)
    assert (rate, stream.options["blocksize"]) == (44_100, 882)


@pytest.mark.parametrize("opener", [open_input, open_output])
def test_a_driver_that_insists_on_two_channels_gets_them(opener):
    _, stream, rate = opened(opener, (24_000,), channels=(2,))
    assert (rate, stream.channels) == (24_000, 2)


def test_input_asks_for_a_high_latency():
    assert opened(open_input, (24_000,))[1].options["latency"] == "high"


def test_a_device_that_takes_nothing_is_named_with_the_first_reason():
    with pytest.raises(DeviceError) as caught:
        opened(open_input, (8_000,))
    assert caught.value.what == "microphone 'USB' cannot be opened: Invalid sample rate"
    assert caught.value.hint


def test_a_device_that_opens_and_does_not_start_is_closed_again():
    fake = FakePortAudio(FakeDevice("USB", outputs=2, start_error="Error starting stream: Device unavailable [-9985]"))
    device = choose_device("output", None, fake)[0]
    stream, _ = open_output(device, no_callback, fake)
    with pytest.raises(DeviceError, match="speaker 'USB' cannot be opened: Error starting stream: Device unavailable"):
        start_stream(stream, device, fake)
    assert fake.streams == []


def test_closing_survives_a_device_that_is_gone():
    fake, stream, _ = opened(open_input, (24_000,))
    stream.device.works = False
    close_stream(stream)
    close_stream(None)
    assert fake.streams == []


def test_a_list_read_anew_knows_what_was_plugged_in_and_where_things_are_now():
    fake = desk()
    headset = choose_device("input", "USB Headset", fake)[0]
    fake.plugged.insert(0, FakeDevice("Webcam", inputs=2))
    assert len(list_devices("input", fake)) == 3
    refresh(fake)
    assert len(list_devices("input", fake)) == 4
    assert (headset.index, choose_device("input", headset.name, fake)[0].index) == (2, 3)
