"""One view over all workers: each leaves its numbers in a folder once a second, whoever is asked adds them up.

Files are small and replaced whole. A worker that ended leaves its counts behind, so that sums never fall.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from mrblue_cli.gateway.server.metrics import Metrics, Samples, added, exposition
from mrblue_cli.gateway.server.route_stats import RouteRecord, RouteStats, merged, row_of
from mrblue_cli.gateway.status import BudgetRow, CacheRow, LimitRow, RequestRow, Status

PUBLISH_EVERY = 1.0
"""Seconds between two calls of `Board.publish`."""
_GONE_AFTER = 15.0
"""Seconds without news after which a worker is taken to have ended."""
_SUFFIX = ".worker"


class _Sheet(msgspec.Struct):
    """What one worker publishes."""

    pid: int
    at: float
    """Unix seconds."""
    samples: list[Samples]
    routes: list[RouteRecord]


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Sheet).decode


class Board:
    """The numbers of this worker, and through the folder those of all."""

    def __init__(
        self,
        metrics: Metrics,
        routes: RouteStats,
        *,
        unix_now: Callable[[], float],
        folder: Path | None = None,
        pid: int | None = None,
    ) -> None:
        """Without a folder this worker is all there is."""
        self.metrics = metrics
        self.routes = routes
        self._now = unix_now
        self._started = unix_now()
        self._folder = folder
        self._pid = os.getpid() if pid is None else pid

    @staticmethod
    def clear(folder: Path) -> None:
        """Forget the workers of an earlier run: called once, before the first worker starts."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in folder.glob(f"*{_SUFFIX}"):
            file.unlink(missing_ok=True)

    def publish(self) -> None:
        """Leave this worker's numbers for the others. Does nothing without a folder; a full disk is not our end."""
        if self._folder is None:
            return
        draft = self._folder / f"{self._pid}.draft"
        own = self._own()
        # The budget is everybody's, and is looked up when asked for: what one saw last would outlive midnight here.
        own.samples = [family for family in own.samples if not family.name.startswith("mrblue_budget_")]
        with contextlib.suppress(OSError):
            draft.write_bytes(_ENCODE(own))
            draft.replace(self._folder / f"{self._pid}{_SUFFIX}")

    def exposition(self) -> bytes:
        """What `GET /metrics` answers: all workers added up."""
        return exposition(self._added(self._sheets()))

    def status(
        self,
        *,
        priorities: Mapping[tuple[str, str], int],
        version: str = "",
        warnings: Iterable[str] = (),
    ) -> Status:
        """The document of `GET /v1/status`. `priorities` names every configured route, (provider, model)."""
        sheets, now = self._sheets(), self._now()
        records = merged(record for sheet in sheets for record in sheet.routes)
        for provider, model in priorities:
            records.setdefault((provider, model), RouteRecord(provider=provider, model=model))
        rows = [row_of(record, priority=priorities.get(key), now=now) for key, record in records.items()]
        rows.sort(key=lambda row: (row.priority is None, row.priority or 0, row.provider, row.model))
        families = {family.name: family for family in self._added(sheets)}
        return Status(
            version=version,
            uptime_s=round(now - self._started, 1),
            workers=sum(self._runs(sheet) for sheet in sheets),
            routes=rows,
            requests=_requests(families),
            cache=_cache(families),
            budget=_budget(families),
            tokens={name: int(count) for name, count in _by(families, "mrblue_tokens", "direction").items()},
            warnings=list(warnings),
        )

    def _own(self) -> _Sheet:
        return _Sheet(self._pid, self._now(), self.metrics.samples(), self.routes.records())

    def _sheets(self) -> list[_Sheet]:
        """This worker's as it is now, the others' as last published."""
        sheets = [self._own()]
        if self._folder is None:
            return sheets
        for file in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if file.stem == str(self._pid):
                continue
            with contextlib.suppress(OSError, ValueError):  # gone meanwhile, or written by another version
                sheets.append(_DECODE(file.read_bytes()))
        for sheet in sheets:
            if not self._runs(sheet):
                for record in sheet.routes:
                    record.breaker = "closed"  # an opinion that died with its holder
        return sheets

    def _added(self, sheets: Iterable[_Sheet]) -> list[Samples]:
        return added((sheet.samples, self._runs(sheet)) for sheet in sheets)

    def _runs(self, sheet: _Sheet) -> bool:
        return self._now() - sheet.at <= _GONE_AFTER


def _by(families: Mapping[str, Samples], name: str, label: str) -> dict[str, float]:
    """A family's values, added up by one of its labels."""
    sums: dict[str, float] = {}
    family = families.get(name)
    for sample, labels, value in family.values if family else []:
        if sample in {name, f"{name}_total"}:
            key = labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + value
    return sums


def _sum(families: Mapping[str, Samples], name: str) -> float:
    return sum(_by(families, name, "").values())


def _requests(families: Mapping[str, Samples]) -> RequestRow:
    by_status = _by(families, "mrblue_requests", "status")
    return RequestRow(
        total=int(sum(by_status.values())),
        failed=int(sum(count for status, count in by_status.items() if status.startswith("5"))),
        refused=int(sum(count for status, count in by_status.items() if status.startswith("4"))),
        in_flight=int(_sum(families, "mrblue_in_flight")),
        realtime_sessions=int(_sum(families, "mrblue_realtime_sessions")),
    )


def _cache(families: Mapping[str, Samples]) -> CacheRow:
    kinds = {kind: int(count) for kind, count in _by(families, "mrblue_cache_lookups", "kind").items()}
    hits = kinds.get("hit-exact", 0) + kinds.get("hit-semantic", 0)
    looked = hits + kinds.get("miss", 0)
    return CacheRow(
        hit_exact=kinds.get("hit-exact", 0),
        hit_semantic=kinds.get("hit-semantic", 0),
        miss=kinds.get("miss", 0),
        bypass=kinds.get("bypass", 0),
        hit_rate=round(hits / looked, 4) if looked else None,
    )


def _budget(families: Mapping[str, Samples]) -> BudgetRow:
    spent = _by(families, "mrblue_budget_spent_usd", "period")
    limit = _by(families, "mrblue_budget_limit_usd", "period")
    periods = {
        period: LimitRow(spent_usd=round(spent.get(period, 0.0), 6), limit_usd=limit.get(period))
        for period in ("daily", "monthly")
    }
    cost = round(_sum(families, "mrblue_cost_usd"), 6)
    return BudgetRow(daily=periods["daily"], monthly=periods["monthly"], since_start_usd=cost)
