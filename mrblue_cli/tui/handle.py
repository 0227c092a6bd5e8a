"""What the screen needs of a running conversation; `voice.runner.TalkRunner` is one, tests bring another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mrblue_cli.voice.controls import Control
from mrblue_cli.voice.events import TalkEvent


class TalkHandle(Protocol):
    """A conversation that runs elsewhere."""

    def start(self, on_event: Callable[[TalkEvent], None]) -> None:
        """Begin; `on_event` is called from another thread."""
        ...

    def send(self, control: Control) -> None:
        """Hand over what the person did; never blocks."""
        ...

    def stop(self) -> bool:
        """End it and wait a moment."""
        ...
