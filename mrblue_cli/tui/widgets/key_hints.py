"""The bottom line: the keys that matter now."""

from __future__ import annotations

from textual.widgets import Static

from mrblue_cli.core.texts import tell


def key_name(key: str) -> str:
    """A key as it is called; most names stand on the keyboard and are nobody's language."""
    return tell("space") if key == "space" else key


class KeyHints(Static):
    """Shortened from the right when the terminal is narrow."""

    def __init__(self, talk_key: str) -> None:
        super().__init__(id="keys")
        self._hints = (
            tell("{key} talk", key=key_name(talk_key)),
            tell("m mute"), tell("esc stop"), tell("1-9 copy step"), tell("t type"),
            tell("ctrl+p commands"), tell("? help"), tell("ctrl+q quit"),
        )  # fmt: skip

    def on_mount(self) -> None:
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the line."""
        hints = list(self._hints)
        while len(hints) > 2 and len("   ".join(hints)) > self.size.width - 2:
            hints.pop(-2 if len(hints) > 3 else -1)
        self.update("   ".join(hints))
