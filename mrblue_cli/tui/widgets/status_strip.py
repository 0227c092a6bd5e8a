"""The top line: who answers, what is going on, how fast the last turn was, what it cost."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import (
    RungChanged,
    SessionStarted,
    Spent,
    State,
    StatusChanged,
    ToolRan,
    ToolStatus,
    TurnMeasured,
)
from mrblue_cli.voice.money import dollars
from mrblue_cli.voice.words import state_word

# The dot's shape differs too: state is never told by colour alone.
_DOTS = {
    State.CONNECTING: "◌",
    State.LISTENING: "○",
    State.HEARING: "●",
    State.THINKING: "◐",
    State.SPEAKING: "◉",
    State.MUTED: "⊘",
    State.RECONNECTING: "◌",
}


class StatusStrip(Static):
    """One line; parts that do not fit are left out from the right, the state never."""

    def __init__(self, *, name: str = "blue", private: bool = False) -> None:
        super().__init__(id="status")
        self._name = name
        self._mark = f" · {tell('private')}" if private else ""
        self._state = State.CONNECTING
        self._engine = ""
        self._latency: float | None = None
        self._spent: Spent | None = None
        self._tools: dict[str, str] = {}

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def see(self, event: StatusChanged | TurnMeasured | Spent) -> None:
        """Show the state word, how the last turn went, what the talk cost so far."""
        match event:
            case StatusChanged():
                self._state = event.state
            case TurnMeasured() if event.latency_ms is not None:
                self._latency = event.latency_ms / 1000
            case Spent():
                self._spent = event
            case _:
                pass
        self._show()

    def set_tool(self, event: ToolRan) -> None:
        """Show which tool is at work, until it is done."""
        self._tools.pop(event.call_id, None)
        if event.status is ToolStatus.RUNNING:
            self._tools[event.call_id] = event.name
        self._show()

    def set_session(self, session: SessionStarted) -> None:
        """Show who answers."""
        self._engine = _engine_words(session.engine, session.model)
        self._show()

    def set_rung(self, change: RungChanged) -> None:
        """Another one answers now, or the same one again."""
        if not change.reconnected:
            self._engine = _engine_words(change.engine)
            self._show()

    @property
    def _cost(self) -> str:
        """The total, and the limit where there is one; a `+` says that something has no known price."""
        spent = self._spent
        if spent is None:
            return "$0.00"
        total = "$?" if spent.total_usd is None else dollars(spent.total_usd)
        more = "+" if spent.unpriced and spent.total_usd is not None else ""
        return f"{total}{more}" if spent.limit_usd is None else f"{total}{more} / {dollars(spent.limit_usd)}"

    def _show(self) -> None:
        width = max(20, self.size.width - 2)
        word = state_word(self._state)
        if self._tools and self._state is State.THINKING:
            word = tell("using {tool}…", tool=next(reversed(self._tools.values())))
        state = f"{_DOTS[self._state]} {word}"
        left = f"mrblue  {self._name}{self._mark}{f' · {self._engine}' if self._engine else ''}"
        parts = [state]
        if self._latency is not None:
            parts.append(tell("last turn {seconds} s", seconds=f"{self._latency:.2f}"))
        parts.append(self._cost)
        while len(parts) > 1 and len(left) + 3 + len("    ".join(parts)) > width:
            parts.pop()
        right = "    ".join(parts)
        if len(left) + 2 + len(right) > width:
            left = f"mrblue{self._mark}"
        line = Text()
        line.append(left[:6], "bold")
        line.append(left[6:])
        line.append(" " * max(1, width - len(left) - len(right)))
        line.append(state, "bold")
        line.append(right[len(state) :])
        self.update(line)


def _engine_words(engine: str, model: str = "") -> str:
    match engine:
        case "local":
            return tell("local engine")
        case "text":
            return tell("in writing")
        case _:
            return f"{engine} · {model}" if model else engine
