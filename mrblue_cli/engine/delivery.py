"""Clauses of one reply, spoken in order: the next is made while one is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

AHEAD = 1
"""Clauses in the making beside the one that is delivered: more would be thrown away when the person breaks in."""
Say = Callable[[str], AsyncIterator[bytes]]
Deliver = Callable[[str, bytes], None]


@dataclass(slots=True)
class _Clause:
    text: str
    pieces: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


async def speak_in_order(clauses: AsyncIterator[str], say: Say, deliver: Deliver) -> None:
    """Speak each clause and hand it on: its text with its first piece of sound (`b""` when it has none), then the rest.

    What fails in `say` ends everything and is raised; what fails in `clauses` is raised after what came before it
    was delivered. A cancel stops all requests under way.
    """
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            line: asyncio.Queue[_Clause | None] = asyncio.Queue()
            slots = asyncio.Semaphore(1 + AHEAD)
            group.create_task(_deliver(line, slots, deliver))
            try:
                async for text in clauses:
                    await slots.acquire()
                    clause = _Clause(text)
                    group.create_task(_make(clause, say))
                    line.put_nowait(clause)
            except Exception as error:  # noqa: BLE001 - raised again below, once what was said is delivered
                failure = error
            line.put_nowait(None)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    if failure is not None:
        raise failure


async def _make(clause: _Clause, say: Say) -> None:
    # Every voice is an async generator; closing it closes the request behind it.
    async with aclosing(cast("AsyncGenerator[bytes, None]", say(clause.text))) as pieces:
        async for pcm in pieces:
            clause.pieces.put_nowait(pcm)
    clause.pieces.put_nowait(None)


async def _deliver(line: asyncio.Queue[_Clause | None], slots: asyncio.Semaphore, deliver: Deliver) -> None:
    while (clause := await line.get()) is not None:
        pcm = await clause.pieces.get()
        deliver(f"{clause.text} ", pcm or b"")
        while pcm is not None:
            pcm = await clause.pieces.get()
            if pcm:
                deliver("", pcm)
        slots.release()
