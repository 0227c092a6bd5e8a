"""Requests and tokens per minute, decided without a clock, a file or a socket: counts per second, time comes in.

A sliding window in steps of one second. It is strict: what is admitted in any 60 seconds, wherever they begin, is never
more than the limit, because the sum runs over the current second and the sixty before it. (A token bucket of the same
rate lets nearly twice the limit pass within a minute.)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import msgspec

WINDOW = 60
"""Seconds."""
Row = tuple[int, int, int]
"""A second since the epoch, with the requests and tokens admitted in it."""


class Wait(msgspec.Struct, frozen=True):
    """Why a request is not admitted now."""

    seconds: float
    """Until it would be; never less than it takes."""
    what: str
    """`requests` or `tokens`."""
    never: bool = False
    """It asks for more tokens at once than its key may use in a minute: waiting does not help."""


class Left(msgspec.Struct, frozen=True):
    """One limit after the decision."""

    limit: int
    remaining: int
    reset: float
    """Seconds until all of it is there again."""


class Verdict(msgspec.Struct, frozen=True):
    """What was decided, and what is left."""

    wait: Wait | None = None
    requests: Left | None = None
    tokens: Left | None = None
    second: int = 0
    """The second in which an admitted request counts."""

    def headers(self) -> dict[str, str]:
        """`x-ratelimit-*` as OpenAI's API sends them, and `retry-after` when the request has to wait."""
        fields = {}
        for name, left in (("requests", self.requests), ("tokens", self.tokens)):
            if left is not None:
                fields[f"x-ratelimit-limit-{name}"] = str(left.limit)
                fields[f"x-ratelimit-remaining-{name}"] = str(left.remaining)
                fields[f"x-ratelimit-reset-{name}"] = duration(left.reset)
        if self.wait is not None and not self.wait.never:
            fields["retry-after"] = str(max(1, math.ceil(self.wait.seconds)))
            fields["retry-after-ms"] = str(max(1, math.ceil(self.wait.seconds * 1000)))
        return fields


def decide(rows: Iterable[Row], now: float, *, requests: int | None, tokens: int | None, wanted: int) -> Verdict:
    """Whether one request that may use `wanted` tokens fits beside what was admitted before.

    `rows` hold what was admitted, in any order; `requests` and `tokens` are limits per minute, None for no limit.
    """
    live = sorted(row for row in rows if is_live(row[0], now))
    wait = None
    for limit, place, amount, what in ((requests, 1, 1, "requests"), (tokens, 2, wanted, "tokens")):
        if limit is None:
            continue
        seconds = _seconds_until(live, now, place, limit, amount)
        if seconds is None:
            wait = Wait(0.0, what, never=True)
        elif seconds > 0 and (wait is None or (not wait.never and seconds > wait.seconds)):
            wait = Wait(seconds, what)
    # A clock that was set back a little: the newest second goes on, which only makes the window stricter.
    second = max(math.floor(now), live[-1][0]) if live else math.floor(now)
    if wait is None:
        live.append((second, 1, wanted))
    return Verdict(wait, _left(live, now, 1, requests), _left(live, now, 2, tokens), second)


def is_live(second: int, now: float) -> bool:
    """Whether what was admitted in a second still counts. What lies far ahead was written by a clock gone wrong."""
    return -WINDOW <= second - math.floor(now) <= WINDOW


def duration(seconds: float) -> str:
    """A length of time as OpenAI's headers write it: `17ms`, `1s`, `6m0s`."""
    if seconds <= 0:
        return "0s"
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


class Window:
    """What one key was admitted, in this process."""

    def __init__(self) -> None:
        self._rows: deque[list[int]] = deque()
        self._requests = 0
        self._tokens = 0

    def take(self, now: float, *, requests: int | None, tokens: int | None, wanted: int) -> Verdict:
        """Admit one request, or say how long to wait."""
        self._trim(now)
        # Sums are kept, so that the common case adds nothing up.
        fits = (requests is None or self._requests < requests) and (tokens is None or self._tokens + wanted <= tokens)
        if not fits:
            return decide(self.rows(), now, requests=requests, tokens=tokens, wanted=wanted)
        second = math.floor(now)
        newest = self._rows[-1] if self._rows else None
        if newest is not None and newest[0] >= second:
            newest[1] += 1
            newest[2] += wanted
        else:
            self._rows.append([second, 1, wanted])
        self._requests += 1
        self._tokens += wanted
        reset = max(0.0, self._rows[-1][0] + WINDOW + 1 - now)
        return Verdict(
            None,
            Left(requests, requests - self._requests, reset) if requests is not None else None,
            Left(tokens, tokens - self._tokens, reset) if tokens is not None else None,
            self._rows[-1][0],
        )

    def give_back(self, now: float, second: int, unused: int) -> None:
        """Tokens that were counted in a second and not used."""
        self._trim(now)
        for row in self._rows:
            if row[0] == second:
                part = min(unused, row[2])
                row[2] -= part
                self._tokens -= part
                return

    def rows(self) -> list[Row]:
        """What counts, oldest first."""
        return [(second, requests, tokens) for second, requests, tokens in self._rows]

    def _trim(self, now: float) -> None:
        if self._rows and not is_live(self._rows[-1][0], now):
            self._rows.clear()
            self._requests = self._tokens = 0
        while self._rows and not is_live(self._rows[0][0], now):
            _, requests, tokens = self._rows.popleft()
            self._requests -= requests
            self._tokens -= tokens


def _seconds_until(live: list[Row], now: float, place: int, limit: int, amount: int) -> float | None:
    """Seconds until `amount` fits; 0: now; None: never. `live` is oldest first."""
    if amount > limit:
        return None
    excess = sum(row[place] for row in live) + amount - limit
    if excess <= 0:
        return 0.0
    for row in live:
        excess -= row[place]
        if excess <= 0:
            return max(0.001, row[0] + WINDOW + 1 - now)
    return None


def _left(live: list[Row], now: float, place: int, limit: int | None) -> Left | None:
    if limit is None:
        return None
    used = sum(row[place] for row in live)
    newest = max((row[0] for row in live if row[place]), default=None)
    return Left(limit, max(0, limit - used), 0.0 if newest is None else max(0.0, newest + WINDOW + 1 - now))
