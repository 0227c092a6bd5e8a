"""When the microphone must not hear the speaker. Pure rules; the session feeds them levels and sample counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.audio.pcm import RATE

HOLD_SECONDS = 0.3
"""A room goes on sounding after the loudspeaker fell silent."""
COUNTS_FROM = 0.015
"""Root mean square from which an uncancelled microphone counts over a reply."""
CANCELLED_LEAK = 0.1
"""What is left behind a canceller, as a share: 20 dB less. Measured: 30 dB and more."""
CANCELLED_COUNTS_FROM = 0.006
"""The same behind a canceller, which takes a part of a person who speaks at the same time, too."""


class Route(StrEnum):
    """Where replies come out."""

    HEADPHONES = "headphones"
    SPEAKERS = "speakers"


class EchoChoice(StrEnum):
    """What a person wants done about a loudspeaker's echo."""

    AUTO = "auto"
    """Cancel it where the canceller is installed, else half duplex."""
    AEC = "aec"
    """The same, and say so when the canceller is missing."""
    HALF_DUPLEX = "half-duplex"
    OFF = "off"
    """Nothing: something else (the system, a speakerphone) takes the echo away."""


class Duplex(StrEnum):
    """How microphone and loudspeaker live together."""

    FULL = "full"
    """The microphone is always heard."""
    CANCELLED = "cancelled"
    """The microphone is heard behind an echo canceller, with care while a reply plays."""
    HALF = "half"
    """The microphone rests while a reply plays."""


def duplex_for(route: Route, choice: EchoChoice, *, canceller: bool) -> Duplex:
    """The way of a route (voice-craft, section 10). `canceller`: one is installed."""
    if route is Route.HEADPHONES or choice is EchoChoice.OFF:
        return Duplex.FULL
    return Duplex.CANCELLED if canceller and choice is not EchoChoice.HALF_DUPLEX else Duplex.HALF


@dataclass(slots=True)
class EchoGate:
    """Half duplex on loudspeakers: no echo canceller is at work, so the microphone stays closed while a reply plays
    and until the player is drained plus `HOLD_SECONDS`. Headphones: full duplex, always open."""

    route: Route
    _hold_samples: int = 0

    def is_open(self, *, playing: bool, samples: int, latency_seconds: float = 0.0) -> bool:
        """Decide for the next `samples` of the microphone. `playing`: the player is not drained.

        `latency_seconds`: the way from the player through both devices, on which sound still travels after that.
        """
        if self.route is Route.HEADPHONES:
            return True
        if playing:
            self._hold_samples = int((HOLD_SECONDS + latency_seconds) * RATE)
            return False
        held = self._hold_samples > 0
        self._hold_samples = max(0, self._hold_samples - samples)
        return not held


def counts_over_playback(
    microphone_rms: float, playback_rms: float, *, leak: float = 1.0, counts_from: float = COUNTS_FROM
) -> bool:
    """Second defence in full duplex: only what stands out of a possible leak counts as the person.

    `leak`: the share of the echo that is left where a canceller has been at work. Root mean squares in 0..1.
    """
    return microphone_rms >= max(counts_from, 0.6 * leak * playback_rms + 0.002)
