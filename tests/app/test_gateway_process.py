"""The gateway as a process: stopped, reloaded, killed, and the same with several workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from mrblue_cli.gateway.access.keys import KeyStore
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Exchange, Upstream
from tests.gateway.asking import ask, question
from tests.gateway.program import PATIENCE, config_for, gateway_program, session, until, write_config
from tests.gateway.running import ledger, nano_reserved
from tests.program import environment

CALL = 156_000
"""Nano-dollars of one call of 12 + 10 tokens."""


class Row(NamedTuple):
    outcome: str
    cost_nano: int | None


class Gate:
    """A provider that says the beginning of its answer and waits for the test."""

    def __init__(self, answer=None):
        self.opened = asyncio.Event()
        self.entered = 0
        self._answer = answer or does.answer(10)

    async def __call__(self, exchange: Exchange):
        self.entered += 1
        await self.opened.wait()
        await self._answer(exchange)

    async def holds(self, count: int) -> None:
        """Wait until so many calls stand before it."""
        await until(lambda: self.entered >= count, f"{count} calls at the provider")


def outcomes(folder: Path) -> Counter[str]:
    return Counter(line.outcome for line in all_lines(folder))


def all_lines(folder: Path):
    """Outcome and cost of each line, also of those that no provider answers for (`running.ledger` leaves them out)."""
    with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite3")) as base:
        return [Row(*row) for row in base.execute("SELECT outcome, cost_nano FROM charges")]


def spent(folder: Path) -> int:
    """What the totals of the day say, in nano-dollars."""
    with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite3")) as base:
        return base.execute("SELECT spent FROM totals WHERE scope = '*' AND length(period) = 10").fetchone()[0]


async def json_of(client, url):
    async with client.get(url) as answer:
        return await answer.json()


async def test_a_changed_file_is_served_after_sighup_and_a_bad_one_refused(tmp_path):
    async with (
        Upstream(does.answer(10)) as upstream,
        gateway_program(tmp_path, config=config_for(upstream.url)) as program,
        session() as client,
    ):
        assert (await ask(client, program.chat, question(model="m-2"))).status == 404
        write_config(tmp_path, config_for(upstream.url, "m-1", "m-2", more='host = "0.0.0.0"\nrequire_key = false'))
        program.send(signal.SIGHUP)
        line = await program.says("reloaded: 1 provider, 2 models")
        assert "only a restart changes host" in line
        assert (await ask(client, program.chat, question(model="m-2"))).status == 200
        write_config(tmp_path, config_for(upstream.url, "m-3") + "max_tokns = 3\n[caching2]\n")
        program.send(signal.SIGHUP)
        line = await program.says("reload refused")
        assert "error: reload refused, the configuration before stays in force:" in line
        assert "gateway.toml: 2 things are wrong: caching2: there is no such option" in line
        assert "; providers[0].max_tokns: there is no such option" in line
        assert (await ask(client, program.chat, question(model="m-2"))).status == 200
        assert (await ask(client, program.chat, question(model="m-3"))).status == 404
        program.send(signal.SIGTERM)
        assert await program.ended() == 0
    assert "Traceback" not in program.log


async def test_sigterm_lets_a_stream_finish_and_takes_no_new_request(tmp_path):
    gate = Gate()
    async with (
        Upstream(gate) as upstream,
        gateway_program(tmp_path, config=config_for(upstream.url)) as program,
        session() as client,
    ):
        asked = asyncio.create_task(ask(client, program.chat, question(stream=True)))
        await gate.holds(1)
        program.send(signal.SIGTERM)
        await program.refuses()
        assert program.process.returncode is None
        gate.opened.set()
        heard = await asked
        assert heard.done
        assert heard.finish == "stop"
        assert await program.ended() == 0
    assert [line.outcome for line in ledger(tmp_path / "state")] == ["ok"]
    assert nano_reserved(tmp_path / "state") == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_second_signal_ends_streams_with_an_error_and_never_a_clean_half(tmp_path, workers):
    async def half(exchange: Exchange):
        asked = exchange.asked.json
        if asked.get("stream"):
            await does.stall(after=5, of=60)(exchange)
        else:
            await exchange.gone()

    async with (
        Upstream(half) as upstream,
        gateway_program(tmp_path, "--workers", workers, config=config_for(upstream.url)) as program,
        session() as client,
    ):
        pids = program.workers()
        streamed = asyncio.create_task(ask(client, program.chat, question(stream=True)))
        plain = asyncio.create_task(ask(client, program.chat, question()))
        await until(lambda: upstream.waiting == 2, "both calls wait")
        program.send(signal.SIGINT)
        await program.refuses()
        assert not streamed.done()
        program.send(signal.SIGINT)
        heard, refused = await streamed, await plain
        assert await program.ended() == 130
        assert heard.text.strip()
        assert not heard.done
        assert heard.finish is None
        assert heard.error is not None
        assert heard.error["code"] == "gateway_stopping"
        assert refused.status == 503
        assert refused.json["error"]["code"] == "gateway_stopping"
        assert refused.headers["retry-after"]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert nano_reserved(tmp_path / "state") == 0
    assert "Traceback" not in program.log


async def test_a_signal_to_the_whole_group_counts_once(tmp_path):
    """A terminal's Ctrl-C, a service manager's stop: supervisor and workers hear it together."""
    gate = Gate()
    async with (
        Upstream(gate) as upstream,
        gateway_program(tmp_path, "--workers", "2", config=config_for(upstream.url)) as program,
        session() as client,
    ):
        asked = asyncio.create_task(ask(client, program.chat, question(stream=True)))
        await gate.holds(1)
        os.killpg(program.process.pid, signal.SIGINT)
        await until(lambda: len(program.workers()) == 1, "the idle worker has ended")
        gate.opened.set()
        heard = await asked
        assert heard.done
        assert await program.ended() == 130


async def test_workers_share_budget_limits_and_counters(tmp_path):
    keys = KeyStore(tmp_path / "state" / "gateway.sqlite3")
    _, token = keys.create("team", requests_per_minute=7)
    keys.close()
    more = "require_key = false\nbudget = {daily_limit = 0.01}\n"
    async with (
        Upstream(does.answer(10)) as upstream,
        gateway_program(tmp_path, "--workers", "2", config=config_for(upstream.url, more=more)) as program,
        session() as client,
    ):
        pids = program.workers()
        assert len(pids) == 2
        asked = question(max_tokens=10)
        limited = [await ask(client, program.chat, asked, authorization=f"Bearer {token}") for _ in range(9)]
        assert [heard.status for heard in limited] == [200] * 7 + [429] * 2
        # At once, what they may cost at most is set aside together, so some may be refused; then one by one to the end.
        heard = await asyncio.gather(*(ask(client, program.chat, asked) for _ in range(40)))
        while heard[-1].status == 200 or len(heard) == 40:
            heard.append(await ask(client, program.chat, asked))
        served = 7 + sum(one.status == 200 for one in heard)
        assert {one.status for one in heard} == {200, 429}
        assert served == upstream.count
        assert 0.95 * 10_000_000 <= served * CALL <= 10_000_000, "the limit holds 64 calls"
        requests = 9 + len(heard)
        usage = await json_of(client, f"{program.address}/v1/usage")
        assert round(usage["today"]["spent_usd"] * 1e9) == served * CALL

        async def counted() -> tuple[int, int, int]:
            """All requests by the status document, by the metrics, and those of the metrics that were served."""
            status = await json_of(client, f"{program.address}/v1/status")
            assert status["workers"] == 2
            async with client.get(f"{program.address}/metrics") as answer:
                page = await answer.text()
            rows = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("mrblue_requests_total{")]
            assert f'mrblue_budget_spent_usd{{period="daily"}} {served * CALL / 1e9:g}' in page
            good = sum(float(value) for name, value in rows if 'status="200"' in name)
            return status["requests"]["total"], int(sum(float(value) for _, value in rows)), int(good)

        async with asyncio.timeout(PATIENCE):
            while await counted() != (requests, requests, served):  # each worker publishes once a second
                await asyncio.sleep(0.05)
        program.send(signal.SIGTERM)
        assert await program.ended() == 0
    lines = ledger(tmp_path / "state")
    assert len(lines) == served
    assert sum(line.cost_nano or 0 for line in lines) == spent(tmp_path / "state") == served * CALL
    assert nano_reserved(tmp_path / "state") == 0


async def test_a_killed_worker_is_replaced_and_its_requests_are_booked(tmp_path):
    gate = Gate()
    async with (
        Upstream(gate) as upstream,
        gateway_program(tmp_path, "--workers", "2", config=config_for(upstream.url)) as program,
        session() as client,
    ):
        waiting = [asyncio.create_task(ask(client, program.chat, question(max_tokens=10))) for _ in range(24)]
        await gate.holds(24)
        victim, survivor = program.workers()
        os.kill(victim, signal.SIGKILL)
        line = await program.says("was killed by SIGKILL")
        assert f"warning: worker {victim} was killed by SIGKILL: another takes its place" in line
        await until(lambda: len(program.workers()) == 2, "a new worker")
        gate.opened.set()
        heard = await asyncio.gather(*waiting, return_exceptions=True)
        harmed = [one for one in heard if isinstance(one, BaseException)]
        assert all(one.status == 200 for one in heard if not isinstance(one, BaseException))
        assert survivor in program.workers()
        state = tmp_path / "state"
        await until(lambda: outcomes(state)["unknown"] == len(harmed), "the lost ones are booked")
        after = [await ask(client, program.chat, question(max_tokens=10)) for _ in range(8)]
        assert [one.status for one in after] == [200] * 8
        # The one that took the place serves by the configuration as it stands now.
        write_config(tmp_path, config_for(upstream.url, "m-1", "m-2"))
        program.send(signal.SIGHUP)
        await program.says("reloaded: 1 provider, 2 models")
        assert program.log.count("reloaded") == 1
        os.kill(survivor, signal.SIGTERM)
        await program.says(f"worker {survivor} ended: another takes its place")
        await until(lambda: len(program.workers()) == 2, "a third worker")

        async def known() -> bool:
            return {(await ask(client, program.chat, question(model="m-2"))).status for _ in range(8)} == {200}

        async with asyncio.timeout(PATIENCE):
            while not await known():
                await asyncio.sleep(0.02)
        program.send(signal.SIGTERM)
        assert await program.ended() == 0
    assert nano_reserved(state) == 0
    assert sum(line.cost_nano or 0 for line in all_lines(state)) == spent(state)
    assert "Traceback" not in program.log


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_killed_mid_request_the_books_are_right_after_the_restart(tmp_path, workers):
    gate = Gate()
    state = tmp_path / "state"
    async with Upstream(gate) as upstream, session() as client:
        config = config_for(upstream.url)
        async with gateway_program(tmp_path, "--workers", workers, config=config) as program:
            pids = program.workers()
            gate.opened.set()
            assert (await ask(client, program.chat, question(max_tokens=10))).status == 200
            gate.opened.clear()
            waiting = [asyncio.create_task(ask(client, program.chat, question(max_tokens=10))) for _ in range(3)]
            await gate.holds(4)
            program.send(signal.SIGKILL)
            await program.ended()
            if workers == "1":
                heard = await asyncio.gather(*waiting, return_exceptions=True)
                assert all(isinstance(one, Exception) for one in heard)
            else:  # the workers notice that they are alone, finish, and end
                gate.opened.set()
                assert [one.status for one in await asyncio.gather(*waiting)] == [200] * 3
                await until(lambda: not any(psutil.pid_exists(pid) for pid in pids), "no worker is left behind")
        gate.opened.set()
        async with gateway_program(tmp_path, "--workers", workers, config=config) as program:
            assert nano_reserved(state) == 0
            assert (await ask(client, program.chat, question(max_tokens=10))).status == 200
            if workers == "1":
                assert "3 request(s) ended without a word; their estimates are counted as spent" in program.log
    assert outcomes(state) == ({"ok": 2, "unknown": 3} if workers == "1" else {"ok": 5})
    assert sum(line.cost_nano or 0 for line in all_lines(state)) == spent(state)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_closed_terminal_ends_it_although_its_signal_means_reload(tmp_path, workers):
    """Closing the window sends SIGHUP; a gateway that only reloaded would stay behind and hold the port."""
    theirs, ours = os.openpty()
    command = [sys.executable, "-m", "mrblue_cli", "gateway", "--demo", "--port", "0", "--state", str(tmp_path)]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time worth an await
        [*command, "--workers", workers], stdout=subprocess.PIPE, stderr=ours, stdin=subprocess.DEVNULL,
        env=environment(), start_new_session=True,
    )  # fmt: skip
    os.close(ours)
    try:
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).startswith(b"mrblue gateway ready")
        os.close(theirs)
        process.send_signal(signal.SIGHUP)
        await until(lambda: process.poll() is not None, "the end of the program")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
