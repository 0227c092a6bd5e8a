"""What is really happening, step by step, with times and how sure we are."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from mrblue_cli.assistant.status import Status
from mrblue_cli.voice.events import Thinking

KEPT = 200


class ThinkingPanel(VerticalScroll):
    """Lines with seconds since the item began."""

    BORDER_TITLE = "Thinking"

    def __init__(self) -> None:
        super().__init__(id="thinking", classes="panel")
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
        row.add_row(Text(f"{seconds:.2f}", "dim"), Text(event.thought.text), event.thought.level or "")
        self.mount(Static(row))
        for gone in list(self.children)[:-KEPT]:
            gone.remove()
        self.call_after_refresh(self.scroll_end, animate=False)

    def set_status(self, status: Status) -> None:
        """Show how the assistant is doing, in one word."""
        self.border_subtitle = str(status)

    def clear(self) -> None:
        """Empty the panel."""
        self.remove_children()
