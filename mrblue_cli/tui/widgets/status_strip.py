"""The top line: who answers, what is going on, how fast the last turn was, what it cost."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import SessionStarted, State, TurnMeasured

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

    def __init__(self, *, private: bool = False) -> None:
        super().__init__(id="status")
        self._mark = f" · {tell('private')}" if private else ""
        self._state = State.CONNECTING
        self._engine = ""
        self._latency: float | None = None
        self._cost = 0.0

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def set_state(self, state: State) -> None:
        """Show the state word."""
        self._state = state
        self._show()

    def set_session(self, session: SessionStarted) -> None:
        """Show who answers."""
        self._engine = "local engine" if session.engine == "local" else f"{session.engine} · {session.model}"
        self._show()

    def add_turn(self, turn: TurnMeasured) -> None:
        """Show how the last turn went."""
        if turn.latency_ms is not None:
            self._latency = turn.latency_ms / 1000
        self._cost += turn.cost_usd or 0.0
        self._show()

    def _show(self) -> None:
        width = max(20, self.size.width - 2)
        state = f"{_DOTS[self._state]} {self._state}"
        left = f"mrblue  blue{self._mark}{f' · {self._engine}' if self._engine else ''}"
        parts = [state]
        if self._latency is not None:
            parts.append(f"last turn {self._latency:.2f} s")
        parts.append(f"${self._cost:.2f}" if self._cost < 10 else f"${self._cost:.1f}")
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
