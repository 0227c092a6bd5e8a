"""OpenTelemetry: one span for each request, a child for each call of a provider, sent over OTLP/HTTP.

Spans are made when a request is over, from what the log line is made of (`spans`). They are queued; a thread of the
SDK's sends them, so a collector that is slow or gone costs the spans beyond a queue of 2,048, and no request anything.
A client's `traceparent` is continued; providers are strangers and get none.

Imported only where an address is configured: the packages are the extra `otel`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mrblue_cli import __version__
from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.options import TelemetryOptions
from mrblue_cli.gateway.server.spans import attempt_attributes, operation, request_attributes

FLUSH = 2.0
"""Seconds that the last spans get when the gateway ends."""
_EXPORT = 10.0
"""Seconds for one delivery with its retries; this is the time of the SDK's thread."""


def traces_address(endpoint: str) -> str:
    """Where spans go: the address as it is when it has a path, else OTLP's own path below it."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/v1/traces"


class Tracing:
    """Turns records into spans. Make it in the process that serves: it owns a thread."""

    def __init__(self, options: TelemetryOptions, *, wall: Callable[[], float], say: Callable[..., None]) -> None:
        """`wall` gives Unix seconds; `say` takes a line and a level, from any thread."""
        address = traces_address(options.otlp_endpoint)
        resource = Resource.create(
            {
                "service.name": options.service_name,
                "service.version": __version__,
                "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
            }
        )
        exporter = _Watched(OTLPSpanExporter(endpoint=address, timeout=_EXPORT), address, say)
        self._processor = BatchSpanProcessor(exporter, schedule_delay_millis=1000)
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("mrblue.gateway", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._wall = wall

    def finished(self, record: Record) -> None:
        """A request is over: its spans, with the times at which things happened."""
        ended = self._wall()
        began = ended - record.seconds
        carrier = {"traceparent": record.traceparent, "tracestate": record.tracestate} if record.traceparent else {}
        attributes = request_attributes(record)
        span = self._tracer.start_span(
            f"POST {attributes['http.route']}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes=attributes,
            start_time=_nano(began),
        )
        if span.is_recording():
            below = set_span_in_context(span)
            for note in record.attempts:
                start = began + max(note.began - record.began, 0.0)
                child = self._tracer.start_span(
                    f"{operation(record)} {note.model}",
                    context=below,
                    kind=SpanKind.CLIENT,
                    attributes=attempt_attributes(record, note),
                    start_time=_nano(start),
                )
                if note.outcome not in {"ok", "cancelled"}:
                    child.set_status(Status(StatusCode.ERROR))
                child.end(_nano(start + note.seconds))
            if record.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
        span.end(_nano(ended))

    async def close(self) -> None:
        """Deliver what waits, for at most `FLUSH` seconds."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def end() -> None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]
            with contextlib.suppress(RuntimeError):  # the loop did not wait
                loop.call_soon_threadsafe(over.set)

        # Not a thread of the loop's pool: the end of the program would wait for those, however long a collector takes.
        threading.Thread(target=end, name="last-spans", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), FLUSH)


def _nano(seconds: float) -> int:
    return int(seconds * 1e9)


class _Watched(SpanExporter):
    """An exporter that tells once when spans cannot be delivered, and once when they are again."""

    def __init__(self, inner: SpanExporter, address: str, say: Callable[..., None]) -> None:
        self._inner = inner
        self._address = address
        self._say = say
        self._failing = False
        self._words = _LastWords()
        logger = logging.getLogger("opentelemetry")
        logger.handlers = [self._words]
        logger.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver; runs in the SDK's thread."""
        result = self._inner.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            why = f" ({self._words.said})" if self._words.said else ""
            self._say(f"traces cannot be delivered to {self._address}{why}; requests go on without", level="warning")
        elif self._failing and not failed:
            self._say(f"traces are delivered to {self._address} again")
        self._failing = failed
        return result

    def shutdown(self) -> None:
        """No more spans."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is kept here."""
        return self._inner.force_flush(timeout_millis)


class _LastWords(logging.Handler):
    """Keeps what the SDK would have logged at every try."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember it."""
        self.said = record.getMessage().partition("\n")[0][:200]
