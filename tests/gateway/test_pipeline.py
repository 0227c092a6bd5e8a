"""The order of one request: key, limits, cache, budget, route; and that a step which ends it leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.budget.service import LedgerError
from mrblue_cli.gateway.model import KeyLimits, Surface
from mrblue_cli.gateway.options import AlertOptions, BreakerOptions, BudgetOptions, ModelOptions
from tests.fakes.incoming import Reply, Wires, refuses, says, silent, unreachable
from tests.fakes.upstream_wires import text
from tests.fakes.virtual_time import run_virtual
from tests.gateway.core import Core, Heard, one


def key(*models: str, **more: object) -> Caller:
    """A caller with a key."""
    return Caller("key_1", "tests", models=models, **more)  # type: ignore[arg-type]


TWO = one("first", 1, ModelOptions(name="gpt-4o-mini", input_price=0.1, output_price=0.4), model="gpt-4o")
"""A provider with a dear model and a cheap one."""


# Keys and the models they open


@pytest.mark.parametrize(
    ("models", "asked", "allowed"),
    [
        (("gpt-4o",), "gpt-4o", True),
        (("gpt-4o",), "first/gpt-4o", True),
        (("first/gpt-4o",), "gpt-4o", True),
        (("first/*",), "gpt-4o-mini", True),
        (("gpt-4o*",), "small", True),
        (("gpt-4o",), "gpt-4o-mini", False),
        (("gpt-4o",), "first/gpt-4o-mini", False),
        (("gpt-4o",), "small", False),
        (("small",), "small", False),
        (("gpt-4o",), "gpt-4o-by-alias", False),
        (("other/*",), "gpt-4o", False),
        (("GPT-4O",), "gpt-4o", False),
    ],
)
def test_a_key_opens_the_models_it_names_by_whatever_name_they_are_asked_for(models, asked, allowed, tmp_path):
    async def play():
        aliases = (("small", "gpt-4o-mini"), ("gpt-4o-by-alias", "gpt-4o-mini"))
        core = Core(tmp_path, Wires(first=says(5)), TWO, aliases=aliases)
        got = await core.answer(core.ask(caller=key(*models), model=asked))
        core.in_order()
        return got

    got = run_virtual(play())
    assert (got.status == 200) is allowed
    assert allowed or (got.status, got.error["code"]) == (403, "model_not_allowed")


def test_a_key_is_not_led_to_another_model_by_a_failure(tmp_path):
    async def play():
        breaker = BreakerOptions(failure_threshold=100)
        core = Core(tmp_path, Wires(first=refuses(503)), TWO, max_retries=5, breaker=breaker)
        got = [await core.answer(core.ask(caller=caller, model="gpt-4o")) for caller in (key("gpt-4o"), key())]
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert [each.status for each in got] == [503, 503]
    asked = [(body["model"]) for body in core.wires.bodies("first")]
    first = int(got[0].headers["x-mrblue-attempts"])
    assert set(asked[:first]) == {"gpt-4o"}
    assert set(asked[first:]) == {"gpt-4o", "gpt-4o-mini"}


def test_a_key_opens_one_model_of_a_route_that_takes_any(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first", model="*"))
        caller = key("first/gpt-4o")
        got = [await core.answer(core.ask(caller=caller, model=name)) for name in ("gpt-4o", "first/gpt-4o", "other")]
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert [each.status for each in got] == [200, 200, 403]
    assert [body["model"] for body in core.wires.bodies("first")] == ["gpt-4o", "gpt-4o"]


# Limits


def test_tokens_that_nobody_used_are_given_back(tmp_path):
    """By a refusal of the budget, an answer from the cache, a provider that is down, and a short answer."""
    caller = key(tokens_per_minute=3000)

    def left(got: Heard) -> int:
        return int(got.headers["x-ratelimit-remaining-tokens"])

    async def play():
        core = Core(tmp_path, Wires(first=says(5), down=unreachable()), one("first"), one("down", model="m-2"),
                    caching=True, models="same", max_retries=0)  # fmt: skip
        got = [await core.answer(core.ask(caller=caller, max_tokens=500)) for _ in range(3)]
        got.append(await core.answer(core.ask(caller=caller, model="m-2", max_tokens=500)))
        poor = Caller(caller.key_id, "poor", limits=KeyLimits(daily_nano=1), tokens_per_minute=3000)
        got.append(await core.answer(core.ask(caller=poor, max_tokens=501)))
        got.append(await core.answer(core.ask(caller=caller, max_tokens=502, control="only-if-cached")))
        got.append(await core.answer(core.ask(caller=caller, max_tokens=503)))
        core.in_order()
        return got

    got = run_virtual(play())
    assert [each.status for each in got] == [200, 200, 200, 502, 429, 504, 200]
    assert [each.headers["x-mrblue-cache"].partition(";")[0] for each in got[1:3]] == ["hit-exact"] * 2
    # Each takes its estimate and leaves 17 tokens of the one answer behind.
    assert left(got[0]) - left(got[1]) == 17
    assert left(got[1]) == left(got[2]) == left(got[3])
    assert left(got[4]) == left(got[3]) - 1
    assert left(got[6]) == left(got[3]) - 3


def test_a_key_that_must_wait_is_told_how_long(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first"))
        caller = key(requests_per_minute=1)
        got = [await core.answer(core.ask(caller=caller)) for _ in range(2)]
        core.in_order()
        return core, got

    core, (_, late) = run_virtual(play())
    assert (late.status, late.error["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(late.headers["retry-after"]) <= 61
    assert len(core.ledger()) == 1


# Cache and budget


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_in_the_cache_is_free_for_those_who_have_no_money_left(stream, tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first"), caching=True, budget=BudgetOptions(daily_limit=0.02))
        rich = await core.answer(core.ask(stream=stream))
        core.budget.configure(BudgetOptions(daily_limit=0.000001))
        hit = await core.answer(core.ask(stream=stream))
        fresh = await core.answer(core.ask(stream=stream, temperature=0.5))
        core.in_order()
        return core, rich, hit, fresh

    core, rich, hit, fresh = run_virtual(play())
    assert (rich.status, hit.status, fresh.status) == (200, 200, 429)
    assert hit.headers["x-mrblue-cost-usd"] == "0.0"
    assert fresh.error["code"] == "budget_exceeded"
    assert fresh.headers["x-should-retry"] == "false"
    assert core.records[1].saved_nano == core.ledger()[0].cost


class Locked:
    """A ledger that cannot be written, as the budget tells it."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    async def reserve(self, **_):
        raise LedgerError("the ledger is locked")


def test_a_ledger_that_fails_stops_spending_only_where_there_is_a_limit(tmp_path):
    async def play(folder: Path, budget: BudgetOptions):
        core = Core(folder, Wires(first=says(5)), one("first"), caching=True, budget=budget)
        await core.answer(core.ask())
        core.pipeline._budget = Locked(core.budget)
        got = [await core.answer(core.ask()), await core.answer(core.ask(temperature=0.1))]
        return [each.status for each in got]

    for limit, expected in ((None, [200, 200]), (50.0, [200, 503])):
        folder = tmp_path / str(limit)
        folder.mkdir()
        assert run_virtual(play(folder, BudgetOptions(daily_limit=limit))) == expected


def test_a_cache_that_fails_costs_no_answer(tmp_path):
    class Failing:
        async def lookup(self, **_):
            raise ValueError("a defect")

    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first"), caching=True)
        core.pipeline._cache = Failing()
        got = await core.answer(core.ask())
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert (got.status, got.headers["x-mrblue-cache"]) == (200, "bypass;reason=failed")
    assert [type(error) for error in core.defects] == [ValueError]


@pytest.mark.parametrize("stream", [False, True])
def test_a_cache_that_cannot_store_costs_no_answer(stream, tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first"), caching=True)

        async def store(*_):
            raise ValueError("a defect")

        core.cache.store = store
        got = await core.answer(core.ask(stream=stream))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert got.status == 200
    assert got.done or not stream
    assert [type(error) for error in core.defects] == [ValueError]


def test_a_substitutes_answer_is_not_kept_under_the_asked_models_name(tmp_path):
    async def play():
        other = one("second", 2, model="m-2")
        core = Core(tmp_path, Wires(first=[refuses(503), says(5)], second=says(7)), one("first"), other, caching=True)
        got = [await core.answer(core.ask(stream=stream)) for stream in (True, True, True)]
        core.in_order()
        return got

    got = run_virtual(play())
    assert [each.text for each in got] == [text(7), text(5), text(5)]
    assert [each.headers["x-mrblue-cache"][:4] for each in got] == ["miss", "miss", "hit-"]


# Throttling


def throttled(folder: Path, wires: Wires, *, caller: Caller, cheaper: str, asked: str = "gpt-4o", **more) -> Core:
    """A request with 97 % of the budget spent."""

    async def play():
        alerts = (AlertOptions(threshold=0.5, action="throttle"),)
        budget = BudgetOptions(daily_limit=1.0, alerts=alerts, throttle_delay=3.0)
        core = Core(folder, wires, TWO, budget=budget, cheaper=cheaper, **more)
        held = await core.budget.reserve(
            request_id="before", key_id="", key_limits=KeyLimits(), estimate_nano=970_000_000, surface=Surface.CHAT,
            model="x",
        )  # fmt: skip
        got = await core.answer(core.ask(caller=caller, model=asked, max_tokens=10))
        assert got.status in (200, 503)
        assert got.headers["x-mrblue-budget"] == "throttled"
        assert asyncio.get_running_loop().time() >= 3.0
        await core.budget.settle(held, ())
        core.in_order()
        return core

    return run_virtual(play())


@pytest.mark.parametrize(
    ("models", "cheaper", "asked", "served"),
    [
        ((), "gpt-4o-mini", "gpt-4o", "gpt-4o-mini"),
        (("gpt-4o*",), "gpt-4o-mini", "gpt-4o", "gpt-4o-mini"),
        (("gpt-4o",), "gpt-4o-mini", "gpt-4o", "gpt-4o"),
        # An alias that the key's globs happen to match opens nothing.
        (("gpt-4o", "gpt-4o-cheap"), "gpt-4o-cheap", "gpt-4o", "gpt-4o"),
        # No such model, or a dearer one: the request stays where it is.
        ((), "gone", "gpt-4o", "gpt-4o"),
        ((), "gpt-4o", "gpt-4o-mini", "gpt-4o-mini"),
    ],
)
def test_near_the_limit_requests_are_slower_then_cheaper(models, cheaper, asked, served, tmp_path):
    aliases = (("gpt-4o-cheap", "gpt-4o-mini"),)
    wires = Wires(first=says(5))
    throttled(tmp_path, wires, caller=key(*models), cheaper=cheaper, asked=asked, aliases=aliases)
    assert [body["model"] for body in wires.bodies("first")] == [served]


def test_a_throttled_request_does_not_fall_back_to_what_is_dearer(tmp_path):
    wires = Wires(first=refuses(503))
    throttled(tmp_path, wires, caller=key(), cheaper="gpt-4o-mini", max_retries=3, max_delay=5.0)
    assert {body["model"] for body in wires.bodies("first")} == {"gpt-4o-mini"}


def test_a_client_that_leaves_while_it_is_slowed_down_has_spent_nothing(tmp_path):
    async def play():
        budget = BudgetOptions(daily_limit=1.0, alerts=(AlertOptions(threshold=0.0, action="throttle"),))
        core = Core(tmp_path, Wires(first=says(5)), one("first"), budget=budget)
        asking = asyncio.create_task(core.answer(core.ask()))
        await asyncio.sleep(0.5)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        core.in_order()
        return core

    core = run_virtual(play())
    assert core.ledger() == []
    assert core.wires.calls == []
    assert [record.status for record in core.records] == [499]


# What else a request may be


def test_embeddings_are_never_streams(tmp_path):
    def vectors(_asked):
        return Reply(
            steps=[(0.0, b'{"object": "list", "data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 2}}')]
        )

    async def play():
        core = Core(tmp_path, Wires(first=vectors), one("first", surfaces=(Surface.EMBEDDINGS,)))
        got = await core.answer(core.ask(Surface.EMBEDDINGS, stream=True))
        core.in_order()
        return got

    got = run_virtual(play())
    assert (got.status, got.content_type, got.json["data"]) == (200, "application/json", [{"embedding": [1.0]}])


def test_embeddings_never_cross_models_not_by_an_alias_either(tmp_path):
    async def play():
        models = {"surfaces": (Surface.EMBEDDINGS,)}
        wires = Wires(first=refuses(503), second=refuses(503))
        core = Core(tmp_path, wires, one("first", model="e-1", **models), one("second", 2, model="e-2", **models),
                    aliases=(("vectors", "e-1"),))  # fmt: skip
        got = [await core.answer(core.ask(Surface.EMBEDDINGS, model=name)) for name in ("e-1", "vectors", "first/e-1")]
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert {each.status for each in got} == {503}
    assert wires.count("second") == 0


def test_with_models_same_nobody_else_is_asked(tmp_path):
    async def play():
        wires = Wires(first=says(12, cut=5), second=says(12))
        core = Core(tmp_path, wires, one("first"), one("second", 2, model="m-2", kind="groq"), models="same")
        got = [await core.answer(core.ask(stream=True)), await core.answer(core.ask(stream=False))]
        core.in_order()
        return wires, got

    wires, (cut, plain) = run_virtual(play())
    assert wires.count("second") == 0
    assert not cut.done
    assert plain.status == 502


def test_responses_fall_over_from_a_native_provider_to_one_that_only_chats(tmp_path):
    async def play():
        wires = Wires(first=refuses(503), second=says(5))
        core = Core(tmp_path, wires, one("first", kind="openai"), one("second", 2))
        got = [await core.answer(core.ask(Surface.RESPONSES, stream=stream)) for stream in (False, True)]
        core.in_order()
        return wires, got

    wires, (plain, streamed) = run_virtual(play())
    assert plain.json["output"][0]["content"][0]["text"] == text(5)
    assert streamed.text == text(5)
    assert streamed.events[-1]["type"] == "response.completed"
    assert "input" in wires.bodies("first")[0]
    assert "messages" in wires.bodies("second")[0]


@pytest.mark.parametrize("model", [None, 7, "", {"a": "b" * 1000}, "x" * 100_000])
def test_the_log_takes_no_novels_for_a_models_name(model, tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(5)), one("first"))
        got = await core.answer(core.ask(model=model))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert got.status in (400, 404)
    assert len(core.records[0].asked) <= 200


def test_errors_have_the_shape_of_their_surface(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=refuses(429, code="rate_limit_exceeded", retry_after="7")), one("first"))
        got = [await core.answer(core.ask(s)) for s in (Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES)]
        core.in_order()
        return got

    chat, messages, responses = run_virtual(play())
    assert (chat.status, chat.json["error"]["code"], chat.headers["retry-after"]) == (429, "rate_limit_exceeded", "7")
    assert messages.json["type"] == "error"
    assert set(responses.json["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("moment", [0.0, 0.5, 20.0, 70.0])
def test_a_client_that_leaves_at_any_moment_leaves_no_trace(moment, stream, tmp_path):
    """While a provider is silent, while another is tried, while the answer comes."""

    async def play():
        wires = Wires(first=silent(), second=says(20, pace=5.0, first=5.0))
        core = Core(tmp_path, wires, one("first"), one("second", 2))
        asking = asyncio.create_task(core.answer(core.ask(stream=stream)))
        await asyncio.sleep(moment)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        core.in_order()
        return core

    core = run_virtual(play())
    assert [record.status for record in core.records] == [499]
    assert all(line.outcome in ("failed", "cancelled") for line in core.ledger())
