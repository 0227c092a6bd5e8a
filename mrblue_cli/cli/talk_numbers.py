"""What `mrblue talk --metrics-port` offers, from before the talk begins until after its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrblue_cli.app.talk import Observer
    from mrblue_cli.voice.events import TalkEvent


@dataclass(frozen=True, slots=True)
class Numbers:
    """What follows the talk for Prometheus, and where it is to be read; nothing when nobody asked."""

    observers: tuple[Observer, ...] = ()
    address: str = ""

    def told_to(self, emit: Callable[[TalkEvent], None]) -> None:
        """Say where the numbers are."""
        from mrblue_cli.core.texts import tell
        from mrblue_cli.voice.events import Advice

        if self.address:
            emit(Advice(tell("numbers for Prometheus: {address}", address=self.address)))


@contextlib.contextmanager
def offered(port: int) -> Iterator[Numbers]:
    """Offer numbers at this port: 0 none, -1 any free one. One that is taken is told at once: `UsageError`."""
    if port == 0:
        yield Numbers()
        return
    from mrblue_cli.app.talk_metrics import TalkMetrics

    metrics = TalkMetrics()
    address = metrics.serve(port)
    try:
        yield Numbers((metrics,), address)
    finally:
        metrics.close()
