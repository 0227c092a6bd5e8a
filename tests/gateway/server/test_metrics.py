"""What Prometheus sees, of one worker and of several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from mrblue_cli.gateway.model import Fault, FaultKind, Surface, Usage
from mrblue_cli.gateway.server.board import Board
from mrblue_cli.gateway.server.metrics import Metrics, added, exposition
from mrblue_cli.gateway.server.route_stats import RouteStats

TIMEOUT = Fault(kind=FaultKind.TIMEOUT, message="slow")


class UnixClock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


def make():
    return Metrics(providers=["openai", "groq"], models=["gpt-4o", "llama"])


def values(text):
    """{(sample, labels…): value} of an exposition."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[(sample.name, *sorted(sample.labels.items()))] = sample.value
    return found


def read(metrics, name, **labels):
    return values(exposition(added([(metrics.samples(), True)]))).get((name, *sorted(labels.items())))


def answer(metrics, **changes):
    told = {"surface": Surface.CHAT, "model": "gpt-4o", "provider": "openai", "status": 200, "seconds": 0.3}
    metrics.observe_request(**{**told, **changes})


def test_an_answer_is_counted_and_timed():
    metrics = make()
    answer(metrics, first_token=0.12)
    answer(metrics, status=503, provider="")
    common = {"surface": "chat", "model": "gpt-4o"}
    assert read(metrics, "mrblue_requests_total", provider="openai", status="200", **common) == 1
    assert read(metrics, "mrblue_requests_total", provider="none", status="503", **common) == 1
    assert read(metrics, "mrblue_request_seconds_count", **common) == 2
    assert read(metrics, "mrblue_request_seconds_sum", **common) == pytest.approx(0.6)
    assert read(metrics, "mrblue_request_seconds_bucket", le="0.25", **common) == 0
    assert read(metrics, "mrblue_request_seconds_bucket", le="0.5", **common) == 2
    assert read(metrics, "mrblue_first_token_seconds_count", **common) == 1


def test_attempts_faults_breakers_and_cache():
    metrics = make()
    metrics.observe_attempt("openai", None)
    metrics.observe_attempt("openai", TIMEOUT)
    metrics.observe_breaker("openai", "gpt-4o", "open")
    metrics.observe_cache("hit-exact", saved_nano=2_500_000)
    metrics.observe_cache("miss")
    assert read(metrics, "mrblue_attempts_total", provider="openai", outcome="ok") == 1
    assert read(metrics, "mrblue_attempts_total", provider="openai", outcome="fault") == 1
    assert read(metrics, "mrblue_faults_total", provider="openai", kind="timeout") == 1
    assert read(metrics, "mrblue_breaker_state", provider="openai", model="gpt-4o") == 2
    metrics.observe_breaker("openai", "gpt-4o", "closed")
    assert read(metrics, "mrblue_breaker_state", provider="openai", model="gpt-4o") == 0
    assert read(metrics, "mrblue_cache_lookups_total", kind="miss") == 1
    assert read(metrics, "mrblue_cache_saved_usd_total") == pytest.approx(0.0025)


def test_usage_cost_and_budget():
    metrics = make()
    usage = Usage(input_tokens=10, output_tokens=5, cached_input_tokens=4, audio_input_tokens=3, audio_output_tokens=2)
    metrics.observe_usage("groq", "llama", usage, 1_500_000_000)
    metrics.observe_usage("groq", "llama", Usage(input_tokens=1), None)
    labels = {"provider": "groq", "model": "llama"}
    told = {
        direction: read(metrics, "mrblue_tokens_total", direction=direction, **labels)
        for direction in ("input", "output", "cached_input", "audio_input", "audio_output")
    }
    assert told == {"input": 11, "output": 5, "cached_input": 4, "audio_input": 3, "audio_output": 2}
    assert read(metrics, "mrblue_cost_usd_total", **labels) == 1.5
    assert read(metrics, "mrblue_unpriced_calls_total", **labels) == 1
    metrics.observe_budget("daily", 2_000_000_000, 50_000_000_000)
    assert read(metrics, "mrblue_budget_limit_usd", period="daily") == 50
    metrics.observe_budget("daily", 3_000_000_000, None)  # a reload took the limit away
    assert read(metrics, "mrblue_budget_spent_usd", period="daily") == 3
    assert read(metrics, "mrblue_budget_limit_usd", period="daily") is None


def test_what_goes_up_comes_down():
    metrics = make()
    metrics.request_began()
    metrics.request_began()
    metrics.request_ended()
    metrics.session_began()
    assert read(metrics, "mrblue_in_flight") == 1
    assert read(metrics, "mrblue_realtime_sessions") == 1
    metrics.session_ended("client")
    assert read(metrics, "mrblue_realtime_sessions") == 0
    assert read(metrics, "mrblue_realtime_sessions_ended_total", by="client") == 1


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.integers(-5, 9999)), max_size=30))
def test_what_clients_make_up_never_becomes_a_label(made_up):
    metrics = make()
    for model, provider, status in made_up:
        answer(metrics, model=f"x{model}", provider=f"x{provider}", status=status)
        metrics.observe_usage(f"x{provider}", f"x{model}", Usage(input_tokens=1), None)
        metrics.observe_breaker(f"x{provider}", f"x{model}", model)
    for key in values(exposition(metrics.samples())):
        labels = dict(key[1:])
        assert labels.get("model", "other") == "other"
        assert labels.get("provider", "other") == "other"
        assert labels.get("status", "other") == "other" or 100 <= int(labels["status"]) <= 599


def test_a_reload_brings_new_names():
    metrics = make()
    metrics.learn(models=["new"])
    answer(metrics, model="new")
    assert read(
        metrics, "mrblue_requests_total", surface="chat", model="new", provider="openai", status="200"
    ) == 1  # fmt: skip


def test_workers_add_up_and_the_dead_leave_their_counts():
    one, other = make(), make()
    for metrics, spent in ((one, 2_000_000_000), (other, 3_000_000_000)):
        answer(metrics)
        metrics.request_began()
        metrics.observe_budget("daily", spent, None)
    other.observe_breaker("openai", "gpt-4o", "open")
    name = (
        "mrblue_requests_total",
        ("model", "gpt-4o"),
        ("provider", "openai"),
        ("status", "200"),
        ("surface", "chat"),
    )
    both = values(exposition(added([(one.samples(), True), (other.samples(), True)])))
    assert both[name] == 2
    assert both[("mrblue_in_flight",)] == 2
    assert both[("mrblue_budget_spent_usd", ("period", "daily"))] == 3  # one ledger, seen twice
    assert both[("mrblue_breaker_state", ("model", "gpt-4o"), ("provider", "openai"))] == 2
    left = values(exposition(added([(one.samples(), True), (other.samples(), False)])))
    assert left[name] == 2
    assert left[("mrblue_in_flight",)] == 1


def boards(folder, clock, count=2):
    return [Board(make(), RouteStats(), unix_now=clock, folder=folder, pid=100 + number) for number in range(count)]


def test_any_worker_answers_for_all(tmp_path):
    clock = UnixClock()
    Board.clear(tmp_path)
    one, other = boards(tmp_path, clock)
    for board in (one, other):
        answer(board.metrics)
        board.routes.record("openai", "gpt-4o", now=clock(), seconds=0.2)
        board.publish()
    answer(one.metrics, status=500)  # not published yet, and still seen by its own worker
    status = one.status(priorities={("openai", "gpt-4o"): 1, ("groq", "llama"): 2}, version="1")
    assert (status.workers, status.requests.total, status.requests.failed) == (2, 3, 1)
    assert [(row.provider, row.calls, row.health) for row in status.routes] == [
        ("openai", 2, "up"),
        ("groq", 0, "idle"),
    ]
    assert other.status(priorities={}).requests.total == 2
    assert values(other.exposition())[("mrblue_in_flight",)] == 0


def test_a_worker_that_fell_silent_counts_no_more_but_its_counts_do(tmp_path):
    clock = UnixClock()
    one, other = boards(tmp_path, clock)
    answer(other.metrics)
    other.metrics.session_began()
    other.routes.breaker("openai", "gpt-4o", "open")
    other.publish()
    assert one.status(priorities={}).requests.realtime_sessions == 1
    assert one.status(priorities={}).routes[0].health == "down"
    clock.now += 16
    status = one.status(priorities={})
    assert (status.workers, status.requests.total, status.requests.realtime_sessions) == (1, 1, 0)
    assert status.routes[0].breaker == "closed"


def test_files_that_cannot_be_read_are_passed_over(tmp_path):
    clock = UnixClock()
    (board,) = boards(tmp_path, clock, 1)
    (tmp_path / "7.worker").write_bytes(b"\x00garbage")
    assert board.status(priorities={}).workers == 1
    Board.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
    Board(make(), RouteStats(), unix_now=clock, folder=tmp_path / "gone").publish()  # no folder, no end


def test_the_status_tells_cache_budget_and_tokens():
    clock = UnixClock()
    board = Board(make(), RouteStats(), unix_now=clock)
    for kind in ("hit-exact", "hit-semantic", "miss", "miss", "bypass"):
        board.metrics.observe_cache(kind)
    board.metrics.observe_budget("daily", 1_250_000_000, 50_000_000_000)
    board.metrics.observe_usage("openai", "gpt-4o", Usage(input_tokens=7, output_tokens=2), 1_000_000)
    clock.now += 60
    status = board.status(priorities={}, warnings=["Redis is gone"])
    assert status.cache.hit_rate == 0.5
    assert status.cache.bypass == 1
    assert (status.budget.daily.spent_usd, status.budget.daily.limit_usd) == (1.25, 50)
    assert status.budget.monthly.limit_usd is None
    assert status.budget.since_start_usd == 0.001
    assert status.tokens == {"input": 7, "output": 2}
    assert (status.uptime_s, status.warnings) == (60.0, ["Redis is gone"])


def test_the_budget_is_nobodys_to_leave_behind(tmp_path):
    """What a worker saw yesterday would else be the largest value for ever."""
    first, second = Metrics(), Metrics()
    yesterday = Board(first, RouteStats(), unix_now=lambda: 1000.0, folder=tmp_path, pid=1)
    today = Board(second, RouteStats(), unix_now=lambda: 1001.0, folder=tmp_path, pid=2)
    first.observe_budget("daily", 40_000_000_000, None)
    first.observe_cache("miss", 0)
    yesterday.publish()
    second.observe_budget("daily", 1_000_000_000, None)
    page = today.exposition().decode()
    assert 'mrblue_budget_spent_usd{period="daily"} 1.0' in page
    assert 'mrblue_cache_lookups_total{kind="miss"} 1.0' in page
