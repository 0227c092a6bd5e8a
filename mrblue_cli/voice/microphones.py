"""Where speech comes from: a device, or a WAV file played at real pace."""

from __future__ import annotations

from typing import Any

import numpy as np

from mrblue_cli.audio.pcm import BLOCK, RATE, Pcm, to_pcm
from mrblue_cli.audio.resample import Resampler, convert
from mrblue_cli.audio.ring import CaptureRing
from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.core.clock import Clock
from mrblue_cli.voice.devices import Device, Loader, close_stream, is_active, library, open_input, start_stream
from mrblue_cli.voice.ports import Losses
from mrblue_cli.voice.routes import Ask, ask_pactl, is_echo_free

RING_SECONDS = 2


class DeviceMicrophone:
    """A PortAudio input, resampled to 24 kHz where the device cannot do it. Open it once; a lost one is replaced."""

    backend = "portaudio"

    def __init__(self, device: Device, load: Loader = library, ask: Ask = ask_pactl) -> None:
        self.name = device.name
        self.latency_seconds = 0.0
        """How long a sample takes from the microphone to us, as far as the device tells."""
        self.echo_free = False
        """The device is an echo canceller's output already."""
        self._ask = ask
        self._device = device
        self._load = load
        self._stream: Any = None
        self._blocks = 0
        self._overflows = 0
        self._prepare(RATE)

    def _prepare(self, rate: int) -> None:
        self._ring = CaptureRing(RING_SECONDS * rate)
        self._chunk = rate // 50
        self._resampler = Resampler(rate, RATE, "HQ")

    def open(self) -> None:
        """Start capturing; blocking. Raises `DeviceError`."""
        stream, rate = open_input(self._device, self._callback, self._load)
        self._prepare(rate)
        start_stream(stream, self._device, self._load)
        self._stream = stream
        self.latency_seconds = float(stream.latency)
        self.echo_free = self._device.echo_free or is_echo_free(self._device.name, self._ask)

    def _callback(self, data: Any, _frames: int, _time: Any, status: Any) -> None:
        # Only a copy into the ring and counters: the callback runs against a deadline.
        self._ring.write(data[:, 0])
        self._blocks += 1
        if status:
            self._overflows += 1

    def read(self) -> Pcm:
        """Take everything captured since the last call."""
        return self._resampler.process_pcm(self._ring.read())

    @property
    def blocks_heard(self) -> int:
        """Blocks the device delivered so far."""
        return self._blocks

    @property
    def lost_samples(self) -> int:
        """Samples dropped because nobody read in time."""
        return self._ring.lost

    @property
    def overflows(self) -> int:
        """Blocks before which the system itself dropped sound, because the callback came too late."""
        return self._overflows

    @property
    def active(self) -> bool:
        """False once the stream ended by itself."""
        return is_active(self._stream)

    @property
    def losses(self) -> Losses:
        """What never arrived, by us or by the system; how much the system dropped is not known: a block each time."""
        chunks = -(-self._ring.lost // self._chunk)
        return Losses(self._ring.gaps + self._overflows, chunks + self._overflows)

    def close(self) -> None:
        """Stop the stream."""
        stream, self._stream = self._stream, None
        close_stream(stream)


class ClockMicrophone:
    """Plays recordings into the microphone path at the pace of a clock; silence before, between and after."""

    def __init__(self, clock: Clock, name: str = "recording") -> None:
        self.name = name
        self._clock = clock
        self._from: float | None = None
        self._given = 0
        self._content: Pcm = np.zeros(0, dtype=np.int16)

    def open(self) -> None:
        """Start the clock."""
        self._from = self._clock.now()

    def load(self, audio: WavAudio) -> None:
        """Speak this recording from now on."""
        self._content = to_pcm(convert(audio.samples, audio.rate, RATE))

    @property
    def finished(self) -> bool:
        """True when everything loaded was spoken."""
        return len(self._content) == 0

    def read(self) -> Pcm:
        """What the clock says is due, in whole blocks."""
        if self._from is None:
            return np.zeros(0, dtype=np.int16)
        due = int((self._clock.now() - self._from) * RATE) - self._given
        due -= due % BLOCK
        self._given += due
        spoken, self._content = self._content[:due], self._content[due:]
        return np.concatenate((spoken, np.zeros(due - len(spoken), dtype=np.int16)))

    @property
    def blocks_heard(self) -> int:
        """Blocks given so far."""
        return self._given // BLOCK

    @property
    def active(self) -> bool:
        """A clock does not stop."""
        return True

    def close(self) -> None:
        """Nothing to close."""
