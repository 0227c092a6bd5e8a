"""When the microphone must not hear the speaker. Pure rules; the session feeds them levels and sample counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.audio.pcm import RATE

HOLD_SECONDS = 0.3
"""A room goes on sounding after the loudspeaker fell silent."""


class Route(StrEnum):
    """Where replies come out."""

    HEADPHONES = "headphones"
    SPEAKERS = "speakers"


@dataclass(slots=True)
class EchoGate:
    """Half duplex on loudspeakers: no echo canceller is at work, so the microphone stays closed while a reply plays
    and until the player is drained plus `HOLD_SECONDS`. Headphones: full duplex, always open."""

    route: Route
    _hold_samples: int = 0

    def is_open(self, *, playing: bool, samples: int) -> bool:
        """Decide for the next `samples` of the microphone. `playing`: the player is not drained."""
        if self.route is Route.HEADPHONES:
            return True
        if playing:
            self._hold_samples = int(HOLD_SECONDS * RATE)
            return False
        held = self._hold_samples > 0
        self._hold_samples = max(0, self._hold_samples - samples)
        return not held


def counts_over_playback(microphone_rms: float, playback_rms: float) -> bool:
    """Second defence in full duplex: only what stands out of a possible leak counts as the person."""
    return microphone_rms >= max(0.015, 0.6 * playback_rms + 0.002)
