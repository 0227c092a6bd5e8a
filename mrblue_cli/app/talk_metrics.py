"""Numbers of a running talk for Prometheus, on 127.0.0.1 (voice-craft section 16). Imported only when asked for.

Labels have few values each: what a server or a model wrote becomes `other` unless it is a word we know.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.errors import UsageError
from mrblue_cli.core.prices import NANO
from mrblue_cli.core.texts import tell
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.rungs import RungName

if TYPE_CHECKING:
    from mrblue_cli.voice.charges import Charge

HOST = "127.0.0.1"
ANY_PORT = -1
OTHER = "other"
_LATENCY = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
_STOP = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.5)
_ENGINES = frozenset({"local", "openai", "batch", "text"})
_RUNGS = frozenset(str(name) for name in RungName)
_OUTCOMES = frozenset({"done", "quit", "interrupted", "error", "max_cost"})
_REASONS = frozenset(
    {
        "connect", "auth", "provider", "remote", "component", "missing_part", "config", "rate_limit", "asked",
        "recovered", "reply_timeout",
    }
)  # fmt: skip
_MOST_TOOLS = 50


class TalkMetrics:
    """Follows one event stream; `see` takes microseconds. `serve` answers scrapes from a thread of its own."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.registry = registry = CollectorRegistry(auto_describe=False)
        self._server: WSGIServer | None = None
        self._thread: Thread | None = None
        self._engine, self._rung = OTHER, OTHER
        self._started = False
        self._state: ev.State | None = None
        self._since = self._clock.now()
        self._tools: set[str] = set()
        self._sessions = Counter(
            "streaming_sessions",
            "Talks: outcome started when one begins, then how it ended.",
            ("engine", "rung", "outcome"),
            registry=registry,
        )
        self._latency = Histogram(
            "streaming_latency_seconds",
            "From the end of the person's turn to the first sample of the reply.",
            ("engine", "rung"),
            buckets=_LATENCY,
            registry=registry,
        )
        self._fallbacks = Counter(
            "streaming_fallbacks", "Changes of the way to talk.", ("from", "to", "reason"), registry=registry
        )
        self._dropped = Counter("audio_chunks_dropped", "Blocks of 20 ms that were lost.", ("side",), registry=registry)
        self._stops = Histogram(
            "streaming_barge_in_stop_seconds",
            "From the decision to interrupt to silence at the output.",
            buckets=_STOP,
            registry=registry,
        )
        self._turns = Counter("streaming_turns", "Turns that were answered or cut off.", registry=registry)
        self._underruns = Counter("streaming_underruns", "Output ran dry in a reply.", registry=registry)
        self._overruns = Counter("streaming_overruns", "Stretches of microphone sound lost.", registry=registry)
        self._reconnects = Counter("streaming_reconnects", "Connections made again.", registry=registry)
        self._tokens = Counter("streaming_tokens", "Tokens used.", ("kind",), registry=registry)
        self._cost = Counter("streaming_cost_usd", "Spent, US dollars.", registry=registry)
        self._unpriced = Counter("streaming_unpriced", "Uses of models without a known price.", registry=registry)
        self._calls = Counter("streaming_tool_calls", "Tool calls that ended.", ("name", "status"), registry=registry)
        self._failures = Counter("streaming_failures", "Things told as failed.", ("fatal",), registry=registry)
        self._seconds = Counter("streaming_state_seconds", "Time spent in each state.", ("state",), registry=registry)
        self._now = Gauge("streaming_state", "1 for the state now.", ("state",), registry=registry)
        for state in ev.State:
            self._now.labels(str(state)).set(0)
        self._dropped.labels("microphone")

    def serve(self, port: int) -> str:
        """Answer scrapes at `port` (`ANY_PORT`: any free one); returns the address. Raises `UsageError`."""
        try:
            server, thread = start_http_server(0 if port == ANY_PORT else port, addr=HOST, registry=self.registry)
        except (OSError, OverflowError) as error:
            words = getattr(error, "strerror", None) or error
            raise UsageError(
                tell("numbers cannot be offered at {host}:{port}: {words}", host=HOST, port=port, words=words),
                hint=tell("choose another port, or 0 for any free one"),
            ) from None
        self._server, self._thread = server, thread
        return f"http://{HOST}:{server.server_port}/metrics"

    def close(self) -> None:
        """Stop answering; safe to call again."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        if self._thread is not None:
            self._thread.join()

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event."""
        self._pass_time()
        match event:
            case ev.SessionStarted():
                self._engine, self._rung = _known(event.engine, _ENGINES), _known(event.rung, _RUNGS)
                if not self._started:
                    self._started = True
                    self._sessions.labels(self._engine, self._rung, "started").inc()
            case ev.StatusChanged():
                self._enter(event.state)
            case ev.TurnMeasured():
                self._turn(event)
            case ev.RungChanged():
                self._change(event)
            case ev.Spent():
                for charge in event.charges:
                    self._spend(charge)
            case ev.ToolRan() if event.status is not ev.ToolStatus.RUNNING:
                self._calls.labels(self._tool(event), str(event.status)).inc()
            case ev.Failure():
                self._failures.labels("yes" if event.fatal else "no").inc()
            case ev.Ended():
                self._sessions.labels(self._engine, self._rung, _known(event.reason, _OUTCOMES)).inc()
            case _:
                pass

    def _turn(self, turn: ev.TurnMeasured) -> None:
        self._turns.inc()
        self._underruns.inc(turn.underruns)
        self._overruns.inc(turn.overruns)
        self._dropped.labels("microphone").inc(turn.dropped_chunks)
        if turn.latency_ms is not None:
            self._latency.labels(self._engine, self._rung).observe(turn.latency_ms / 1000)
        if turn.barge_in_stop_ms is not None:
            self._stops.observe(turn.barge_in_stop_ms / 1000)

    def _change(self, change: ev.RungChanged) -> None:
        before, self._rung = self._rung, _known(change.rung, _RUNGS)
        self._engine = _known(change.engine, _ENGINES)
        if change.reconnected:
            self._reconnects.inc()
        else:
            self._fallbacks.labels(before, self._rung, _known(change.code, _REASONS)).inc()

    def _spend(self, charge: Charge) -> None:
        for kind in ("text_input", "audio_input", "image_input", "cached_input", "text_output", "audio_output"):
            self._tokens.labels(kind).inc(getattr(charge, kind))
        if charge.cost_nano is None:
            self._unpriced.inc()
        else:
            self._cost.inc(charge.cost_nano / NANO)

    def _tool(self, ran: ev.ToolRan) -> str:
        """Names come from models; one that ran is a tool we offered, and there are not many of those."""
        if ran.status is not ev.ToolStatus.REFUSED and len(self._tools) < _MOST_TOOLS:
            self._tools.add(ran.name)
        return _known(ran.name, self._tools)

    def _enter(self, state: ev.State) -> None:
        if self._state is not None:
            self._now.labels(str(self._state)).set(0)
        self._state = state
        self._now.labels(str(state)).set(1)

    def _pass_time(self) -> None:
        """Meter readings come a dozen times a second, so that a scrape is never far behind."""
        now = self._clock.now()
        if self._state is not None:
            self._seconds.labels(str(self._state)).inc(max(0.0, now - self._since))
        self._since = now


def _known(word: str, words: frozenset[str] | set[str]) -> str:
    return word if word in words else OTHER
