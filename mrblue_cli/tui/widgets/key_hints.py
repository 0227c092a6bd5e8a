"""The bottom line: the keys that matter now."""

from __future__ import annotations

from textual.widgets import Static


class KeyHints(Static):
    """Shortened from the right when the terminal is narrow."""

    def __init__(self, talk_key: str) -> None:
        super().__init__(id="keys")
        self._hints = (
            f"{talk_key} talk", "m mute", "esc stop", "1-9 copy step", "t type", "ctrl+p commands", "? help",
            "ctrl+q quit",
        )  # fmt: skip

    def on_mount(self) -> None:
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the line."""
        hints = list(self._hints)
        while len(hints) > 2 and len("   ".join(hints)) > self.size.width - 2:
            hints.pop(-2 if len(hints) > 3 else -1)
        self.update("   ".join(hints))
