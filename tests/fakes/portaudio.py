"""A stand-in for the sounddevice module: devices that the test plugs in and out, blocks that flow when it says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np


class PortAudioError(Exception):
    """As sounddevice's: a text with the code in brackets."""


@dataclass
class FakeDevice:
    name: str
    inputs: int = 0
    outputs: int = 0
    rate: float = 48_000.0
    rates: tuple[int, ...] = (24_000, 48_000)
    """Rates that it takes."""
    channels: tuple[int, ...] = (1, 2)
    """Channel counts that it takes."""
    start_error: str = ""
    hears: float = 0.1
    """Level of the sound it captures."""
    works: bool = True
    """False: it opens, but nothing flows."""
    first_after: float = 0.0
    """Seconds of flow before the first block comes."""
    speech: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    """What is being said into it, at the rate of its stream; taken as it is captured."""


class FakeStream:
    """One open stream."""

    def __init__(self, library, device, options):
        self.library, self.device, self.options = library, device, options
        self.rate, self.block, self.channels = options["samplerate"], options["blocksize"], options["channels"]
        self.latency = 0.06
        self.dac_seconds = 0.0
        self.running = self.closed = False
        self.heard = []
        self._angle = 0
        self._due = self._waited = 0.0

    def start(self):
        if self.device.start_error:
            raise PortAudioError(self.device.start_error)
        self.running = True

    def abort(self):
        if not self.device.works:
            raise PortAudioError("Error aborting stream: Unanticipated host error [PaErrorCode -9999]")
        self.running = False

    def close(self):
        self.running, self.closed = False, True
        if self in self.library.streams:
            self.library.streams.remove(self)

    @property
    def active(self):
        return self.running and self.device in self.library.plugged

    def flow(self, seconds, status=False):
        """Let so much time pass for the device."""
        self._waited += seconds
        if self._waited <= self.device.first_after:
            return
        self._due += seconds * self.rate
        while self._due >= self.block:
            self._due -= self.block
            if self.active and self.device.works:
                self._one(status)

    def _one(self, status):
        times = SimpleNamespace(currentTime=5.0, outputBufferDacTime=5.0 + self.dac_seconds)
        data = np.full((self.block, self.channels), 77, dtype=np.int16)
        if self.device.inputs and self.options["kind"] == "input":
            ticks = self._angle + np.arange(self.block)
            self._angle += self.block
            data[:] = (np.sin(ticks * 2 * np.pi * 300 / self.rate) * self.device.hears * 32767 * 2**0.5)[:, None]
            said, self.device.speech = self.device.speech[: self.block], self.device.speech[self.block :]
            data[: len(said)] = said[:, None]
        self.options["callback"](data, self.block, times, status)
        if self.options["kind"] == "output":
            self.heard.append(data.copy())

    @property
    def sound(self):
        """What went out of the device, a column a channel."""
        return np.concatenate(self.heard) if self.heard else np.zeros((0, self.channels), dtype=np.int16)


class FakePortAudio:
    """Call it as a loader: it returns itself."""

    PortAudioError = PortAudioError

    def __init__(self, *devices, default_input=0, default_output=0):
        self.plugged = list(devices)
        self.default = {"input": default_input, "output": default_output}
        self.streams = []
        self.tried = []
        self._initialize()

    def __call__(self):
        return self

    def _terminate(self):
        assert not self.streams, "PortAudio must not be ended while streams are open"
        self._known = []

    def _initialize(self):
        self._known = list(self.plugged)

    def query_devices(self, kind=None):
        if kind is None:
            return [self._row(device) for device in self._known]
        if not any(self._count(device, kind) for device in self._known):
            raise PortAudioError("Error querying device -1")
        return self._row(self._device(None, kind))

    def InputStream(self, **options):  # noqa: N802 - sounddevice's name
        return self._open("input", options)

    def OutputStream(self, **options):  # noqa: N802 - sounddevice's name
        return self._open("output", options)

    def unplug(self, device):
        """It is gone from the machine; the list in use goes on naming it."""
        self.plugged.remove(device)

    def flow(self, seconds, status=False):
        """Let time pass for every open stream."""
        for stream in list(self.streams):
            stream.flow(seconds, status)

    def _open(self, kind, options):
        device = self._device(options["device"], kind)
        self.tried.append((device.name, options["samplerate"], options["channels"]))
        stream = f"{kind.title()}Stream"
        if device not in self.plugged:
            raise PortAudioError(f"Error opening {stream}: Device unavailable [PaErrorCode -9985]")
        if options["channels"] not in device.channels:
            raise PortAudioError(f"Error opening {stream}: Invalid number of channels [PaErrorCode -9998]")
        if options["samplerate"] not in device.rates:
            raise PortAudioError(f"Error opening {stream}: Invalid sample rate [PaErrorCode -9997]")
        made = FakeStream(self, device, {**options, "kind": kind})
        self.streams.append(made)
        return made

    def _device(self, index, kind):
        if index is not None:
            return self._known[index]
        able = [device for device in self._known if self._count(device, kind)]
        return able[min(self.default[kind], len(able) - 1)]

    @staticmethod
    def _count(device, kind):
        return device.inputs if kind == "input" else device.outputs

    @staticmethod
    def _row(device):
        return {
            "name": device.name,
            "max_input_channels": device.inputs,
            "max_output_channels": device.outputs,
            "default_samplerate": device.rate,
        }
