"""`mrblue gateway top` against a real HTTP stand-in, and its picture as text."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mrblue_cli.cli.gateway_top import fetcher, print_lines, top
from mrblue_cli.cli.gateway_top_live import watch
from mrblue_cli.cli.gateway_top_view import duration, milliseconds, money, screen
from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError, UsageError
from mrblue_cli.gateway.status import (
    BudgetRow,
    CacheRow,
    LimitRow,
    RequestRow,
    RouteRow,
    Status,
    to_json,
)

STATUS = Status(
    version="1",
    uptime_s=11_520,
    workers=4,
    routes=[
        RouteRow(
            provider="openai", model="gpt-4o", priority=1, health="up", calls=1234, failures=3, p50_ms=812.4,
            p95_ms=2140, first_token_ms=301, last_fault="timeout 12 s ago",
        ),
        RouteRow(provider="groq", model="llama-3.1-8b-instant", priority=2, health="down", breaker="open", calls=9),
    ],
    requests=RequestRow(total=1300, failed=2, refused=5, in_flight=3, realtime_sessions=1),
    cache=CacheRow(hit_exact=30, hit_semantic=12, miss=58, bypass=4, hit_rate=0.42),
    budget=BudgetRow(daily=LimitRow(spent_usd=45.0, limit_usd=50.0), monthly=LimitRow(spent_usd=0.0123)),
    warnings=["Redis is gone: this worker is on its own"],
)  # fmt: skip


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def gateway(body=None, status=200):
    """A gateway that has only its status."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.requests = []
    server.answer = (status, json.dumps(to_json(STATUS)).encode() if body is None else body)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def drawn(status, width, **options):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(screen(status, url="http://gw", width=width, **options))
    return console.file.getvalue()


def test_the_whole_picture():
    text = drawn(STATUS, 140)
    for words in (
        "up 3 h 12 min · 4 workers · 1,300 requests, 2 failed, 5 refused · 3 in flight · 1 realtime",
        "42% hits (30 exact, 12 semantic of 100), 4 bypassed",
        "today $45.00 of $50.00 (90%)",
        "month $0.0123",
        "Redis is gone",
        "timeout 12 s ago",
        "● up",
        "○ down",
        "812 ms",
        "2.1 s",
    ):
        assert words in text
    header = next(line for line in text.splitlines() if line.startswith("provider"))
    names = ["provider", "model", "prio", "health", "breaker", "calls", "failed", "p50", "p95", "first token"]
    assert re.split(r" {2,}", header.strip()) == [*names, "last fault"]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 115, 129, 200])
def test_narrow_screens_keep_what_matters(width):
    lines = drawn(STATUS, width).splitlines()
    assert max(len(line) for line in lines) <= width
    table = "\n".join(lines[next(i for i, line in enumerate(lines) if line.startswith("provi")) :])
    assert "opena" in table
    if width >= 40:
        assert "○ down" in table
        assert "812 ms" in table
    if width >= 80:
        assert "llama-3.1-8b-" in table
    assert ("last fault" in table) == (width >= 115)


def test_nothing_seen_yet_and_nothing_fresh():
    assert "waiting for http://gw" in drawn(None, 80)
    text = drawn(STATUS, 80, problem="nothing listens at gw:80")
    assert text.startswith("○ nothing listens at gw:80")
    assert "openai" in text


def test_a_servers_names_cannot_drive_the_terminal():
    hostile = Status(routes=[RouteRow(provider="\x1b[bold]x", model="m\r\n", health="\x07")], warnings=["\x1b]0;x"])
    text = drawn(hostile, 120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x" in text


def test_an_empty_gateway():
    text = drawn(Status(), 100)
    assert "nothing looked up yet" in text
    assert "today $0.00" in text


def test_small_words():
    assert [duration(s) for s in (5, 720, 11_520, 187_200)] == ["5 s", "12 min", "3 h 12 min", "2 d 4 h"]
    assert [milliseconds(v) for v in (None, 4.4, 999, 1340)] == ["—", "4 ms", "999 ms", "1.3 s"]
    assert [money(v) for v in (0, 0.00042, 1.5, 1234)] == ["$0.00", "$0.0004", "$1.50", "$1,234.00"]


def command(*args, env=None):
    import typer

    app = typer.Typer()
    app.command()(top)
    return CliRunner().invoke(app, args, env={"COLUMNS": "120", "NO_COLOR": "1", **(env or {})})


def test_once_prints_one_picture_with_the_key_in_its_header():
    with gateway() as server:
        done = command("--url", server.url, "--once", env={"MRBLUE_GATEWAY_KEY": "mrb_k"})
        assert done.exit_code == 0, done.output
        assert "openai" in done.output
        assert server.requests == [("/v1/status", "Bearer mrb_k")]


def test_json_is_the_document_itself():
    with gateway() as server:
        done = command("--url", f"{server.url}/v1/", "--once", "--json")
        assert json.loads(done.output) == to_json(STATUS)
        assert server.requests == [("/v1/status", None)]


def test_json_lines_go_on_over_a_lost_connection(capsys):
    with gateway() as server:
        looks = iter(["200", "502", "200", "end"])

        def wait(seconds):
            step = next(looks)
            server.answer = (int(step), b'{"uptime_s":1}') if step != "end" else server.answer
            return step == "end"

        print_lines(fetcher(server.url, ""), once=False, wait=wait)
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert "HTTP 502" in told.err


def test_the_live_picture_outlives_the_gateway():
    pictures = []

    class Screen(Console):
        def print(self, *objects, **options):
            pictures.append(objects)
            super().print(*objects, **options)

    output = io.StringIO()
    console = Screen(file=output, width=120, height=30, force_terminal=True, color_system=None)
    with gateway() as server:
        fetch = fetcher(server.url, "")
        steps = iter([200, 500, 200, None])
        seen = []

        def wait(seconds):
            seen.append(output.getvalue())
            output.truncate(0)
            step = next(steps)
            body = b"not json" if len(seen) == 3 else json.dumps(to_json(STATUS)).encode()
            server.answer = (step or 200, body)
            return step is None

        watch(fetch, url=server.url, console=console, wait=wait)
    assert "openai" in seen[0]
    assert "HTTP 500" in seen[2]
    assert "openai" in seen[2]  # the last one seen stays
    assert "not with a gateway's status" in seen[3]


def test_ctrl_c_is_the_way_out():
    def wait(seconds):
        raise KeyboardInterrupt

    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with gateway() as server:
        watch(fetcher(server.url, ""), url=server.url, console=console, wait=wait)
    assert "openai" in console.file.getvalue()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, AuthError, "wants a key"),
        (403, AuthError, "wants a key"),
        (404, ProviderError, "no /v1/status"),
        (302, ConnectError, "HTTP 302"),
        (503, ConnectError, "HTTP 503"),
    ],
)
def test_refusals_are_told(status, error, words):
    with gateway(b"", status) as server, pytest.raises(error, match=words) as caught:
        fetcher(server.url, "secret")()
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_nobody_there():
    with pytest.raises(ConnectError, match=r"nothing listens at 127\.0\.0\.1:9"):
        fetcher("127.0.0.1:9", "")()
    done = command("--url", "http://127.0.0.1:9", "--once")
    assert isinstance(done.exception, ConnectError)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://[x", "http://h:99999999"])
def test_no_address(url):
    with pytest.raises(UsageError):
        fetcher(url, "")


def test_a_strange_key_is_refused_without_showing_it():
    with pytest.raises(UsageError) as caught:
        fetcher("http://h", "a\r\nX: b")
    assert "X: b" not in str(caught.value)


def test_another_service_is_not_taken_for_a_gateway():
    with gateway(b"<html>") as server:
        done = command("--url", server.url, "--once")
        assert isinstance(done.exception, ProviderError)
        with pytest.raises(ProviderError):
            print_lines(fetcher(server.url, ""), once=True, wait=lambda seconds: True)
