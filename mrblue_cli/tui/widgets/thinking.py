"""What is really happening, step by step, with times and how sure we are."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from mrblue_cli.assistant.status import Status
from mrblue_cli.assistant.thinking import Level
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import Thinking

KEPT = 200


class ThinkingPanel(VerticalScroll):
    """Lines with seconds since the item began."""

    def __init__(self) -> None:
        super().__init__(id="thinking", classes="panel")
        self.border_title = tell("Thinking")
        self._item: str | None = None
        self._began_ms = 0

    def add(self, event: Thinking) -> None:
        """Show one step."""
        if event.item_id is not None and event.item_id != self._item:
            self._item, self._began_ms = event.item_id, event.at_ms
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=5, justify="right")
        row.add_column(ratio=1)
        row.add_column(width=6)
        seconds = max(0, event.at_ms - self._began_ms) / 1000
        row.add_row(Text(f"{seconds:.2f}", "dim"), Text(event.thought.text), _level(event.thought.level))
        self.mount(Static(row))
        for gone in list(self.children)[:-KEPT]:
            gone.remove()
        self.call_after_refresh(self.scroll_end, animate=False)

    def set_status(self, status: Status) -> None:
        """Show how the assistant is doing, in one word."""
        self.border_subtitle = _status(status)

    def clear(self) -> None:
        """Empty the panel."""
        self.remove_children()


def _level(level: Level | None) -> str:
    match level:
        case Level.HIGH:
            return tell("high")
        case Level.MEDIUM:
            return tell("medium")
        case Level.LOW:
            return tell("low")
        case None:
            return ""


def _status(status: Status) -> str:
    words = {
        Status.ACTIVE: tell("active"),
        Status.MONITORING: tell("monitoring"),
        Status.LEARNING: tell("learning"),
        Status.PAUSED: tell("paused"),
        Status.ESCALATED: tell("escalated"),
        Status.REVIEWING: tell("reviewing"),
        Status.CONFIDENT: tell("confident"),
        Status.UNCERTAIN: tell("uncertain"),
        Status.TRAINING: tell("training"),
        Status.IDLE: tell("idle"),
    }
    return words[status]
