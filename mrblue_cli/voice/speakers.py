"""Where replies come out: a device, or a clock that takes samples as a device would (for files and for nobody)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import RATE, Pcm, from_bytes, rms, to_pcm
from mrblue_cli.audio.playout import Playout, Unheard
from mrblue_cli.audio.resample import Resampler
from mrblue_cli.audio.ring import PlaybackRing
from mrblue_cli.audio.wav import wav_header
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import InputFileError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.notices import AudioKey, Played
from mrblue_cli.voice.devices import Device, Loader, close_stream, is_active, library, open_output, start_stream
from mrblue_cli.voice.routes import Ask, ask_pactl, output_route

RING_SECONDS = 120
"""Replies arrive faster than they are played."""
OUTPUT_SECONDS = 2
"""What was played is remembered for this long, as much as the microphone's ring holds."""
_HEADER_BYTES = len(wav_header(0))
_CREDIBLE_LATENCY_SECONDS = 2.0


class PlayoutSpeaker:
    """The part that all speakers share: a ring, a playout, and what was heard."""

    route = Route.SPEAKERS

    def __init__(self, name: str | None, rate: int = RATE) -> None:
        self.name = name
        self._prepare(rate, 0)

    def _prepare(self, rate: int, guard: int) -> None:
        self.rate = rate
        self._stream_seconds = 0.0
        self.ring = PlaybackRing(RING_SECONDS * rate, memory=OUTPUT_SECONDS * rate)
        self._to_wire = Resampler(rate, RATE, "HQ")
        self._playout = Playout(self.ring, rate=rate, guard=guard)
        self._resamplers: dict[AudioKey, Resampler] = {}
        self._meter = np.zeros(rate // 50, dtype=np.int16)
        self._blocks = 0

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def play(self, key: AudioKey, pcm: bytes) -> None:
        """Queue audio of a reply."""
        samples = from_bytes(pcm)
        if self.rate != RATE:
            resampler = self._resamplers.setdefault(key, Resampler(RATE, self.rate, "HQ"))
            samples = resampler.process_pcm(samples)
        self._playout.add(key, samples)

    def finish(self, key: AudioKey) -> None:
        """No more audio will come for this stream."""
        resampler = self._resamplers.pop(key, None)
        if resampler is not None:
            self._playout.add(key, to_pcm(resampler.flush()))
        self._playout.finish(key)

    def stop(self) -> tuple[Played, ...]:
        """Fall silent and tell what was heard."""
        self._resamplers.clear()
        return tuple(
            Played(cast("AudioKey", item.key), item.played_samples * 1000 // self.rate, item.complete)
            for item in self._playout.stop(self._latency_samples)
        )

    def report(self) -> tuple[Played, ...]:
        """What was heard so far of every stream that is not long over."""
        return tuple(
            Played(cast("AudioKey", item.key), item.played_samples * 1000 // self.rate, item.complete)
            for item in self._playout.report(self._latency_samples)
        )

    def pause(self) -> None:
        """Fall silent and keep what was not heard."""
        self._playout.pause()

    def resume(self) -> None:
        """Go on where `pause` began."""
        self._playout.resume()

    def pump(self) -> None:
        """Move samples towards the output."""
        self._playout.pump()

    def take_played(self) -> Pcm:
        """What went to the output since the last call, silence included: PCM16 mono 24 kHz."""
        return self._to_wire.process_pcm(self.ring.output.read())

    def heard_out(self) -> tuple[AudioKey, ...]:
        """Streams that were played to their end since the last call."""
        return tuple(cast("AudioKey", key) for key in self._playout.forget_heard(self._latency_samples))

    @property
    def samples_taken(self) -> int:
        """Samples of replies that the output took so far."""
        return self.ring.read

    @property
    def blocks_taken(self) -> int:
        """Blocks that the output asked for so far, silence included."""
        return self._blocks

    @property
    def active(self) -> bool:
        """False: the device itself says that it stopped."""
        return True

    def leave(self) -> Unheard:
        """Give away what was not heard yet."""
        for key, resampler in self._resamplers.items():
            self._playout.add(key, to_pcm(resampler.flush()))
        self._resamplers.clear()
        return self._playout.leave(self._latency_samples)

    def take_over(self, unheard: Unheard) -> None:
        """Go on from the sample at which another speaker was left."""
        self._playout.take_over(unheard)

    @property
    def offered(self) -> bool:
        """Samples lie ready for the output to take."""
        return self.ring.queued > 0

    @property
    def drained(self) -> bool:
        """Nothing waits and nothing plays."""
        return self._playout.drained

    @property
    def sounding(self) -> bool:
        """Samples of a reply were handed to the output and more are to come."""
        return self._playout.sounding

    @property
    def underruns(self) -> int:
        """How often the output ran dry in the middle of a reply."""
        return self._playout.underruns

    @property
    def level(self) -> float:
        """Root mean square of what plays now."""
        return rms(self.ring.recent(len(self._meter))) if self.sounding else 0.0

    @property
    def latency_seconds(self) -> float:
        """How long a sample takes from the ring to the ear."""
        return self._stream_seconds

    @property
    def _latency_samples(self) -> int:
        return int(self.latency_seconds * self.rate)


class DeviceSpeaker(PlayoutSpeaker):
    """A PortAudio output: one continuous stream. Open it once; when it is lost, another takes over."""

    backend = "portaudio"

    def __init__(self, device: Device, load: Loader = library, ask: Ask = ask_pactl) -> None:
        super().__init__(device.name)
        self._ask = ask
        self.route = device.route
        self._device = device
        self._load = load
        self._stream: Any = None
        self._dac_seconds = 0.0
        self._underflows = 0

    def open(self) -> None:
        """Start the stream; blocking. Raises `DeviceError`."""
        stream, rate = open_output(self._device, self._callback, self._load)
        self._prepare(rate, 0)
        self._stream_seconds = float(stream.latency)
        start_stream(stream, self._device, self._load)
        self._stream = stream
        self.route = self._device.told_route or output_route(self._device.name, self._ask)

    def _callback(self, out: Any, _frames: int, time: Any, status: Any) -> None:
        # Only a copy from the ring and counters: the callback runs against a deadline.
        self.ring.read_into(out[:, 0])
        out[:, 1:] = out[:, :1]
        self._dac_seconds = time.outputBufferDacTime - time.currentTime
        self._blocks += 1
        if status:
            self._underflows += 1

    @property
    def latency_seconds(self) -> float:
        """From the callback to the ear: what the device says of the newest block, else of the stream."""
        told = self._dac_seconds
        # Some drivers leave the times at zero or count them from different clocks.
        return told if 0.0 < told < _CREDIBLE_LATENCY_SECONDS else self._stream_seconds

    @property
    def underflows(self) -> int:
        """Blocks before which the system itself fell silent, because the callback came too late."""
        return self._underflows

    @property
    def active(self) -> bool:
        """False once the stream ended by itself."""
        return is_active(self._stream)

    def close(self) -> None:
        """Stop the stream."""
        stream, self._stream = self._stream, None
        close_stream(stream)


class PacedSpeaker(PlayoutSpeaker):
    """Takes samples at the pace of a clock, as a device would, and keeps what was played in a WAV file, if asked to.

    Counts as a real output for turn taking and truncation. The file holds the replies one after another, without the
    pauses between them; its header is right at any moment, so that a kill loses nothing that was played.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        super().__init__(None)
        self._clock = clock
        self._path = path
        self._file: BinaryIO | None = None
        self._began: float | None = None
        self._passed = 0
        self._frames = 0

    def open(self) -> None:
        """Create the file; raises `InputFileError`."""
        if self._path is not None:
            try:
                self._file = self._path.open("wb", buffering=0)
            except OSError as error:
                raise self._cannot_write(error) from None
            self._save(np.zeros(0, dtype=np.int16))
        self._began, self._passed = self._clock.now(), 0

    def pump(self) -> None:
        """Play what the clock says is due."""
        super().pump()
        due = self._due() - self._passed
        self._passed += due
        self._blocks += 1
        out = np.zeros(due, dtype=np.int16)
        taken = self.ring.read_into(out)
        if taken:
            self._save(out[:taken])
        super().pump()

    def stop(self) -> tuple[Played, ...]:
        """Fall silent; the fade still goes to the file."""
        self.pump()
        return super().stop()

    def pause(self) -> None:
        """Fall silent; the fade still goes to the file."""
        self.pump()
        super().pause()

    def close(self) -> None:
        """Complete the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _due(self) -> int:
        now = self._clock.now()
        if self._began is None:
            self._began = now
        # The grain of sand keeps a step of exactly 20 ms from becoming 479 samples.
        return int((now - self._began) * RATE + 1e-3)

    def _save(self, pcm: Pcm) -> None:
        if self._file is None:
            return
        try:
            self._file.seek(_HEADER_BYTES + 2 * self._frames)
            self._file.write(pcm.astype("<i2").tobytes())
            # The samples first, then the header that counts them: at no moment does it promise too much.
            self._file.seek(0)
            self._file.write(wav_header(self._frames + len(pcm)))
        except OSError as error:
            self.close()
            raise self._cannot_write(error) from None
        self._frames += len(pcm)

    def _cannot_write(self, error: OSError) -> InputFileError:
        what = tell("{path}: cannot be written: {words}", path=f"--output {self._path}", words=error.strerror or error)
        return InputFileError(what, hint=tell("choose a place where you may write"))
