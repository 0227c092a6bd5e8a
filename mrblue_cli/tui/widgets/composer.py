"""Type instead of talking. Enter sends; up and down walk through what was sent before."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from mrblue_cli.core.texts import tell
from mrblue_cli.tui.messages import Submitted


class Composer(Input):
    """One line; a pasted error of many lines is joined, so that nothing of it is lost."""

    def __init__(self) -> None:
        super().__init__(placeholder=tell("type instead of talking"), id="composer", compact=True)
        self._sent: list[str] = []
        self._place = 0

    def _on_paste(self, event: events.Paste) -> None:
        joined = " ".join(line.strip() for line in event.text.splitlines() if line.strip())
        self.insert_text_at_cursor(joined)
        event.prevent_default()
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        event.stop()
        if not text:
            return
        self._sent.append(text)
        self._place = len(self._sent)
        self.value = ""
        self.post_message(Submitted(text))

    def on_key(self, event: events.Key) -> None:
        if event.key in {"up", "down"} and self._sent:
            step = -1 if event.key == "up" else 1
            self._place = min(len(self._sent), max(0, self._place + step))
            self.value = self._sent[self._place] if self._place < len(self._sent) else ""
            self.cursor_position = len(self.value)
            event.stop()
