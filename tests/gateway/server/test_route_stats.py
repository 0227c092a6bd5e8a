"""How a route has been doing, from calls to a line of the status."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.server.route_stats import WINDOW, RouteStats, merged, percentile_ms, row_of
from mrblue_cli.gateway.status import RouteRow, Status, read_status, to_json

NOW = 1_800_000_000.0


def fault(kind):
    return Fault(kind=kind, message="x")


def row(stats, now=NOW):
    (record,) = merged(stats.records()).values()
    return row_of(record, priority=1, now=now)


def test_latencies_of_good_calls():
    stats = RouteStats()
    for number in range(1, 101):
        stats.record("p", "m", now=NOW, seconds=number / 100, first_token=number / 1000)
    stats.record("p", "m", now=NOW, seconds=90, fault=fault(FaultKind.TIMEOUT))
    told = row(stats, NOW + 5)
    assert (told.p50_ms, told.p95_ms, told.first_token_ms) == (500.0, 950.0, 50.0)
    assert (told.calls, told.failures, told.last_fault) == (101, 1, "timeout 5 s ago")
    assert told.health == "up"


def test_old_calls_are_forgotten_but_counted():
    stats = RouteStats()
    stats.record("p", "m", now=NOW, seconds=1)
    told = row(stats, NOW + WINDOW + 1)
    assert (told.calls, told.p50_ms, told.health) == (1, None, "idle")


@pytest.mark.parametrize(
    ("breaker", "failed", "health"),
    [("closed", 0, "up"), ("closed", 2, "degraded"), ("half-open", 0, "probing"), ("open", 0, "down")],
)
def test_health(breaker, failed, health):
    stats = RouteStats()
    for number in range(5):
        stats.record("p", "m", now=NOW, seconds=1, fault=fault(FaultKind.SERVER) if number < failed else None)
    stats.breaker("p", "m", breaker)
    assert row(stats).health == health


def test_a_bad_request_is_not_the_routes_failure():
    stats = RouteStats()
    for kind in (FaultKind.BAD_REQUEST, FaultKind.CONTENT_FILTER, FaultKind.CONTEXT_TOO_LONG):
        stats.record("p", "m", now=NOW, seconds=0.1, fault=fault(kind))
    assert (row(stats).calls, row(stats).failures, row(stats).last_fault) == (3, 0, None)


def test_workers_together():
    one, other = RouteStats(), RouteStats()
    one.record("p", "m", now=NOW - 9, seconds=0.1, fault=fault(FaultKind.SERVER))
    other.record("p", "m", now=NOW - 3, seconds=0.3, fault=fault(FaultKind.TIMEOUT))
    other.record("p", "m", now=NOW, seconds=0.5)
    one.breaker("p", "m", "half-open")
    records = merged([*one.records(), *other.records()])
    told = row_of(records["p", "m"], priority=None, now=NOW)
    assert (told.calls, told.failures, told.breaker, told.last_fault) == (3, 2, "half-open", "timeout 3 s ago")
    assert told.p50_ms == 500.0
    assert len(one.records()[0].samples) == 1  # merging left the workers' own alone


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.floats(0.01, 1))
def test_percentiles_are_values_that_happened(values, share):
    ordered = sorted(values)
    told = percentile_ms(ordered, share)
    assert told in {round(value * 1000, 1) for value in ordered}
    at_least = sum(round(value * 1000, 1) <= told for value in ordered)
    assert at_least >= math.ceil(share * len(ordered))


def test_long_ago_is_told_in_larger_words():
    stats = RouteStats()
    stats.record("p", "m", now=NOW, seconds=1, fault=fault(FaultKind.CONNECT))
    assert row(stats, NOW + 600).last_fault == "connect 10 min ago"
    assert row(stats, NOW + 7200).last_fault == "connect 2 h ago"


def test_the_document_survives_the_wire_and_other_versions():
    import json

    status = Status(routes=[RouteRow(provider="p", model="m", p50_ms=1.5)], uptime_s=3)
    assert read_status(json.dumps(to_json(status)).encode()) == status
    assert read_status(b'{"routes":[{"provider":"p","novel":1}],"more":{}}').routes[0].health == "idle"
    with pytest.raises(ValueError, match="Expected"):
        read_status(b"[]")
