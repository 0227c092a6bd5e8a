"""The engine as a child: it starts, dies with its parent, and its failures reach us in its own words."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from mrblue_cli.app.engine_process import READY, EngineProcess
from mrblue_cli.core.errors import ProviderError
from mrblue_cli.protocol.client_events import CreateItem, CreateResponse, ResponseRequest
from mrblue_cli.protocol.items import ContentPart, Item
from mrblue_cli.protocol.server_events import TextDone
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.endpoints import endpoint_from_url


def command(*args):
    return [sys.executable, "-m", "mrblue_cli", "engine", *args]


async def test_it_says_where_it_listens_and_closes_politely():
    engine = await EngineProcess.start()
    assert engine.url.startswith("ws://127.0.0.1:")
    assert engine.url.endswith("/v1/realtime")
    assert len(engine.token) >= 20
    await engine.close()
    await engine.close()
    assert engine._process.returncode == 0


async def test_a_configuration_it_cannot_use_is_told_in_its_words(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[talk]\nturn_mod = 1\n")
    with pytest.raises(ProviderError) as caught:
        await EngineProcess.start(config)
    assert "talk.turn_mod" in caught.value.what
    assert "did you mean" in caught.value.hint


def test_it_ends_when_its_parent_is_gone():
    child = subprocess.Popen(command("--parent-pipe"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert READY.match(child.stdout.readline().strip())
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_on_signals(number):
    child = subprocess.Popen(command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert READY.match(child.stdout.readline().strip())
    os.kill(child.pid, number)
    assert child.wait(20) == 0
    assert child.stderr.read() == ""
    child.stdout.close()
    child.stderr.close()


def test_a_port_in_use_is_one_clear_line():
    async def taken():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await asyncio.to_thread(
                subprocess.run, command("--port", str(port)), capture_output=True, text=True, check=False
            )

    done = asyncio.run(taken())
    assert done.returncode == 4
    assert "cannot listen" in done.stderr


async def test_it_speaks_the_language_it_was_started_with():
    engine = await EngineProcess.start(language="es")
    try:
        connection = await connect(endpoint_from_url(engine.url, api_key=engine.token))
        assert connection.created.session["audio"]["input"]["transcription"]["language"] == "es"
        said = Item(type="message", role="user", content=(ContentPart(type="input_text", text="hola"),))
        await connection.send(CreateItem(item=said))
        await connection.send(CreateResponse(response=ResponseRequest(output_modalities=["text"])))
        async with asyncio.timeout(20):
            async for event in connection:
                if isinstance(event, TextDone):
                    assert event.text == "Hola. ¿Qué error miramos?"
                    break
        await connection.close()
    finally:
        await engine.close()
