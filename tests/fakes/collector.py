"""An OpenTelemetry collector on 127.0.0.1: takes OTLP over HTTP and decodes what was really sent."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Seen(NamedTuple):
    """One span as it arrived."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    """Nanoseconds since 1970."""
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]


class Collector:
    """Use as a context manager; `spans` grows while it runs. With `deaf` set, it takes calls and never answers."""

    def __init__(self, status: int = 200):
        self.status = status
        self.spans: list[Seen] = []
        self.raw = b""
        """All bodies, as sent."""
        self.paths: list[str] = []
        self.deaf = False
        self._over = Event()

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if outer.deaf:
                    outer._over.wait()
                    self.close_connection = True
                    return
                if outer.status == 200:
                    outer.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
                outer.paths.append(self.path)
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, body: bytes) -> None:
        """Decode one delivery."""
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = _values(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Seen(
                            span.name,
                            span.kind,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.start_time_unix_nano,
                            span.end_time_unix_nano,
                            span.status.code == 2,
                            _values(span.attributes),
                            about,
                        )
                    )


def _values(attributes) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
