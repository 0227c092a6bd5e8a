"""Numbers for Prometheus: what is counted, what a scrape over a real socket reads, and that labels stay few."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mrblue_cli.app.talk_metrics import ANY_PORT, TalkMetrics
from mrblue_cli.core.errors import UsageError
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.headless import Type
from tests.fakes.clock import ManualClock
from tests.voice.test_session import say
from tests.voice.test_spending import Dear

STARTED = ev.SessionStarted("openai", "gpt-realtime-2.1", "ga", ev.TurnMode.HANDS_FREE, rung="realtime")


def turn(latency_ms=600, **fields):
    stop, underruns = fields.pop("stop", None), fields.pop("underruns", 0)
    return ev.TurnMeasured(1000, 1500, 1550, 1000 + latency_ms, stop, underruns, **fields)


def scrape(metrics):
    address = metrics.serve(ANY_PORT)
    try:
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
            text = answer.read().decode()
    finally:
        metrics.close()
        metrics.close()
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name, *sorted(sample.labels.items())] = sample.value
    return samples


def test_a_scrape_over_a_real_socket_reads_a_whole_talk():
    clock = ManualClock()
    metrics = TalkMetrics(clock)
    tokens = {"text_input": 7, "audio_input": 3, "cached_input": 5, "audio_output": 9}
    cost = Charge(ChargeKind.REPLY, "m", **tokens, cost_nano=250_000_000)
    for event in (
        STARTED,
        ev.StatusChanged(ev.State.LISTENING),
        turn(600, stop=40, underruns=2, overruns=1, dropped_chunks=12),
        ev.Spent(0.25, 0.25, None, (cost, Charge(ChargeKind.TRANSCRIPTION, "x"))),
        ev.RungChanged("realtime", "openai", "the connection is back", reconnected=True, code="connect"),
        ev.RungChanged("local", "local", "no network", code="connect"),
        turn(900),
        ev.ToolRan("c1", "search_knowledge_base", "{}", ev.ToolStatus.RUNNING),
        ev.ToolRan("c1", "search_knowledge_base", "{}", ev.ToolStatus.DONE),
        ev.Failure("device", "gone", fatal=False),
    ):
        metrics.see(event)
    clock.advance(3.0)
    metrics.see(ev.StatusChanged(ev.State.SPEAKING))
    clock.advance(0.5)
    metrics.see(ev.Levels(0, 0))
    metrics.see(ev.Ended("quit"))
    told = scrape(metrics)
    realtime = (("engine", "openai"), ("rung", "realtime"))
    local = (("engine", "local"), ("rung", "local"))
    assert told["streaming_sessions_total", realtime[0], ("outcome", "started"), realtime[1]] == 1
    assert told["streaming_sessions_total", local[0], ("outcome", "quit"), local[1]] == 1
    assert told["streaming_latency_seconds_count", *realtime] == 1
    assert told["streaming_latency_seconds_sum", *realtime] == pytest.approx(0.6)
    assert told["streaming_latency_seconds_bucket", realtime[0], ("le", "0.5"), realtime[1]] == 0
    assert told["streaming_latency_seconds_bucket", realtime[0], ("le", "0.6"), realtime[1]] == 1
    assert told["streaming_latency_seconds_count", *local] == 1
    assert told["streaming_fallbacks_total", ("from", "realtime"), ("reason", "connect"), ("to", "local")] == 1
    assert told["audio_chunks_dropped_total", ("side", "microphone")] == 12
    assert told[("streaming_turns_total",)] == 2
    assert told[("streaming_underruns_total",)] == 2
    assert told[("streaming_overruns_total",)] == 1
    assert told[("streaming_reconnects_total",)] == 1
    assert told[("streaming_barge_in_stop_seconds_sum",)] == pytest.approx(0.04)
    assert told["streaming_tokens_total", ("kind", "cached_input")] == 5
    assert told["streaming_tokens_total", ("kind", "audio_output")] == 9
    assert told[("streaming_cost_usd_total",)] == pytest.approx(0.25)
    assert told[("streaming_unpriced_total",)] == 1
    assert told["streaming_tool_calls_total", ("name", "search_knowledge_base"), ("status", "done")] == 1
    assert told["streaming_failures_total", ("fatal", "no")] == 1
    assert told["streaming_state_seconds_total", ("state", "listening")] == pytest.approx(3.0)
    assert told["streaming_state_seconds_total", ("state", "speaking")] == pytest.approx(0.5)
    assert told["streaming_state", ("state", "speaking")] == 1
    assert told["streaming_state", ("state", "listening")] == 0


def test_the_numbers_of_a_whole_talk_are_those_of_its_summary():
    talk = Dear(max_cost=1.0)
    talk.hold(say("question"), Type("and again"))
    metrics = TalkMetrics(ManualClock())
    for event in talk.events:
        metrics.see(event)
    told = scrape(metrics)
    summary = talk.events[-2]
    assert told[("streaming_turns_total",)] == summary.turns == 2
    assert told[("streaming_cost_usd_total",)] == pytest.approx(summary.total_usd)
    assert told["streaming_latency_seconds_count", ("engine", "openai"), ("rung", "realtime")] == 2
    tokens = sum(told["streaming_tokens_total", ("kind", f"{kind}_output")] for kind in ("text", "audio"))
    assert tokens == summary.output_tokens
    ended = ("engine", "openai"), ("outcome", "done"), ("rung", "realtime")
    assert told["streaming_sessions_total", *ended] == 1


def test_strangers_words_never_become_labels():
    metrics = TalkMetrics(ManualClock())
    metrics.see(ev.SessionStarted("some.host.example", "m", "ga", ev.TurnMode.HANDS_FREE, rung="evil"))
    for number in range(200):
        metrics.see(ev.ToolRan(f"c{number}", f"made_up_{number}", "{}", ev.ToolStatus.REFUSED))
        metrics.see(ev.ToolRan(f"d{number}", f"many_{number}", "{}", ev.ToolStatus.DONE))
        metrics.see(ev.RungChanged(f"rung{number}", "x", "why", code=f"code{number}"))
        metrics.see(ev.Ended(f"reason {number}"))
    told = scrape(metrics)
    names = {dict(key[1:])["name"] for key in told if key[0] == "streaming_tool_calls_total"}
    assert len(names) == 51
    assert "other" in names
    assert not any(name.startswith("made_up") for name in names)
    assert [key for key in told if key[0] == "streaming_fallbacks_total"] == [
        ("streaming_fallbacks_total", ("from", "other"), ("reason", "other"), ("to", "other"))
    ]
    assert sum(key[0] == "streaming_sessions_total" for key in told) == 2


def test_before_anything_happened_the_numbers_are_there():
    told = scrape(TalkMetrics())
    assert told["audio_chunks_dropped_total", ("side", "microphone")] == 0
    assert told[("streaming_turns_total",)] == 0
    assert {key[1] for key in told if key[0] == "streaming_state"} == {("state", str(state)) for state in ev.State}


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}") as caught:
            TalkMetrics().serve(port)
    assert "choose another port" in caught.value.hint


def test_only_this_machine_is_answered():
    metrics = TalkMetrics()
    metrics.serve(ANY_PORT)
    assert metrics._server.server_address[0] == "127.0.0.1"
    metrics.close()
