"""Run the gateway: one process, or several that share a listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from mrblue_cli.core.errors import MissingPart, MrBlueError, UsageError
from mrblue_cli.gateway.budget.schema import LEDGER_FILE
from mrblue_cli.gateway.options import GatewayOptions

Reread = Callable[[], tuple[GatewayOptions, list[str]]]
"""Reads the configuration again: the options, and notes that were not told before. Raises `ConfigError`."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises `UsageError` when the address is taken or is not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    except (OSError, UnicodeError):
        raise UsageError(
            f"cannot listen on {host}: this machine knows no such address", hint="name one of its own with --host"
        ) from None
    # Named as TCP: asyncio turns Nagle's delay off only for sockets that say so, and 40 ms would be waited for.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0).lower()}",
            hint="choose another address with --host and --port (0: any free port)",
        ) from None
    return listener


def address_of(listener: socket.socket) -> str:
    """`http://HOST:PORT` of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run_gateway(options: GatewayOptions, reread: Reread | None, ready: Callable[[str], None]) -> int:
    """Serve until SIGINT or SIGTERM; SIGHUP rereads the configuration. Returns the exit code.

    `ready` gets the address once requests are served. Raises `MrBlueError` when it cannot start.
    """
    _need_parts()
    listener = listen(options.host, options.port)
    with contextlib.closing(listener):
        address = address_of(listener)
        if options.workers > 1:
            from mrblue_cli.app.gateway_workers import Supervisor

            return Supervisor(options, reread, listener, lambda: ready(address)).run()
        return int(run_loop(_serve(options, reread, listener, lambda: ready(address))))


def run_loop(main: Coroutine[Any, Any, Any]) -> Any:
    """What `main` returns, on the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.run(main)
    return uvloop.run(main)


def _need_parts() -> None:
    try:
        import aiohttp  # noqa: F401
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingPart(
            f"the gateway needs the package '{error.name}', which is not installed",
            hint='install it with: pip install "mrblue-cli[gateway]"',
        ) from None


async def _serve(
    options: GatewayOptions, reread: Reread | None, listener: socket.socket, ready: Callable[[], None]
) -> int:
    """One process that hears the signals itself."""
    from mrblue_cli.app.gateway_serving import Serving, report_refusal, report_reload

    serving = Serving(options, listener)
    say = serving.gateway.log.say
    loop = asyncio.get_running_loop()
    stopped_by: list[int] = []
    jobs: set[asyncio.Task[None]] = set()
    terminal = Terminal()

    def stop(number: int) -> None:
        (serving.hurry if stopped_by else serving.stop)()
        stopped_by.append(number)

    async def reload() -> None:
        if reread is None:
            say("reload: there is no configuration file to read again", level="warning")
            return
        wanted: list[GatewayOptions] = []

        def read() -> GatewayOptions:
            options, notes = reread()
            for note in notes:
                say(note, level="warning")
            wanted.append(options)
            return options

        try:
            await serving.apply(read)
        except MrBlueError as error:
            report_refusal(say, error)
        else:
            report_reload(say, options, wanted[0])

    def hang_up() -> None:
        if terminal.gone():
            stop(signal.SIGHUP)
            return
        job = loop.create_task(reload())
        jobs.add(job)
        job.add_done_callback(jobs.discard)

    with contextlib.suppress(NotImplementedError):  # Windows has no handlers on its loop
        loop.add_signal_handler(signal.SIGINT, stop, signal.SIGINT)
        loop.add_signal_handler(signal.SIGTERM, stop, signal.SIGTERM)
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    await serving.run(ready)
    return 130 if stopped_by[:1] == [signal.SIGINT] else 0


class Terminal:
    """The terminal the gateway was started on, if any: closing its window sends the signal that means reload."""

    def __init__(self) -> None:
        self._there = _on_terminal()

    def gone(self) -> bool:
        """Whether there was one that is closed now."""
        return self._there and not _on_terminal()


def _on_terminal() -> bool:
    try:
        return os.isatty(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False


def without_keys(options: GatewayOptions) -> bool:
    """Whether every client would be turned away, because keys are required and nobody has one."""
    from mrblue_cli.gateway.access.auth import key_required
    from mrblue_cli.gateway.access.keys import KeyStore

    if not key_required(options.host, options.require_key):
        return False
    keys = KeyStore(options.state_folder / LEDGER_FILE)
    try:
        now = time.time()
        return not any(record.state(now) == "active" for record in keys.list())
    except (MrBlueError, OSError):
        return False  # the start itself will tell what is wrong with the file
    finally:
        keys.close()


def load_options(
    file: Path | None, overrides: Mapping[str, Any], *, demo: bool, note: Callable[[str], None]
) -> tuple[GatewayOptions, Reread | None]:
    """The options and how to read them again; notes go to `note`. Raises `ConfigError`."""
    from mrblue_cli.settings.gateway import demo_gateway, load_gateway

    if demo:
        return demo_gateway(overrides=overrides), None
    told: set[str] = set()

    def read() -> tuple[GatewayOptions, list[str]]:
        loaded = load_gateway(file, overrides=overrides)
        news = [line for line in (one.line() for one in loaded.notes) if line not in told]
        told.update(news)
        return loaded.options, news

    options, notes = read()
    for line in notes:
        note(line)
    return options, read
