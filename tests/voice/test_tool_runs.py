"""Tools run beside the conversation: in parallel, answered in order, effects finished, lookups dropped."""

from __future__ import annotations

import asyncio
import json

import msgspec

from mrblue_cli.assistant.permissions import Mode, Right, Role
from mrblue_cli.assistant.tools import MAX_OUTPUT_BYTES, MAX_SAY_CHARS, Answer, Status, Tool, ToolBox
from mrblue_cli.core.errors import ConnectError, UsageError
from mrblue_cli.protocol.client import Outcome
from mrblue_cli.protocol.client_events import CreateItem, CreateResponse
from mrblue_cli.protocol.notices import ToolCall
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.tool_runs import EFFECT_GRACE_SECONDS, ToolRuns
from tests.fakes.virtual_time import run_virtual


class Takes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of the tools here."""

    seconds: float = 0.0
    text: str = ""


class Fake:
    """Tools that take time, and a record of which were carried out."""

    def __init__(self):
        self.done = []

    def tool(self, name, right=Right.BASIC, seconds=60.0):
        async def run(given):
            await asyncio.sleep(given.seconds)
            if given.text == "usage":
                raise UsageError("that makes no sense", hint="say more")
            if given.text == "remote":
                raise ConnectError("nobody there")
            if given.text == "defect":
                raise KeyError("secret detail")
            self.done.append(name)
            return Answer({"text": given.text}, f"{name} is done")

        return Tool(name, f"The tool {name}.", Takes, run, right=right, seconds=seconds)


class Conversation:
    """Supplies outputs as the real one does: a round leaves together, with one request for a reply."""

    def __init__(self, waits_for):
        self._waits_for = waits_for
        self.outputs = {}

    def supply_tool_output(self, call_id, output):
        self.outputs[call_id] = output
        if len(self.outputs) < self._waits_for:
            return Outcome()
        return Outcome((CreateItem(item=None), CreateResponse()))


class Spending:
    """The money is not at its end."""

    closing = False


class Continuity:
    """Notes the results that came when their connection was gone."""

    live = True

    def __init__(self):
        self.kept = []

    def tool_result(self, call_id, *, last):
        self.kept.append((call_id, last))


class Talk:
    """What tool runs see of a session."""

    def __init__(self, waits_for=1):
        self.conversation = Conversation(waits_for)
        self.flow = TurnFlow(connected=True, microphone_ready=True)
        self.spending = Spending()
        self.continuity = Continuity()
        self.events, self.sent, self.asked = [], [], 0

    def emit(self, event):
        self.events.append(event)

    def apply(self, outcome):
        self.sent += outcome.send

    def reply_asked(self):
        self.asked += 1

    def statuses(self, name):
        return [str(event.status) for event in self.events if isinstance(event, ev.ToolRan) and event.name == name]


def call(name, number=1, **arguments):
    return ToolCall(f"call_{number}", name, json.dumps(arguments))


def test_a_call_is_told_when_it_begins_and_when_it_ends():
    async def main():
        talk, fake = Talk(), Fake()
        runs = ToolRuns(talk, ToolBox([fake.tool("look")]))
        runs.start(call("look", seconds=2))
        assert runs.running
        assert talk.flow.working
        assert talk.flow.state is ev.State.THINKING
        assert not talk.flow.settled
        await asyncio.sleep(3)
        assert not runs.running
        assert not talk.flow.working
        return talk

    talk = run_virtual(main())
    assert talk.statuses("look") == ["running", "done"]
    assert talk.events[-1].say == "look is done"
    assert json.loads(talk.conversation.outputs["call_1"]) == {"ok": True, "say": "look is done", "text": ""}
    assert talk.asked == 1


def test_several_calls_run_side_by_side():
    async def main():
        talk, fake = Talk(waits_for=3), Fake()
        runs = ToolRuns(talk, ToolBox([fake.tool("slow"), fake.tool("quick"), fake.tool("send", Right.TOOLS)]))
        begin = asyncio.get_running_loop().time()
        runs.start(call("slow", 1, seconds=5))
        runs.start(call("quick", 2, seconds=1))
        runs.start(call("send", 3, seconds=3))
        while runs.running:
            await asyncio.sleep(0.1)
        return talk, fake, asyncio.get_running_loop().time() - begin

    talk, fake, took = run_virtual(main())
    assert fake.done == ["quick", "send", "slow"]
    assert 4.9 < took < 5.5
    assert talk.asked == 1


def test_the_end_of_the_talk_drops_lookups_and_finishes_effects():
    async def main():
        talk, fake = Talk(), Fake()
        runs = ToolRuns(talk, ToolBox([fake.tool("look"), fake.tool("send", Right.TOOLS)]))
        runs.start(call("look", 1, seconds=3))
        runs.start(call("send", 2, seconds=3))
        await asyncio.sleep(0.5)
        await runs.close()
        return talk, fake

    talk, fake = run_virtual(main())
    assert fake.done == ["send"]
    assert talk.statuses("look") == ["running"]
    assert talk.statuses("send") == ["running", "done"]


def test_an_effect_that_does_not_end_is_stopped_and_that_is_told():
    async def main():
        talk, fake = Talk(), Fake()
        runs = ToolRuns(talk, ToolBox([fake.tool("send", Right.TOOLS)]))
        runs.start(call("send", 1, seconds=50))
        await asyncio.sleep(0.5)
        begin = asyncio.get_running_loop().time()
        await runs.close()
        return talk, asyncio.get_running_loop().time() - begin

    talk, took = run_virtual(main())
    assert took == EFFECT_GRACE_SECONDS
    assert talk.statuses("send") == ["running", "failed"]
    assert "may or may not be done" in talk.events[-1].say


def test_what_was_asked_on_a_lost_connection_is_told_but_not_sent_elsewhere():
    async def main():
        talk, fake = Talk(), Fake()
        runs = ToolRuns(talk, ToolBox([fake.tool("send", Right.TOOLS)]))
        runs.start(call("send", 1, seconds=1))
        before, talk.conversation = talk.conversation, Conversation(1)
        await asyncio.sleep(2)
        return talk, before

    talk, before = run_virtual(main())
    assert talk.statuses("send") == ["running", "done"]
    assert before.outputs == talk.conversation.outputs == {}
    assert talk.sent == []
    assert talk.continuity.kept == [("call_1", True)]


def outcome(arguments, tools=None, name="look", **more):
    box = ToolBox(tools or [Fake().tool("look", seconds=2.0)], **more)
    return run_virtual(box.call(name, arguments if isinstance(arguments, str) else json.dumps(arguments)))


def test_every_way_to_fail_is_a_sentence():
    assert outcome({}, name="nothing").say == "there is no tool called nothing"
    assert outcome("{").status is Status.REFUSED
    assert "do not fit" in outcome({"sekonds": 1}).say
    assert "do not fit" in outcome("[]").say
    assert "too long" in outcome({"text": "x" * 70_000}).say
    late = outcome({"seconds": 3})
    assert (late.status, late.say) == (Status.FAILED, "look took longer than 2 seconds")
    refused = outcome({"text": "usage"})
    assert (refused.status, refused.say) == (Status.REFUSED, "that makes no sense; say more")
    failed = outcome({"text": "remote"})
    assert (failed.status, failed.say) == (Status.FAILED, "nobody there")
    defect = outcome({"text": "defect"})
    assert (defect.status, defect.say) == (Status.FAILED, "look failed: KeyError")
    for one in (late, refused, failed, defect):
        assert json.loads(one.output) == {"ok": False, "say": one.say}
    assert outcome("").status is Status.DONE


def test_a_tool_that_a_role_may_not_use_is_as_if_it_were_not_there():
    tools = [Fake().tool("look"), Fake().tool("send", Right.TOOLS)]
    assert [spec.name for spec in ToolBox(tools, Role.USER, Mode.CHAT).specs] == ["look"]
    assert outcome({}, tools, "send", role=Role.USER, mode=Mode.CHAT).say == "there is no tool called send"
    assert outcome({}, tools, "send").status is Status.DONE


def test_results_are_bounded():
    async def much(_given):
        return Answer({"rows": ["é" * 1000] * 100}, "s" * 5000)

    box = ToolBox([Tool("much", "Gives much.", Takes, much)])
    found = run_virtual(box.call("much", "{}"))
    assert len(found.output.encode()) <= MAX_OUTPUT_BYTES
    assert len(found.say) == MAX_SAY_CHARS
    told = json.loads(found.output)
    assert (told["ok"], told["cut"]) == (True, True)
    assert told["beginning"].startswith('{"ok": true')
