"""Realtime through the whole gateway: the stock client, our own engine behind it, virtual keys, secrets, the ledger."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from mrblue_cli.gateway.access.keys import KeyStore
from mrblue_cli.gateway.model import NANO, KeyLimits, Surface
from mrblue_cli.gateway.options import GatewayOptions, KeyOptions, ModelOptions, ProviderOptions
from tests.engine.conftest import running_engine
from tests.gateway.running import RunningGateway, ledger, running_gateway

TEXT_ITEM: Any = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "npm ERR! code EACCES"}],
}
PRICES: dict[str, Any] = {"input_price": 4.0, "output_price": 16.0}


@contextlib.asynccontextmanager
async def voice(folder: Path, *, dead_first: bool = False) -> AsyncIterator[RunningGateway]:
    """A gateway that asks for keys, in front of our engine; with `dead_first`, behind a provider that is not there."""
    async with running_engine() as (_, address):
        base = address.url.replace("ws://", "http://").removesuffix("/realtime")
        model = ModelOptions(name="voice", upstream="mrblue-local", surfaces=(Surface.REALTIME,), **PRICES)
        engine = ProviderOptions(
            name="engine",
            kind="openai-compatible",
            priority=2,
            base_url=base,
            keys=(KeyOptions(secret=address.token),),
            models=(model,),
        )
        nobody = ProviderOptions(
            name="nobody", kind="openai-compatible", priority=1, base_url="http://127.0.0.1:9", models=(model,)
        )
        options = GatewayOptions(
            providers=(nobody, engine) if dead_first else (engine,), require_key=True, state_folder=folder
        )
        async with running_gateway(options) as running:
            yield running


def key(folder: Path, **limits: Any) -> str:
    """A virtual key."""
    store = KeyStore(folder / "gateway.sqlite3")
    try:
        return store.create("app", **limits)[1]
    finally:
        store.close()


def client(running: RunningGateway, token: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{running.address}/v1", api_key=token, max_retries=0)


async def until(connection: Any, kind: str) -> Any:
    async with asyncio.timeout(20):
        while (event := await connection.recv()).type != kind:
            assert event.type != "error" or kind == "error", event
    return event


async def text_turn(connection: Any) -> Any:
    await until(connection, "session.created")
    await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
    await until(connection, "session.updated")
    await connection.conversation.item.create(item=TEXT_ITEM)
    await connection.response.create()
    return await until(connection, "response.done")


@pytest.mark.parametrize("dead_first", [False, True])
async def test_a_turn_is_relayed_and_booked(tmp_path: Path, dead_first: bool) -> None:
    async with voice(tmp_path, dead_first=dead_first) as running:
        token = key(tmp_path)
        async with client(running, token) as stock, stock.realtime.connect(model="voice") as connection:
            done = await text_turn(connection)
        used = done.response.usage
        async with asyncio.timeout(10):
            while not ledger(tmp_path):
                await asyncio.sleep(0.01)
        (line,) = ledger(tmp_path)
        assert (line.provider, line.outcome) == ("engine", "ok")
        assert (line.input, line.output) == (used.input_tokens, used.output_tokens)
        expected = (used.input_tokens * 4 + used.output_tokens * 16) * NANO // 1_000_000
        assert line.cost_nano == expected


async def test_a_client_without_a_key_is_told_so_and_gets_nowhere(tmp_path: Path) -> None:
    async with (
        voice(tmp_path) as running,
        client(running, "sk-placeholder") as stock,
        stock.realtime.connect(model="voice") as connection,
    ):
        error = await until(connection, "error")
        assert error.error.code == "invalid_api_key"


async def test_a_browser_gets_a_secret_of_ours_that_opens_a_session_and_dies_with_the_key(tmp_path: Path) -> None:
    async with voice(tmp_path) as running, aiohttp.ClientSession() as http:
        token = key(tmp_path)
        wanted = {"session": {"type": "realtime", "model": "voice", "instructions": "Be short."}}
        bearer = {"authorization": f"Bearer {token}"}
        async with http.post(f"{running.address}/v1/realtime/client_secrets", json=wanted, headers=bearer) as answer:
            assert answer.status == 200
            minted = await answer.json()
        assert minted["value"].startswith("ek_")
        assert token not in str(minted)
        async with client(running, minted["value"]) as stock, stock.realtime.connect(model="voice") as connection:
            assert (await text_turn(connection)).response.status == "completed"
        async with http.post(f"{running.address}/v1/realtime/client_secrets", json=wanted) as refused:
            assert refused.status == 401
            assert (await refused.json())["error"]["message"]


async def test_at_the_limit_a_reply_is_refused_and_not_forwarded(tmp_path: Path) -> None:
    async with voice(tmp_path) as running:
        token = key(tmp_path, limits=KeyLimits(daily_nano=1))
        async with client(running, token) as stock, stock.realtime.connect(model="voice") as connection:
            await until(connection, "session.created")
            await connection.conversation.item.create(item=TEXT_ITEM)
            await connection.response.create()
            error = await until(connection, "error")
        assert error.error.code == "budget_exceeded"
    assert ledger(tmp_path) == []
