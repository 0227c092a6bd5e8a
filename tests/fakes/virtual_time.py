"""An event loop whose time jumps instead of passing: minutes of conversation in milliseconds, the same every run.

`loop.time()` is virtual and serves as the session's clock too (`LoopClock`). When nothing is ready the loop jumps to
the next timer. Only for code that waits on timers and in-memory queues; real sockets would never become ready.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Instead of sleeping until the next timer, moves the loop's time there."""

    loop: VirtualLoop

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("virtual time: nothing is scheduled and nothing can happen any more (deadlock)")
        if not ready and timeout > 0:
            self.loop.offset += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time starts at zero and moves only by jumps to the next timer."""

    def __init__(self):
        self.offset = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.offset

    def run_in_executor(self, executor, func, *args):
        """Inline: a real thread would take real time, and virtual time would run away meanwhile."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class LoopClock:
    """`core.clock.Clock` on the running loop's time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()


def run_virtual(main: Awaitable[T], limit_seconds: float = 7200.0) -> T:
    """Run a coroutine to its end in virtual time; fails when it takes longer than `limit_seconds` of it."""
    loop = VirtualLoop()
    try:

        async def bounded() -> T:
            return await asyncio.wait_for(main, limit_seconds)

        return loop.run_until_complete(bounded())
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.wait(pending))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
