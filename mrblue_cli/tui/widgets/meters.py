"""Two meters and where sound comes from."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import Levels, SessionStarted, TurnMode
from mrblue_cli.voice.words import mode_word

_BARS = "▁▂▃▄▅▆▇█"
_CELLS = 8


class Meters(Static):
    """mic and speaker as little histories, then the way of taking turns and the microphone's name."""

    def __init__(self) -> None:
        super().__init__(id="meters")
        self._microphone = [0.0] * _CELLS
        self._speaker = [0.0] * _CELLS
        self._mode = ""
        self._device = ""

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def read(self, levels: Levels) -> None:
        """Take a reading."""
        self._microphone = [*self._microphone[1:], levels.microphone]
        self._speaker = [*self._speaker[1:], levels.speaker]
        self._show()

    def set_session(self, session: SessionStarted) -> None:
        """Name mode and microphone."""
        self._mode = mode_word(session.turn_mode)
        self._device = session.microphone or tell("no microphone: type instead")
        self._show()

    def set_mode(self, mode: TurnMode) -> None:
        """Name the way of taking turns."""
        self._mode = mode_word(mode)
        self._show()

    def _show(self) -> None:
        microphone, speaker = _bars(self._microphone), _bars(self._speaker)
        left = tell("mic {microphone}   speaker {speaker}", microphone=microphone, speaker=speaker)
        right = " · ".join(part for part in (self._mode, self._device) if part)
        width = max(20, self.size.width - 2)
        room = width - len(left) - 2
        if len(right) > room:
            right = f"{right[: max(0, room - 1)]}…" if room > 8 else ""
        self.update(Text(left + " " * max(1, width - len(left) - len(right)) + right))


def _bars(levels: list[float]) -> str:
    return "".join(_BARS[min(len(_BARS) - 1, int(level * len(_BARS)))] for level in levels)
