"""Providers without sockets, in virtual time: implements `gateway.upstream.Upstream` for tests of what stands above it.

    wires = Wires(first=[says(60, cut=40), refuses(503)], second=says(60))

A script is one play for ever, or a list of which the last stays. The base URL of a provider is `http://NAME.test/v1`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, HttpRequest
from tests.fakes.upstream import Asked, Said
from tests.fakes.upstream_wires import prefill, tokens, wire_of

FOREVER = 1e6
"""Seconds; nobody waits that long."""
CUT = CallError(Fault(kind=FaultKind.BROKEN, message="The provider's answer was cut off."))
REFUSED = CallError(Fault(kind=FaultKind.CONNECT, message="The provider cannot be reached: refused."))
INPUT = 12


JSON: Mapping[str, str] = {"content-type": "application/json"}
EVENTS: Mapping[str, str] = {"content-type": "text/event-stream"}


class Reply(NamedTuple):
    """One answer: bytes and failures, each after a wait in seconds."""

    status: int = 200
    headers: Mapping[str, str] = JSON
    steps: Sequence[tuple[float, bytes | Exception]] = ()
    before: float = 0.0
    """Seconds until the head."""


Play = Callable[[Asked], Reply]


class Arriving:
    """`upstream.Incoming` of a scripted reply."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.open = True
        self._steps = reply.steps

    async def read(self) -> bytes:
        return b"".join([data async for data in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        for wait, step in self._steps:
            if wait:
                await asyncio.sleep(wait)
            if isinstance(step, Exception):
                raise step
            yield step

    def close(self) -> None:
        assert self.open, "closed twice"
        self.open = False

    def ended(self) -> None:
        self.close()


class Wires:
    """All providers by name."""

    def __init__(self, **scripts: Play | Sequence[Play]) -> None:
        self.scripts = scripts
        self.calls: list[tuple[str, Asked]] = []
        self.answers: list[Arriving] = []

    async def open(self, request: HttpRequest) -> Arriving:
        where = urlsplit(request.url)
        name = str(where.hostname).removesuffix(".test")
        number = self.count(name)
        asked = Asked(number, asyncio.get_running_loop().time(), "POST", where.path, request.headers, request.body)
        self.calls.append((name, asked))
        script = self.scripts[name]
        reply = (script if callable(script) else script[min(number, len(script) - 1)])(asked)
        if reply.before:
            await asyncio.sleep(reply.before)
        if reply.status == 0:
            raise REFUSED
        self.answers.append(Arriving(reply))
        return self.answers[-1]

    def count(self, name: str) -> int:
        """Calls of one provider so far."""
        return sum(called == name for called, _ in self.calls)

    def bodies(self, name: str) -> list[dict]:
        """What one provider was asked."""
        return [asked.json for called, asked in self.calls if called == name]

    def all_closed(self) -> None:
        """No connection was forgotten."""
        assert not [one for one in self.answers if one.open]


def says(
    count: int = 5,
    *,
    cut: int | None = None,
    how: Exception | None = CUT,
    finish: str = "stop",
    after_finish: bool = False,
    pace: float = 0.0,
    first: float = 0.0,
) -> Play:
    """An answer of `count` tokens, as a stream when asked so; a prefill is gone on from.

    `cut`: tokens after which `how` happens (None: nothing more ever comes). `after_finish`: it happens when the model
    has said why it stopped, before the end mark. `pace`, `first`: seconds before each token, before the first.
    """

    def play(asked: Asked) -> Reply:
        begun = prefill(asked)
        words = tokens(count)
        while begun and words and begun:
            word = words.pop(0)
            begun = begun.removeprefix(word)
        usage = Said(INPUT + count - len(words), len(words))
        breaks: tuple[float, bytes | Exception] = (FOREVER, b"") if how is None else (0.0, how)
        wire = wire_of(asked)
        if not asked.json.get("stream"):
            whole = wire.plain("".join(words), usage, finish)
            if cut is None and not after_finish:
                return Reply(steps=[(first, whole)])
            return Reply(steps=[(first, whole[:-7]), breaks])
        parts = wire.stream(words, usage, finish, asked)
        steps = [(0.0, parts.head), *((first if not n else pace, token) for n, token in enumerate(parts.tokens))]
        if cut is not None:
            done = count - len(words)
            return Reply(headers=EVENTS, steps=[*steps[: 1 + max(0, cut - done)], breaks])
        tail = [(0.0, part) for part in parts.tail]
        if after_finish:
            told = next(n for n, part in enumerate(parts.tail) if b"stop_reason" in part or b"finish_reason" in part)
            return Reply(headers=EVENTS, steps=[*steps, *tail[: told + 1], breaks])
        return Reply(headers=EVENTS, steps=[*steps, *tail])

    return play


def refuses(status: int, *, code: str | None = None, kind: str = "server_error", retry_after: str = "") -> Play:
    """An error answer."""

    def play(asked: Asked) -> Reply:
        headers = {"content-type": "application/json"} | ({"retry-after": retry_after} if retry_after else {})
        return Reply(
            status=status,
            headers=headers,
            steps=[(0.0, wire_of(asked).error(status, kind, code, "The provider refuses."))],
        )

    return play


def sends(*steps: bytes | Exception, content_type: str = "text/event-stream", pace: float = 0.0) -> Play:
    """Exactly this."""
    return lambda _asked: Reply(headers={"content-type": content_type}, steps=[(pace, step) for step in steps])


def unreachable(after: float = 0.0) -> Play:
    """No connection, which takes `after` seconds to be known."""
    return lambda _asked: Reply(status=0, before=after)


def silent() -> Play:
    """Takes the call and says nothing."""
    return lambda _asked: Reply(before=FOREVER)
