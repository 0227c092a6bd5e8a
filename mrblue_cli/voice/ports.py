"""What the session needs of a microphone and a speaker. Devices, WAV files and tests implement these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import Pcm
from mrblue_cli.audio.playout import Unheard
from mrblue_cli.protocol.notices import AudioKey, Played


@dataclass(frozen=True, slots=True)
class Losses:
    """Microphone sound that never arrived, as running totals."""

    stretches: int
    chunks: int
    """The same in blocks of 20 ms, begun ones counted whole."""


NO_LOSSES = Losses(0, 0)


@runtime_checkable
class Lossy(Protocol):
    """A microphone that counts what it lost; not every one can."""

    @property
    def losses(self) -> Losses:
        """Totals since it was made."""
        ...


class MicrophonePort(Protocol):
    """A source of PCM16 mono 24 kHz."""

    name: str

    def open(self) -> None:
        """Start capturing; blocking. Raises `DeviceError` or `MissingPart`."""
        ...

    def read(self) -> Pcm:
        """Take everything captured since the last call."""
        ...

    @property
    def blocks_heard(self) -> int:
        """How many blocks the device delivered so far; stands still when the device is gone."""
        ...

    @property
    def active(self) -> bool:
        """False: the device itself says that it stopped."""
        ...

    def close(self) -> None:
        """Let go of the device; safe to call again."""
        ...


class SpeakerPort(Protocol):
    """A sink that plays replies and knows what was heard of them."""

    name: str | None
    """None: nobody listens, only a file or nothing."""
    route: Route
    """Headphones or loudspeaker."""

    def open(self) -> None:
        """Start the output; blocking. Raises `DeviceError` or `MissingPart`."""
        ...

    def play(self, key: AudioKey, pcm: bytes) -> None:
        """Queue audio of a reply: PCM16 mono 24 kHz."""
        ...

    def finish(self, key: AudioKey) -> None:
        """No more audio will come for this stream."""
        ...

    def stop(self) -> tuple[Played, ...]:
        """Fall silent within a few milliseconds; tells what was heard of every stream."""
        ...

    def report(self) -> tuple[Played, ...]:
        """What was heard so far of every stream that is not long over."""
        ...

    def pause(self) -> None:
        """Fall silent within a few milliseconds and keep what was not heard yet; more may be queued meanwhile."""
        ...

    def resume(self) -> None:
        """Go on from the sample where `pause` began; does nothing when not paused."""
        ...

    def pump(self) -> None:
        """Keep things flowing; call it at least every 20 ms."""
        ...

    def heard_out(self) -> tuple[AudioKey, ...]:
        """Streams that were played to their end since the last call."""
        ...

    def take_played(self) -> Pcm:
        """What went to the output since the last call, silence included: PCM16 mono 24 kHz."""
        ...

    @property
    def samples_taken(self) -> int:
        """How many samples the output took so far; stands still when the device is gone."""
        ...

    @property
    def blocks_taken(self) -> int:
        """How many blocks the output asked for so far, silence included; stands still when the device is gone."""
        ...

    @property
    def active(self) -> bool:
        """False: the device itself says that it stopped."""
        ...

    def leave(self) -> Unheard:
        """Give away what was not heard yet; for another speaker's `take_over`. Works after `close`."""
        ...

    def take_over(self, unheard: Unheard) -> None:
        """Go on from the sample at which another speaker was left; call it once, after `open`."""
        ...

    @property
    def offered(self) -> bool:
        """Samples lie ready for the output to take."""
        ...

    @property
    def drained(self) -> bool:
        """Nothing waits and nothing plays."""
        ...

    @property
    def sounding(self) -> bool:
        """Samples of a reply were handed to the output and more are to come."""
        ...

    @property
    def underruns(self) -> int:
        """How often the output ran dry in the middle of a reply."""
        ...

    @property
    def level(self) -> float:
        """Root mean square of what plays now, 0..1."""
        ...

    def close(self) -> None:
        """Let go of the device; safe to call again."""
        ...


class AudioTap(Protocol):
    """Listens in on both sides, for a recording."""

    def take(self, heard: Pcm, played: Pcm) -> None:
        """The newest stretch of the microphone (after echo cancelling) and of the output, PCM16 mono 24 kHz."""
        ...
