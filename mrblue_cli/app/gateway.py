"""Run the gateway: one process, or several that share a listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mrblue_cli.core.errors import ComponentError, ConfigError, MissingPart, MrBlueError, UsageError
from mrblue_cli.gateway.options import GatewayOptions

_RESTART_PAUSE = 1.0
"""Seconds before a worker that died is replaced, so that one that cannot start does not spin."""
_DRAIN = 10
"""Seconds that requests under way get when the gateway stops."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises `UsageError` when the address is taken or is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
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


def run_gateway(
    options: GatewayOptions, reread: Callable[[], GatewayOptions] | None, ready: Callable[[str], None]
) -> int:
    """Serve until SIGINT or SIGTERM; SIGHUP rereads the configuration. Returns the exit code.

    `ready` gets the address once requests are served. Raises `MrBlueError` when it cannot start.
    """
    _need_parts()
    listener = listen(options.host, options.port)
    with contextlib.closing(listener):
        if options.workers <= 1:
            return _run(_serve(options, reread, listener, ready))
        return _supervise(options, reread, listener, ready)


def _need_parts() -> None:
    try:
        import aiohttp  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingPart(
            f"the gateway needs the package '{error.name}', which is not installed",
            hint='install it with: pip install "mrblue-cli[gateway]"',
        ) from None


def _run(main: Any) -> int:
    try:
        import uvloop
    except ImportError:  # Windows
        return int(asyncio.run(main))
    return int(uvloop.run(main))


async def _serve(
    options: GatewayOptions,
    reread: Callable[[], GatewayOptions] | None,
    listener: socket.socket,
    ready: Callable[[str], None],
) -> int:
    import uvicorn

    from mrblue_cli.gateway.gateway import Gateway
    from mrblue_cli.gateway.server.app import build_app
    from mrblue_cli.gateway.server.realtime import UVICORN_OPTIONS

    gateway = Gateway(options)
    await gateway.start()
    # The gateway is opened and closed here, where its errors can be told; uvicorn would only log them.
    config = uvicorn.Config(
        build_app(gateway),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        **UVICORN_OPTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    stopped_by = _on_signals(server, gateway, reread)
    try:
        await server.startup(sockets=[listener])
        # What is loaded by now stays: looking through it for garbage would stop every stream for some milliseconds.
        gc.collect()
        gc.freeze()
        ready(address_of(listener))
        await server.main_loop()
        await server.shutdown(sockets=[listener])
    finally:
        await gateway.close()
    return 130 if stopped_by == [signal.SIGINT] else 0


def _on_signals(server: Any, gateway: Any, reread: Callable[[], GatewayOptions] | None) -> list[int]:
    loop = asyncio.get_running_loop()
    stopped_by: list[int] = []
    jobs: set[asyncio.Task[None]] = set()

    def stop(number: int) -> None:
        if stopped_by:
            server.force_exit = True  # asked twice
        stopped_by[:] = stopped_by or [number]
        server.should_exit = True

    def reload() -> None:
        job = loop.create_task(_reload(gateway, reread))
        jobs.add(job)
        job.add_done_callback(jobs.discard)

    with contextlib.suppress(NotImplementedError):  # Windows has no handlers on its loop
        loop.add_signal_handler(signal.SIGINT, stop, signal.SIGINT)
        loop.add_signal_handler(signal.SIGTERM, stop, signal.SIGTERM)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload)
    return stopped_by


async def _reload(gateway: Any, reread: Callable[[], GatewayOptions] | None) -> None:
    """A bad file is refused whole; the good configuration stays in force."""
    if reread is None:
        gateway.log.say("reload: there is no configuration file to read again", level="warning")
        return
    try:
        options = await asyncio.to_thread(reread)
        await gateway.reload(options)
    except MrBlueError as error:
        gateway.log.say(f"reload refused, the configuration before stays: {error.what}", level="error")
    else:
        gateway.log.say(f"reloaded: {len(gateway.table.routes)} routes")


def _supervise(
    options: GatewayOptions,
    reread: Callable[[], GatewayOptions] | None,
    listener: socket.socket,
    ready: Callable[[str], None],
) -> int:
    """Fork the workers, pass signals on, and replace a worker that dies."""
    if not hasattr(os, "fork"):
        raise ComponentError("several workers need a system with fork", hint="leave --workers at 1 on this system")
    pids: set[int] = set()
    asked: list[int] = []

    def forward(number: int, frame: object) -> None:  # noqa: ARG001 - the signature is signal's
        if number != getattr(signal, "SIGHUP", None):
            asked.append(number)
        for pid in list(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    try:
        for _ in range(options.workers):
            pids.add(_fork(options, reread, listener, wait=True))
        ready(address_of(listener))
        while pids:
            pid, status = os.waitpid(-1, 0)
            pids.discard(pid)
            if asked:
                continue
            code = os.waitstatus_to_exitcode(status)
            sys.stderr.write(f"warning: worker {pid} ended with {code}: another one takes its place\n")
            time.sleep(_RESTART_PAUSE)
            if not asked:
                pids.add(_fork(options, reread, listener, wait=False))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    return 130 if asked[:1] == [signal.SIGINT] else 0


def _fork(
    options: GatewayOptions, reread: Callable[[], GatewayOptions] | None, listener: socket.socket, *, wait: bool
) -> int:
    """Start one worker; with `wait`, return once it serves. Raises `ConfigError` when it ends before."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        code = 70
        try:
            code = _run(_serve(options, reread, listener, lambda _: _tell(writing)))
        except MrBlueError as error:
            sys.stderr.write(f"mrblue: {error.what}\n" + (f"  → {error.hint}\n" if error.hint else ""))
            code = 3
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    try:
        if wait and not os.read(reading, 1):
            raise ConfigError("a worker could not start", hint="the lines above say why")
    finally:
        os.close(reading)
    return pid


def _tell(pipe: int) -> None:
    os.write(pipe, b"r")
    os.close(pipe)


def load_options(
    file: Path | None, overrides: Mapping[str, Any], *, demo: bool, note: Callable[[str], None]
) -> tuple[GatewayOptions, Callable[[], GatewayOptions] | None]:
    """The options and how to read them again; notes go to `note`. Raises `ConfigError`."""
    from mrblue_cli.settings.gateway import demo_gateway, load_gateway

    if demo:
        return demo_gateway(overrides=overrides), None

    def read() -> GatewayOptions:
        loaded = load_gateway(file, overrides=overrides)
        for one in loaded.notes:
            note(one.line())
        return loaded.options

    return read(), read
