"""Streams and whole answers on their way to the client: what is told, what is booked, what happens when it breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.gateway.budget.service import Charge
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Part, Surface
from mrblue_cli.gateway.options import BreakerOptions, DeadlineOptions
from mrblue_cli.gateway.routing.breaker import State
from tests.fakes.incoming import CUT, FOREVER, Reply, Wires, refuses, says, sends, silent, unreachable
from tests.fakes.upstream_wires import event, text
from tests.fakes.virtual_time import run_virtual
from tests.gateway.core import Core, Heard, heard, one, text_of

BEHIND = one("second", 2, kind="groq")
"""A provider that goes on from a prefill."""


def chunk(content: str, finish: str | None = None, **more: object) -> bytes:
    """One chat chunk."""
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish, **more}
    return event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "x", "choices": [choice]}
    )


def single(folder: Path, wires: Wires, surface: Surface = Surface.CHAT, **more: object) -> tuple[Core, Heard]:
    """One streamed request against `first` alone, without a retry."""

    async def play() -> tuple[Core, Heard]:
        core = Core(folder, wires, one("first"), max_retries=0)
        got = await core.answer(core.ask(surface, stream=True, **more))
        core.in_order()
        return core, got

    return run_virtual(play())


def test_a_stream_that_nobody_ever_reads_is_settled_all_the_same(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(60)), one("first"))
        answer = await core.pipeline.answer(core.ask(stream=True))
        await answer.frames.aclose()
        await answer.frames.aclose()
        core.in_order()
        return core

    core = run_virtual(play())
    assert [(line.outcome, line.estimated) for line in core.ledger()] == [("cancelled", True)]
    assert [record.status for record in core.records] == [499]


def test_a_client_that_leaves_while_the_books_are_closed_counts_once(tmp_path):
    """The answer is whole and being settled when the client goes: it is booked as whole, once."""

    async def play():
        core = Core(tmp_path, Wires(first=says(3)), one("first"))
        core.budget.lag = 1.0
        reading = asyncio.create_task(heard(await core.pipeline.answer(core.ask(stream=True))))
        await asyncio.sleep(0.5)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await asyncio.sleep(2.0)
        core.in_order()
        return core

    core = run_virtual(play())
    assert [line.outcome for line in core.ledger()] == ["ok"]


def test_a_refusal_after_the_first_token_is_not_routed_around(tmp_path):
    refusal = event({"error": {"message": "Filtered.", "type": "invalid_request_error", "code": "content_filter"}})

    async def play():
        wires = Wires(first=sends(chunk("w0"), chunk(" w1"), refusal), second=says(60))
        core = Core(tmp_path, wires, one("first"), BEHIND)
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert (got.text, got.done, got.error["code"]) == ("w0 w1", False, "content_filter")
    assert wires.count("second") == 0


def test_a_refusal_by_whoever_would_go_on_ends_it(tmp_path):
    async def play():
        wires = Wires(
            first=says(60, cut=40),
            second=refuses(400, code="content_filter", kind="invalid_request_error"),
            third=says(60),
        )
        core = Core(tmp_path, wires, one("first"), BEHIND, one("third", 3, kind="groq"))
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert (got.text, got.done) == (text(40), False)
    assert got.error is not None
    assert (wires.count("second"), wires.count("third")) == (1, 0)


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
def test_a_continued_answer_tells_the_usage_that_is_billed(surface, tmp_path):
    async def play():
        wires = Wires(first=says(60, cut=40), second=says(60))
        core = Core(tmp_path, wires, one("first"), BEHIND)
        more = {"stream_options": {"include_usage": True}} if surface is Surface.CHAT else {}
        got = await core.answer(core.ask(surface, stream=True, **more))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert got.text == text(60)
    lines = core.ledger()
    assert [(line.provider, line.outcome, line.output) for line in lines] == [
        ("first", "failed", 40), ("second", "ok", 20),
    ]  # fmt: skip
    billed = (sum(line.input for line in lines), sum(line.output for line in lines))
    assert (core.records[0].input_tokens, core.records[0].output_tokens) == billed
    if surface is Surface.CHAT:
        assert (got.usage["prompt_tokens"], got.usage["completion_tokens"]) == billed
        assert got.usage["total_tokens"] == sum(billed)
    elif surface is Surface.RESPONSES:
        assert got.events[-1]["response"]["usage"]["output_tokens"] == billed[1]
    else:
        (told,) = (each["usage"] for each in got.events if each["type"] == "message_delta")
        assert told["output_tokens"] == billed[1]


def test_the_limit_of_tokens_holds_over_both_parts(tmp_path):
    async def play():
        wires = Wires(first=says(60, cut=40), second=says(60))
        core = Core(tmp_path, wires, one("first"), BEHIND)
        await core.answer(core.ask(stream=True, max_tokens=100))
        return wires

    asked = run_virtual(play()).bodies("second")[0]
    assert (asked.get("max_tokens") or asked["max_completion_tokens"]) == 60


def test_a_broken_end_after_the_last_word_takes_nothing_from_the_answer(tmp_path):
    for number, how in enumerate((CUT, None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        core, got = single(folder, Wires(first=says(5, after_finish=True, how=how)))
        assert (got.text, got.done, got.error) == (text(5), True, None)
        assert core.records[0].complete


def test_with_several_choices_a_lost_end_is_a_broken_answer(tmp_path):
    """The first choice is complete; the second is not, and nobody may take it for that."""
    script = sends(chunk("one"), chunk("tw", index=1), chunk("", "stop"))
    _, got = single(tmp_path, Wires(first=script), n=2)
    assert not got.done
    assert got.error is not None


def test_tool_calls_are_never_continued_by_somebody_else(tmp_path):
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"port": 30'}}
    first = sends(chunk("w0 "), chunk("", delta={"tool_calls": [call]}), CUT)

    async def play():
        wires = Wires(first=first, second=says(60))
        core = Core(tmp_path, wires, one("first"), BEHIND)
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert wires.count("second") == 0
    assert not got.done
    assert got.error


def test_an_empty_stream_is_no_answer(tmp_path):
    async def play():
        wires = Wires(first=sends(chunk("", delta={"role": "assistant"}), event("[DONE]")), second=says(5))
        core = Core(tmp_path, wires, one("first"), one("second", 2))
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return got

    got = run_virtual(play())
    assert (got.text, got.headers["x-mrblue-provider"]) == (text(5), "second")


def test_an_answer_of_no_words_that_says_why_is_one(tmp_path):
    _, got = single(tmp_path, Wires(first=sends(chunk("", "stop"), event("[DONE]"))))
    assert (got.status, got.text, got.done) == (200, "", True)


def test_a_native_stream_whose_end_mark_is_lost_still_ends_for_the_client(tmp_path):
    async def play():
        wires = Wires(first=says(5, after_finish=True))
        core = Core(tmp_path, wires, one("first", kind="anthropic"), caching=True, max_retries=0)
        got = [await core.answer(core.ask(Surface.MESSAGES, stream=True)) for _ in range(2)]
        core.in_order()
        return wires, got

    wires, (first, again) = run_virtual(play())
    assert first.events[-1] == {"type": "message_stop"}
    assert (again.events[-1], again.headers["x-mrblue-cache"][:9]) == ({"type": "message_stop"}, "hit-exact")
    assert wires.count("first") == 1


def test_the_output_of_a_cut_native_stream_is_counted_by_what_came(tmp_path):
    """Anthropic tells the input first and the output last: what it said at the head is not what was made."""

    async def play():
        core = Core(tmp_path, Wires(first=says(60, cut=40)), one("first", kind="anthropic"), max_retries=0)
        got = await core.answer(core.ask(Surface.MESSAGES, stream=True))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert got.error is not None
    assert [(line.input, line.output, line.estimated) for line in core.ledger()] == [(12, 40, True)]


def test_a_defect_in_the_middle_ends_with_an_error_and_is_settled(tmp_path):
    """Choices that are no list pass the decoder as they are; what chokes on them must not hang or look whole."""
    odd = event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "x", "choices": 7})

    async def play():
        core = Core(tmp_path, Wires(first=sends(chunk("w0"), odd, event("[DONE]"))), one("first"), max_retries=0)
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert (got.text, got.done) == ("w0", False)
    assert got.error["code"] == "internal_error"
    assert [type(error) for error in core.defects] == [TypeError]
    assert [line.outcome for line in core.ledger()] == ["failed"]
    assert [state.breaker.failures for state in core.health._routes.values()] == [0], "our defect is not theirs"


class Choking:
    """An adapter that raises where no contract allows it."""

    def __init__(self, real, step):
        self.kind, self.traits = real.kind, real.traits
        for name in ("request", "reply", "stream", "fault"):
            setattr(self, name, self._choke if name == step else getattr(real, name))

    def _choke(self, *_):
        raise KeyError("choices")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("step", ["request", "reply", "stream", "fault"])
def test_an_adapter_that_raises_is_routed_around(step, stream, tmp_path):
    async def play():
        first = refuses(500) if step == "fault" else says(5)
        core = Core(tmp_path, Wires(first=first, second=says(5)), one("first", kind="mistral"), one("second", 2))
        core.around.providers["mistral"] = Choking(core.around.providers["mistral"], step)
        got = await core.answer(core.ask(stream=stream))
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    used = (step, stream) not in {("reply", True), ("stream", False)}
    assert got.status == 200
    assert got.headers["x-mrblue-provider"] == ("second" if used else "first")
    assert [type(error) for error in core.defects] == ([KeyError] if used else [])


def test_an_answer_that_is_too_large_to_keep_is_sent_all_the_same(tmp_path):
    """More than the cache takes of one stream: sent, booked, asked for again."""

    async def play():
        large = [chunk("x" * 50_000) for _ in range(60)]
        core = Core(
            tmp_path, Wires(first=sends(*large, chunk("", "stop"), event("[DONE]"))), one("first"), caching=True
        )
        got = [await core.answer(core.ask(stream=True)) for _ in range(2)]
        core.in_order()
        return got

    got = run_virtual(play())
    assert [(len(each.text), each.done) for each in got] == [(3_000_000, True)] * 2
    assert [each.headers["x-mrblue-cache"][:4] for each in got] == ["miss", "miss"]


# Sound


def test_speech_that_stalls_is_broken_off_in_time(tmp_path):
    def stalls(_asked):
        return Reply(headers={"content-type": "audio/mpeg"}, steps=[(0.0, b"ID3"), (FOREVER, b"")])

    async def play():
        core = Core(tmp_path, Wires(first=stalls), one("first", surfaces=(Surface.SPEECH,)), max_retries=0)
        began = asyncio.get_running_loop().time()
        got = await core.answer(core.ask(Surface.SPEECH))
        core.in_order()
        return core, got, asyncio.get_running_loop().time() - began

    core, got, took = run_virtual(play())
    assert (got.body, got.broken) == (b"ID3", True)
    assert took == pytest.approx(20.0)
    assert [(line.outcome, line.estimated) for line in core.ledger()] == [("failed", True)]
    assert core.records[0].status == 502


def test_speech_by_tokens_has_a_price(tmp_path):
    """Sound comes without usage: the estimate stands, with its characters and its tokens."""

    async def play():
        wires = Wires(first=sends(b"ID3", b"more", content_type="audio/mpeg"))
        core = Core(tmp_path, wires, one("first", surfaces=(Surface.SPEECH,)), caching=True)
        got = [await core.answer(core.ask(Surface.SPEECH)) for _ in range(2)]
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert [(each.body, each.content_type) for each in got] == [(b"ID3more", "audio/mpeg")] * 2
    assert got[1].headers["x-mrblue-cache"].startswith("hit-exact")
    (line,) = core.ledger()
    assert line.output > 0
    assert line.cost


@pytest.mark.parametrize("events", [True, False])
def test_an_error_instead_of_sound_is_tried_elsewhere(events, tmp_path):
    """JSON in a 200, or no bytes at all."""

    async def play():
        bad = (
            sends(b'{"error": {"message": "busy"}}', content_type="application/json")
            if events
            else sends(content_type="audio/mpeg")
        )
        wires = Wires(first=bad, second=sends(b"ID3", content_type="audio/mpeg"))
        sound = {"surfaces": (Surface.SPEECH,)}
        core = Core(tmp_path, wires, one("first", **sound), one("second", 2, **sound))
        got = await core.answer(core.ask(Surface.SPEECH))
        core.in_order()
        return got

    assert run_virtual(play()).body == b"ID3"


def hear(folder: Path, wires: Wires, **body: object) -> tuple[Core, Heard]:
    """A streamed transcription."""

    async def play():
        core = Core(folder, wires, one("first", kind="openai", surfaces=(Surface.TRANSCRIPTION,)), max_retries=0)
        parts = (Part(name="file", data=b"RIFF", filename="a.wav"),)
        got = await core.answer(core.ask(Surface.TRANSCRIPTION, parts=parts, stream="true", **body))
        core.in_order()
        return core, got

    return run_virtual(play())


DELTA = event({"type": "transcript.text.delta", "delta": "port "})
DONE = event({
    "type": "transcript.text.done",
    "text": "port in use",
    "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 3},
})  # fmt: skip


def test_a_streamed_transcript_is_booked_as_reported(tmp_path):
    core, got = hear(tmp_path, Wires(first=sends(DELTA, DONE)))
    assert got.body == DELTA + DONE
    assert got.content_type == "text/event-stream"
    assert [(line.input, line.output, line.estimated) for line in core.ledger()] == [(14, 3, False)]


def test_half_a_transcript_says_so(tmp_path):
    core, got = hear(tmp_path, Wires(first=sends(DELTA)))
    assert got.body.startswith(DELTA)
    assert got.error is not None
    assert [line.outcome for line in core.ledger()] == ["failed"]


def test_a_model_that_cannot_stream_sends_its_transcript_whole(tmp_path):
    body = b'{"text": "port in use", "usage": {"type": "duration", "seconds": 9}}'
    core, got = hear(tmp_path, Wires(first=sends(body, content_type="application/json")))
    assert (got.body, got.content_type) == (body, "application/json")
    assert core.records[0].complete
    assert not core.ledger()[0].estimated


# Time


def test_the_total_time_ends_it_and_blames_nobody(tmp_path):
    """Three providers, each slow; the request's time is up during the second, and the third is left alone."""
    deadlines = DeadlineOptions(first_token=15.0, total=20.0)

    async def play():
        wires = Wires(first=silent(), second=silent(), third=says(5))
        core = Core(tmp_path, wires, one("first"), one("second", 2), one("third", 3), deadlines=deadlines)
        got = await core.answer(core.ask(stream=True))
        core.in_order()
        return core, wires, got, asyncio.get_running_loop().time()

    core, wires, got, took = run_virtual(play())
    assert (got.status, took) == (504, pytest.approx(20.0))
    assert [wires.count(name) for name in ("first", "second", "third")] == [1, 1, 0]
    failures = {name: state.breaker.failures for name, state in core.health._routes.items()}
    assert (failures["first/m-1"], failures["second/m-1"]) == (1, 0)


def test_a_slow_reader_is_not_the_providers_fault(tmp_path):
    async def play():
        core = Core(tmp_path, Wires(first=says(60)), one("first"), max_retries=0)
        answer = await core.pipeline.answer(core.ask(stream=True))
        got = b""
        async for data in answer.frames:
            got += data
            await asyncio.sleep(100.0)
        await answer.frames.aclose()
        core.in_order()
        return core, got

    core, got = run_virtual(play())
    assert b"total time limit" in got
    assert [state.breaker.failures for state in core.health._routes.values()] == [0]


def test_those_who_wait_for_the_same_provider_send_one_probe(tmp_path):
    """Ten requests wait out a breaker of 2 s; it is still dead then, and hears of it once."""

    async def play():
        wires = Wires(first=unreachable(0.1))
        breaker = BreakerOptions(failure_threshold=1, reset_timeout=2.0)
        core = Core(tmp_path, wires, one("first"), breaker=breaker, max_retries=2, max_delay=5.0)
        got = await asyncio.gather(*(core.answer(core.ask()) for _ in range(10)))
        core.in_order()
        return wires, got

    wires, got = run_virtual(play())
    assert {each.status for each in got} == {502}
    moments = [round(asked.at, 3) for _, asked in wires.calls if asked.at > 1]
    assert len(moments) == len(set(moments)) <= 2, f"a crowd of probes: {moments}"


def test_a_probe_whose_client_leaves_makes_room_for_the_next(tmp_path):
    async def play():
        wires = Wires(first=[unreachable(), silent(), says(5)])
        breaker = BreakerOptions(failure_threshold=1, reset_timeout=2.0)
        core = Core(tmp_path, wires, one("first"), breaker=breaker, max_retries=0)
        await core.answer(core.ask())
        await asyncio.sleep(3.0)
        probe = asyncio.create_task(core.answer(core.ask()))
        await asyncio.sleep(0.1)
        refused = await core.answer(core.ask())
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        good = await core.answer(core.ask())
        core.in_order()
        return core, refused, good

    core, refused, good = run_virtual(play())
    assert (refused.status, good.status) == (503, 200)
    assert [core.health.breaker_state(route, 1e9) for route in core.table.routes] == [State.CLOSED]


# Whatever happens

_ENDS = {
    "whole": lambda: says(12),
    "slow": lambda: says(12, pace=1.0, first=3.0),
    "cut at once": lambda: says(12, cut=0),
    "cut": lambda: says(12, cut=7),
    "stalls": lambda: says(12, cut=5, how=None, pace=0.5),
    "no end": lambda: says(12, after_finish=True),
    "500": lambda: refuses(500),
    "429": lambda: refuses(429, code="rate_limit_exceeded", retry_after="3"),
    "401": lambda: refuses(401),
    "400": lambda: refuses(400, kind="invalid_request_error"),
    "filter": lambda: refuses(400, code="content_filter", kind="invalid_request_error"),
    "silent": silent,
    "unreachable": unreachable,
    "empty": lambda: sends(event("[DONE]")),
    "garbage": lambda: sends(b"data: {oh\n\n"),
}
SCRIPTS = st.lists(st.sampled_from(sorted(_ENDS)), min_size=1, max_size=3)


@settings(max_examples=120)
@given(
    first=SCRIPTS,
    second=SCRIPTS,
    kind=st.sampled_from(["openai-compatible", "groq"]),
    surface=st.sampled_from([Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES]),
    stream=st.booleans(),
    leaves=st.one_of(st.none(), st.integers(0, 8), st.floats(0.0, 40.0)),
    requests=st.integers(1, 3),
)
def test_whatever_happens_the_books_agree_and_nothing_half_looks_whole(
    tmp_path_factory, first, second, kind, surface, stream, leaves, requests
):
    """Random faults of two providers, and clients that leave after some pieces or at some moment."""
    folder = tmp_path_factory.mktemp("walk")

    async def play():
        wires = Wires(first=[_ENDS[name]() for name in first], second=[_ENDS[name]() for name in second])
        breaker = BreakerOptions(failure_threshold=2, reset_timeout=5.0)
        core = Core(folder, wires, one("first"), one("second", 2, kind=kind), breaker=breaker, caching=True)
        await asyncio.gather(*(client(core, surface, stream, leaves, number) for number in range(requests)))
        core.in_order()
        await core.budget.close()
        return core

    core = run_virtual(play())
    assert not core.defects
    assert all(charge.outcome in ("ok", "failed", "cancelled") for charge in core.charges)
    good: list[Charge] = [charge for charge in core.charges if charge.outcome == "ok"]
    hits = sum(record.cache.startswith("hit") for record in core.records)
    assert sum(record.complete for record in core.records) == len(good) + hits


async def client(core: Core, surface: Surface, stream: bool, leaves: float | None, number: int) -> None:
    """One client, who may leave; checks what it got."""
    said = {"input": f"{number}?"} if surface is Surface.RESPONSES else {}
    body = {"stream": True} if stream else {}
    asking = asyncio.create_task(read_some(core, core.ask(surface, **body, **said), leaves))
    if isinstance(leaves, float):
        await asyncio.wait([asking], timeout=leaves)
        asking.cancel()
    try:
        got, left = await asking
    except asyncio.CancelledError:
        return
    if got.status != 200:
        assert got.error["message"]
        return
    if not stream:
        assert text(12) in got.body.decode()
        return
    said_text, ends = text_of(got.events), END_OF[surface]
    assert text(12).startswith(said_text)
    complete = any(ends(each) for each in got.events)
    assert not (complete and got.error)
    if complete:
        assert said_text == text(12)
    elif not left:
        assert got.error or got.events[-1].get("type") in ("error", "response.failed")


END_OF = {
    Surface.CHAT: lambda each: each == "[DONE]",
    Surface.MESSAGES: lambda each: each["type"] == "message_stop",
    Surface.RESPONSES: lambda each: each["type"] == "response.completed",
}


async def read_some(core: Core, ask, leaves: float | None) -> tuple[Heard, bool]:
    """The answer up to where the client leaves."""
    answer = await core.pipeline.answer(ask)
    if answer.frames is None:
        return await heard(answer), False
    body, pieces, left = b"", 0, False
    try:
        if leaves != 0:
            async for data in answer.frames:
                body, pieces = body + data, pieces + 1
                if pieces == leaves:
                    left = True
                    break
        else:
            left = True
    finally:
        await answer.frames.aclose()
    return Heard(answer.status, answer.headers, answer.content_type, body, False), left


def test_a_plain_answer_in_a_shape_that_cannot_be_told_is_tried_elsewhere(tmp_path):
    """A translated surface that chokes on the reply: the provider's failure, in a plain answer as in a stream."""
    odd = b'{"id": "x", "choices": [{"index": 0, "message": {"content": "hi", "tool_calls": 5}}], "usage": {}}'

    async def play():
        wires = Wires(first=sends(odd, content_type="application/json"), second=says(5))
        core = Core(tmp_path, wires, one("first"), one("second", 2))
        got = await core.answer(core.ask(Surface.MESSAGES))
        core.in_order()
        return got

    assert run_virtual(play()).status == 200


def test_a_fault_is_a_fault_only_once():
    """The scripted failures are shared between tests: nobody may change them."""
    assert isinstance(CUT, CallError)
    assert CUT.fault == Fault(kind=FaultKind.BROKEN, message="The provider's answer was cut off.")
