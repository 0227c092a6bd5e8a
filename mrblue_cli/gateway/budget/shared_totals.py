"""One budget over several machines, by way of Redis.

Each machine writes its own totals, whole and with the number of their state, into a field of a hash per period and
scope; the total is the sum of the fields. So a Redis that was lost, emptied or late is right again with the next write
of each machine, and nothing is ever added twice. The check and the write are one script, which Redis runs alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from mrblue_cli.gateway.budget.ledger import Snapshot
from mrblue_cli.gateway.budget.policy import AlertDue, Standing

T = TypeVar("T")
_PREFIX = "mrblue:{budget}"
"""The braces keep all keys on one node of a Redis cluster (Redis cluster specification, "Hash tags")."""
_DAY_KEPT_S = 3 * 86_400
_MONTH_KEPT_S = 40 * 86_400
_SCRIPT = """
-- ARGV: machine, check (1 or 0), amount, then for each key: version, spent, reserved, ceiling, stop, kept.
-- A ceiling or stop of -1 is none. Returns allowed, then what was spent and reserved before, for each key.
local machine, check, amount = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local answer, allowed = {1}, true
for place = 1, #KEYS do
  local at = 4 + (place - 1) * 6
  local version, spent, reserved = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local ceiling, stop = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local fields = redis.call('HGETALL', KEYS[place])
  for number = 1, #fields, 2 do
    local v, s, r = string.match(fields[number + 1], '^(%d+) (-?%d+) (-?%d+)$')
    if fields[number] ~= machine then
      spent, reserved = spent + tonumber(s), reserved + tonumber(r)
    elseif tonumber(v) > version then
      spent, reserved = spent + tonumber(s) - tonumber(ARGV[at + 1]), reserved + tonumber(r) - tonumber(ARGV[at + 2])
    end
  end
  local used = spent + reserved - amount
  if check and ((ceiling >= 0 and (used + amount > ceiling or used >= ceiling)) or (stop >= 0 and used >= stop)) then
    allowed = false
  end
  answer[#answer + 1] = string.format('%.0f', spent)
  answer[#answer + 1] = string.format('%.0f', reserved - amount)
end
if not allowed then
  answer[1] = 0
  return answer
end
for place = 1, #KEYS do
  local at = 4 + (place - 1) * 6
  local held = redis.call('HGET', KEYS[place], machine)
  local v = held and tonumber(string.match(held, '^(%d+)')) or -1
  if tonumber(ARGV[at]) > v then
    redis.call('HSET', KEYS[place], machine, ARGV[at] .. ' ' .. ARGV[at + 1] .. ' ' .. ARGV[at + 2])
    redis.call('EXPIRE', KEYS[place], ARGV[at + 5])
  end
end
return answer
"""


class Shared(Protocol):
    """A Redis that may be lost (`gateway.shared.SharedRedis`)."""

    async def run(
        self, name: str, action: Callable[[Any], Awaitable[T]], otherwise: Callable[[], T | Awaitable[T]]
    ) -> T:
        """What `action` returns, or `otherwise` when Redis does not answer in time."""
        ...


class Ceiling(NamedTuple):
    """What a scope may reach."""

    limit: int | None
    stop: int | None


class SharedTotals:
    """The totals of all machines."""

    def __init__(self, redis: Shared, machine: str) -> None:
        self._redis = redis
        self._machine = machine

    async def reserve(
        self, totals: Sequence[Snapshot], amount: int, ceilings: Sequence[Ceiling]
    ) -> list[Standing] | None:
        """Announce this machine's totals, with `amount` already in them, unless that passes a ceiling.

        Returns each scope's standing over all machines before the request; None when Redis is lost. A refused request
        is not announced: give it back, and publish what is left.
        """
        answer = await self._run(totals, amount, ceilings)
        return None if answer is None else _standings(answer)

    async def publish(self, totals: Sequence[Snapshot]) -> list[Standing] | None:
        """Announce this machine's totals; returns those of all machines, None when Redis is lost."""
        answer = await self._run(totals, 0, None)
        return None if answer is None else _standings(answer)

    async def is_news(self, alert: AlertDue) -> bool:
        """Whether no other machine has told of this yet. Without Redis each machine tells for itself."""
        key = ":".join([_PREFIX, "alert", alert.period, alert.scope, alert.what, str(alert.threshold), alert.action])

        async def claim(client: Any) -> bool:
            return bool(await client.set(key, self._machine, nx=True, ex=_kept(alert.period)))

        return await self._redis.run("budget alert", claim, lambda: True)

    async def _run(
        self, totals: Sequence[Snapshot], amount: int, ceilings: Sequence[Ceiling] | None
    ) -> list[Any] | None:
        if not totals:
            return []
        keys = [f"{_PREFIX}:{total.period}:{total.scope}" for total in totals]
        values: list[str | int] = [self._machine, int(ceilings is not None), amount]
        for total, ceiling in zip(totals, ceilings or [Ceiling(None, None)] * len(totals), strict=True):
            values += [total.version, total.spent, total.reserved, _or_none(ceiling.limit), _or_none(ceiling.stop)]
            values.append(_kept(total.period))

        async def script(client: Any) -> list[Any] | None:
            answer: list[Any] = await client.register_script(_SCRIPT)(keys=keys, args=values)
            return answer

        return await self._redis.run("budget", script, lambda: None)


def _standings(answer: Sequence[Any]) -> list[Standing]:
    return [Standing(int(spent), int(held)) for spent, held in zip(answer[1::2], answer[2::2], strict=True)]


def _kept(period: str) -> int:
    return _DAY_KEPT_S if len(period) == len("2026-11-21") else _MONTH_KEPT_S


def _or_none(amount: int | None) -> int:
    return -1 if amount is None else amount
