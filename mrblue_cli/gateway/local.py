"""Answers of providers that live in this process, dealt out as if they came over a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from mrblue_cli.gateway.model import CallError, Fault, FaultKind
from mrblue_cli.gateway.providers.scripted import ScriptedAnswer
from mrblue_cli.gateway.upstream import Incoming


def play(answer: ScriptedAnswer, sleep: Callable[[float], Awaitable[None]]) -> Incoming:
    """The answer, step by step. Raises `CallError` (CONNECT) when it breaks before it began."""
    if answer.cut and not answer.steps:
        raise CallError(Fault(kind=FaultKind.CONNECT, message="The provider cannot be reached: it hung up, as told."))
    return _Played(answer, sleep)


class _Played:
    """`Incoming` without a network."""

    def __init__(self, answer: ScriptedAnswer, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._sleep = sleep

    async def read(self) -> bytes:
        return b"".join([data async for data in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        for delay, data in self._answer.steps:
            if delay > 0:
                await self._sleep(delay)
            yield data
        if self._answer.cut:
            raise CallError(Fault(kind=FaultKind.BROKEN, message="The provider's answer was cut off."))

    def close(self) -> None:
        """Nothing is open."""

    def ended(self) -> None:
        """Nothing is open."""
