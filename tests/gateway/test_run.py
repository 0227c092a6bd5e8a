"""The calls of one request: what each is asked, what it is said to have used, and what waiting leads to."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import BreakerOptions, DeadlineOptions, KeyOptions, ModelOptions
from tests.fakes.incoming import Wires, refuses, says, sends, silent, unreachable
from tests.fakes.upstream_wires import event, text
from tests.fakes.virtual_time import run_virtual
from tests.gateway.core import Core, one


def test_every_key_of_a_pool_is_tried_before_another_provider(tmp_path):
    async def play():
        pool = one("first")
        keys = tuple(KeyOptions(secret=f"sk-{n}") for n in range(3))
        pool = type(pool)(**{f: getattr(pool, f) for f in pool.__struct_fields__} | {"keys": keys})
        core = Core(tmp_path, Wires(first=refuses(401), second=says(5)), pool, one("second", 2))
        got = await core.answer(core.ask())
        again = await core.answer(core.ask())
        core.in_order()
        return core, got, again

    core, got, again = run_virtual(play())
    used = [asked.headers["authorization"] for name, asked in core.wires.calls if name == "first"]
    assert sorted(used) == ["Bearer sk-0", "Bearer sk-1", "Bearer sk-2"]
    assert (got.headers["x-mrblue-attempts"], again.headers["x-mrblue-attempts"]) == ("4", "1")


@pytest.mark.parametrize(("asked", "waited"), [("3", 3.0), ("0", 0.0)])
def test_retry_after_is_honoured_to_the_second_when_there_is_nobody_else(asked, waited, tmp_path):
    async def play():
        wires = Wires(first=[refuses(429, code="rate_limit_exceeded", retry_after=asked), says(5)])
        core = Core(tmp_path, wires, one("first"))
        got = await core.answer(core.ask())
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert got.status == 200
    assert wires.calls[1][1].at == pytest.approx(waited)


def test_who_asks_for_longer_than_anybody_waits_is_told_on(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=refuses(429, code="rate_limit_exceeded", retry_after="90")), one("first"))
        got = [await core.answer(core.ask()) for _ in range(2)]
        core.in_order()
        return core, got, asyncio.get_running_loop().time()

    core, (first, second), took = run_virtual(play())
    assert (first.status, first.headers["retry-after"]) == (429, "90")
    assert (second.status, second.headers["retry-after"]) == (503, "90")
    assert (core.wires.count("first"), took) == (1, 0.0)


def test_a_request_that_one_provider_cannot_express_goes_to_the_next_without_costing_a_retry(tmp_path):
    class Narrow:
        def __init__(self, real):
            self.kind, self.traits, self.reply = real.kind, real.traits, real.reply
            self.stream, self.fault = real.stream, real.fault

        def request(self, call, target):
            from mrblue_cli.gateway.providers.wire import unsupported

            raise unsupported(f"{target.provider} knows no such thing")

    async def play():
        core = Core(
            tmp_path, Wires(first=says(5), second=[refuses(503), says(5)]), one("first", kind="mistral"),
            one("second", 2), max_retries=1,
        )  # fmt: skip
        core.around.providers["mistral"] = Narrow(core.around.providers["mistral"])
        got = await core.answer(core.ask())
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert got.status == 200
    assert (core.wires.count("first"), core.wires.count("second")) == (0, 2)
    assert {name: state.breaker.failures for name, state in core.health._routes.items()}["first/m-1"] == 0


def test_a_dead_provider_is_called_no_more_while_requests_wait(tmp_path):
    """One opens the breaker while another waits to try again: the second one is told, not sent."""

    async def play():
        wires = Wires(first=unreachable(0.1))
        breaker = BreakerOptions(failure_threshold=3, reset_timeout=60.0)
        core = Core(tmp_path, wires, one("first"), breaker=breaker, max_retries=3, retry_delay=1.0)
        got = await asyncio.gather(*(core.answer(core.ask()) for _ in range(3)))
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert wires.count("first") == 3
    assert {each.status for each in got} <= {502, 503}


def test_a_failed_stream_is_booked_by_what_came_and_a_dead_one_by_its_prompt(tmp_path):
    async def play():
        wires = Wires(first=[says(60, cut=25), sends(event({"choices": []}), event("[DONE]"))])
        core = Core(tmp_path, wires, one("first"), max_retries=0)
        for _ in range(2):
            await core.answer(core.ask(stream=True, max_tokens=30))
        core.in_order()
        return core

    cut, dead = run_virtual(play()).ledger()
    assert (cut.outcome, cut.output, cut.estimated) == ("failed", 25, True)
    assert (dead.outcome, dead.output, dead.estimated) == ("failed", 0, True)
    assert cut.input == dead.input > 0


def test_an_answer_in_three_parts_keeps_one_account(tmp_path):
    """Two providers break off one after the other; the third one ends it."""

    async def play():
        wires = Wires(first=says(60, cut=20), second=says(60, cut=45), third=says(60))
        core = Core(
            tmp_path, wires, one("first"), one("second", 2, kind="groq"), one("third", 3, kind="groq"), max_retries=3
        )
        got = await core.answer(core.ask(stream=True, max_tokens=80, stream_options={"include_usage": True}))
        core.in_order()
        return core, wires, got

    core, wires, got = run_virtual(play())
    assert (got.text, got.done) == (text(60), True)
    assert [line.output for line in core.ledger()] == [20, 25, 15]
    assert got.usage["completion_tokens"] == 60
    asked = [wires.bodies(name)[0] for name in ("first", "second", "third")]
    assert [body.get("max_tokens") or body["max_completion_tokens"] for body in asked] == [80, 60, 35]
    assert [body["messages"][-1]["content"] for body in asked[1:]] == [text(20), text(45)]


def test_a_route_that_takes_any_model_is_asked_for_the_one_named(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first", model="*"))
        got = await core.answer(core.ask(model="some/new-model"))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert core.wires.bodies("first")[0]["model"] == "some/new-model"
    assert got.headers["x-mrblue-model"] == "some/new-model"
    assert [charge.model for charge in core.charges] == ["some/new-model"]


def test_the_price_is_that_of_the_model_upstream(tmp_path):
    async def play():
        dear = ModelOptions(name="named", upstream="m-upstream", input_price=7.0, output_price=11.0)
        core = Core(tmp_path, Wires(first=says(5)), one("first", 1, dear))
        got = await core.answer(core.ask(model="named"))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert core.wires.bodies("first")[0]["model"] == "m-upstream"
    assert core.ledger()[0].cost == 12 * 7_000 + 5 * 11_000
    assert got.headers["x-mrblue-cost-usd"] == "0.000139"


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
def test_each_deadline_has_its_own_end(surface, tmp_path):
    """No token at all, nothing more after some, and an answer that never comes."""
    deadlines = DeadlineOptions(first_token=15.0, idle=20.0, answer=120.0, total=600.0)

    async def play():
        wires = Wires(first=[silent(), says(60, cut=30, how=None), silent()])
        core = Core(tmp_path, wires, one("first"), deadlines=deadlines, max_retries=0)
        took = []
        for stream in (True, True, False):
            began = asyncio.get_running_loop().time()
            await core.answer(core.ask(surface, stream=stream))
            took.append(asyncio.get_running_loop().time() - began)
        core.in_order()
        return core, took

    core, took = run_virtual(play())
    assert took == [pytest.approx(15.0), pytest.approx(20.0), pytest.approx(120.0)]
    assert [record.fault.kind for record in core.records] == ["timeout"] * 3
