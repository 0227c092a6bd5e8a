"""`mrblue engine`: the embedded Realtime server alone, for any Realtime client."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer


def engine(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Listen on this address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Listen on this port; 0: any free one.", min=0, max=65535)] = 0,
    token: Annotated[
        str, typer.Option(envvar="MRBLUE_ENGINE_TOKEN", help="Clients must send it; default: a random one.")
    ] = "",
    language: Annotated[str | None, typer.Option(help="Hear and answer in this language: en, es, …")] = None,
    parent_pipe: Annotated[bool, typer.Option("--parent-pipe", hidden=True)] = False,
) -> int:
    """Serve the OpenAI Realtime protocol on this machine, with no key and no network."""
    import asyncio

    from mrblue_cli.core.texts import use
    from mrblue_cli.settings.load import load

    overrides = {"talk": {"language": language}} if language else {}
    settings = load(file=context.obj.config, overrides=overrides).settings
    use(settings.talk.language)

    async def serve() -> int:
        from mrblue_cli.app.engine import build_engine

        server = build_engine(settings, host=host, port=port, token=token)
        address = await server.start()
        stop = asyncio.Event()
        _stop_on_signals(stop)
        if parent_pipe:
            await _watch_parent(stop)
        # Only now: whoever reads this line may end us the next moment.
        sys.stdout.write(f"mrblue engine ready on {address.url} token {address.token}\n")
        sys.stdout.flush()
        warm = asyncio.ensure_future(server.wait_warm())
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([warm, stopped], return_when=asyncio.FIRST_COMPLETED)
            # Alone, a model that cannot be loaded ends the program; a parent learns of it through its session.
            if warm.done() and not parent_pipe:
                warm.result()
            await stop.wait()
        finally:
            stopped.cancel()
            warm.cancel()
            await server.close()
        return 0

    code = asyncio.run(serve())
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is closed; a model that is still loading in its thread must not hold up the exit for seconds.
    os._exit(code)


def _stop_on_signals(stop: object) -> None:
    import asyncio
    import contextlib
    import signal

    assert isinstance(stop, asyncio.Event)  # noqa: S101 - narrows the type without importing asyncio at the top
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers on its loop
            loop.add_signal_handler(number, stop.set)


async def _watch_parent(stop: object) -> None:
    """Stop when standard input ends: the parent closed it, or is gone."""
    import asyncio

    assert isinstance(stop, asyncio.Event)  # noqa: S101 - as above
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def wait() -> None:
        while await reader.read(1024):
            pass
        stop.set()

    stop_job = asyncio.ensure_future(wait())
    stop.job = stop_job  # type: ignore[attr-defined]  # keeps the task alive as long as the event
