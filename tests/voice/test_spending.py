"""Money in whole talks, in virtual time: what is told, when the talk ends, and that no further turn is taken."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.tools import Answer, Tool, ToolBox
from mrblue_cli.core.ids import CountingIds, RandomIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.notices import Ownership, RateLimited
from mrblue_cli.protocol.session import Audio, AudioInput, Session, Transcription
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.charges import ChargeKind
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.headless import HeadlessScript, Type
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from mrblue_cli.voice.spending import Spending, transcription_model
from tests.fakes.realtime_server import MemoryServer
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.voice.test_session import BASE, say

MODEL = "gpt-realtime-2.1"
WANTED = Session(audio=Audio(input=AudioInput(transcription=Transcription(model="gpt-transcribe"))))


class DearServer(MemoryServer):
    """Bills each reply `audio_out` tokens of sound on top of a growing conversation, and each transcription 4 s."""

    def __init__(self, audio_out=1000, limits=(), calls=(), **options):
        self.calls = list(calls)
        super().__init__(**options)
        self.audio_out = audio_out
        self.limits = list(limits)
        self.given = 0
        self.created = s.SessionCreated(session={**self.created.session, "model": MODEL})

    def act(self, command):
        if self.calls and isinstance(command, cmd.StartReply):
            self.apply(self.conversation.reply_call(command.response_id, self.calls.pop(0), "{}"))
            self.apply(self.conversation.reply_finished(command.response_id))
            return
        super().act(command)

    def apply(self, outcome):
        for event in outcome.send:
            self.out.put_nowait(self.billed(event))
            if isinstance(event, s.ResponseDone) and self.limits:
                self.out.put_nowait(s.RateLimitsUpdated(rate_limits=(self.limits.pop(0),)))
        for command in outcome.commands:
            self.act(command)

    def billed(self, event):
        match event:
            case s.ResponseDone():
                self.given += 100
                usage = {
                    "input_token_details": {"text_tokens": self.given},
                    "output_token_details": {"audio_tokens": self.audio_out},
                }
                response = s.ResponseState(id=event.response.id, status=event.response.status, usage=usage)
                return s.ResponseDone(response=response)
            case s.TranscriptionCompleted():
                usage = {"type": "duration", "seconds": 4.0}
                return s.TranscriptionCompleted(item_id=event.item_id, transcript=event.transcript, usage=usage)
            case _:
                return event


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


async def slow(_given):
    await asyncio.sleep(3)
    return Answer({"done": True}, "It is done.")


class Dear:
    """A talk with a dear server."""

    def __init__(self, max_cost=0.0, rung=RungName.REALTIME, engine="openai", **server):
        self.events = []
        self.max_cost, self.rung_name, self.engine, self.server_options = max_cost, rung, engine, server

    def hold(self, *steps, act=None):
        async def main():
            clock = LoopClock()
            self.server = DearServer(**self.server_options)
            microphone = ClockMicrophone(clock)
            self.session = TalkSession(
                TalkOptions(max_cost_usd=self.max_cost, reply_timeout_seconds=10),
                rungs=(Rung(self.rung_name, self.engine, self.connect, WANTED),),
                microphone=microphone,
                speaker=PacedSpeaker(clock),
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=RandomIds(),  # the server in memory counts, and would meet the same names
                emit=self.events.append,
                toolbox=ToolBox((Tool("slow", "Takes three seconds.", Nothing, slow),)),
            )
            script = HeadlessScript(self.session, microphone, steps, clock=clock, silence_ms=500)
            jobs = [asyncio.ensure_future(script.run())] if steps else []
            if act is not None:
                jobs.append(asyncio.ensure_future(act(self)))
            await self.session.run()
            for job in jobs:
                job.cancel()

        run_virtual(main(), 600)
        return self.events

    async def connect(self):
        return self.server

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def advice(self):
        return [event.text for event in self.of(ev.Advice)]


REPLY_USD = 1000 * 64 / 1e6
HEARD_USD = 4 * 0.27 / 3600


def test_a_spoken_turn_tells_reply_and_transcription():
    talk = Dear()
    talk.hold(say("question"), Type("and again"))
    kinds = [[charge.kind for charge in event.charges] for event in talk.of(ev.Spent)]
    assert sorted(kinds) == [[ChargeKind.REPLY], [ChargeKind.REPLY], [ChargeKind.TRANSCRIPTION]]
    charge = talk.of(ev.Spent)[-1].charges[0]
    assert (charge.engine, charge.rung, charge.model) == ("openai", "realtime", MODEL)
    first, second = talk.of(ev.TurnMeasured)
    assert first.cost_usd == pytest.approx(REPLY_USD + HEARD_USD + 100 * 4 / 1e6)
    assert second.cost_usd == pytest.approx(REPLY_USD + 200 * 4 / 1e6)
    last = talk.of(ev.Spent)[-1]
    assert last.turn_usd == pytest.approx(second.cost_usd)
    assert last.total_usd == pytest.approx(first.cost_usd + second.cost_usd)
    assert last.limit_usd is None
    summary, end = talk.events[-2:]
    assert (summary.turns, summary.input_tokens, summary.output_tokens) == (2, 300, 2000)
    assert summary.total_usd == last.total_usd
    assert end == ev.Ended("done")


def test_whoever_cancels_a_talk_still_gets_its_numbers():
    talk = Dear()
    talk.hold(Type("one"))
    talk.events.clear()
    talk.session.finish("interrupted")
    summary, end = talk.events
    assert (summary.turns, summary.output_tokens) == (1, 1000)
    assert end == ev.Ended("interrupted")


def test_a_talk_without_a_turn_has_no_numbers():
    async def act(talk):
        while not talk.session.flow.settled:
            await asyncio.sleep(0.01)
        talk.session.control(do.Quit())

    talk = Dear()
    talk.hold(act=act)
    assert talk.of(ev.Summary) == []
    assert talk.events[-1] == ev.Ended("quit")


def test_at_the_limit_the_reply_is_heard_out_and_the_talk_ends_politely():
    talk = Dear(max_cost=0.05, reply_seconds=4.0)
    talk.hold(Type("one"), Type("two"))
    assert talk.events[-1] == ev.Ended("max_cost")
    final = [event for event in talk.of(ev.AssistantTranscript) if event.final]
    assert [(event.text, event.heard_ms) for event in final] == [("Found it. Stop the process.", None)]
    assert len(talk.server.sent(c.CreateResponse)) == 1
    (line,) = talk.advice()
    assert line == "$0.0644 are spent and the limit is $0.0500: this talk ends here"
    assert talk.of(ev.Failure) == []
    # The line comes when the reply has been heard, four seconds after it was billed.
    spent = talk.events.index(talk.of(ev.Spent)[0])
    assert any(event == ev.StatusChanged(ev.State.SPEAKING) for event in talk.events[spent:])


def test_a_turn_that_would_pass_the_limit_is_not_taken():
    talk = Dear(max_cost=0.15)
    talk.hold(Type("one"), Type("two"), Type("three"))
    assert talk.events[-1] == ev.Ended("max_cost")
    assert len(talk.of(ev.TurnMeasured)) == 1
    (line,) = talk.advice()
    assert line.startswith("$0.0644 of $0.150 are spent and one more turn would cost about $0.09")
    assert talk.of(ev.Spent)[-1].total_usd < 0.15


def test_four_fifths_are_told_once_and_the_talk_goes_on():
    talk = Dear(max_cost=1.0, audio_out=2500)
    talk.hold(*[Type(str(number)) for number in range(5)])
    warned = [line for line in talk.advice() if "80%" in line]
    assert len(warned) <= 1
    assert talk.events[-1] == ev.Ended("max_cost")
    assert talk.of(ev.Spent)[-1].total_usd <= 1.0


def test_the_warning_comes_at_four_fifths():
    # Small turns beside a limit: the warning is due before the last turn is.
    talk = Dear(max_cost=0.5, audio_out=150, reply_seconds=0.5)
    talk.hold(*[Type(str(number)) for number in range(60)])
    lines = talk.advice()
    assert len(lines) == 2
    assert "80%" in lines[0]
    assert lines[1].endswith("this talk ends here")
    assert 0.45 < talk.of(ev.Spent)[-1].total_usd <= 0.5


def test_while_it_ends_neither_words_nor_speech_nor_keys_begin_a_turn():
    async def act(talk):
        session = talk.session
        while not session.flow.settled:
            await asyncio.sleep(0.01)
        session.control(do.Say("one"))
        while not session.spending.closing:
            await asyncio.sleep(0.01)
        assert session.hearing.muted
        for control in (do.Say("two"), do.SetMuted(False), do.SetTurnMode(ev.TurnMode.PUSH_TO_TALK)):
            session.control(control)
        assert session.hearing.muted
        await asyncio.sleep(1)
        session.control(do.TalkKey(down=True))

    talk = Dear(max_cost=0.05, reply_seconds=30.0)
    talk.hold(act=act)
    assert len(talk.server.sent(c.CreateResponse)) == 1
    assert talk.events[-1] == ev.Ended("max_cost")
    # The talk key still stops the reply: nobody has to wait for the end.
    (cut,) = [event for event in talk.of(ev.AssistantTranscript) if event.heard_ms is not None]
    assert cut.heard_ms < 3000


def test_a_person_in_the_middle_of_a_word_is_not_answered_any_more():
    talk = Dear(max_cost=0.05, reply_seconds=20.0)

    async def act(talk):
        while not talk.session.flow.settled:
            await asyncio.sleep(0.01)
        talk.session.flow.hearing = True
        talk.session.spending.purse.pay(())
        talk.session.spending.reply_done(MODEL, {"output_token_details": {"audio_tokens": 1000}})

    talk.hold(act=act)
    assert len(talk.server.sent(c.ClearAudio)) == 1
    assert talk.events[-1] == ev.Ended("max_cost")


@pytest.mark.parametrize(("max_cost", "replies", "reason"), [(0.05, 1, "max_cost"), (0.0, 2, "done")])
def test_a_tool_at_work_finishes_and_at_the_end_of_the_money_no_reply_to_it_is_asked_for(max_cost, replies, reason):
    talk = Dear(max_cost=max_cost, calls=["slow"])
    talk.hold(Type("one"))
    assert [event.status for event in talk.of(ev.ToolRan)] == [ev.ToolStatus.RUNNING, ev.ToolStatus.DONE]
    assert len(talk.server.sent(c.CreateResponse)) == replies
    assert talk.events[-1] == ev.Ended(reason)
    (turn,) = talk.of(ev.TurnMeasured)
    assert turn.usage["output_token_details"]["audio_tokens"] == 1000 * replies


def test_cut_replies_are_billed_too():
    async def act(talk):
        session = talk.session
        while not session.flow.settled:
            await asyncio.sleep(0.01)
        session.control(do.Say("one"))
        while not session.flow.audible:
            await asyncio.sleep(0.01)
        session.control(do.StopReply())
        while not session.turns_finished:
            await asyncio.sleep(0.01)
        session.control(do.Quit())

    talk = Dear(reply_seconds=20.0)
    talk.hold(act=act)
    (turn,) = talk.of(ev.TurnMeasured)
    assert turn.cost_usd == pytest.approx(REPLY_USD + 100 * 4 / 1e6)


def test_the_engine_on_this_machine_bills_nobody():
    talk = Dear(max_cost=0.01, rung=RungName.LOCAL, engine="local")
    talk.hold(Type("one"), Type("two"))
    assert talk.events[-1] == ev.Ended("done")
    assert [turn.cost_usd for turn in talk.of(ev.TurnMeasured)] == [0.0, 0.0]
    assert talk.of(ev.Spent)[-1].total_usd == 0.0


def test_a_low_rate_limit_is_told_once():
    low = s.RateLimit(name="tokens", limit=40_000, remaining=7000, reset_seconds=60.0)
    talk = Dear(limits=[low, low])
    talk.hold(Type("one"), Type("two"))
    assert talk.advice() == ["only 18% of the tokens limit is left for 60 s"]


class PatientLink:
    """A link that can hold and step down."""

    def __init__(self, below=True):
        self.rung = Rung(RungName.REALTIME, "openai", None, WANTED)
        self.did = []
        self.below = below

    def hold(self, seconds):
        self.did.append(("hold", round(seconds)))

    def step_down(self, reason):
        self.did.append(("down", reason))
        return self.below


class StandingTalk:
    """The least that `Spending` needs."""

    def __init__(self):
        self.flow = TurnFlow(connected=True, microphone_ready=True)
        self.link = PatientLink()
        self.conversation = ClientConversation(Session(), ownership=Ownership.CLIENT, ids=CountingIds())
        self.told = []
        self.busy = True
        self.at = 0.0
        self.spending = Spending(self, limit_usd=0.0, clock=self, busy=lambda: self.busy)

    def now(self):
        return self.at

    def emit(self, event):
        self.told.append(event)

    def close_ears(self):
        raise AssertionError

    def end(self, reason):
        raise AssertionError


@pytest.mark.parametrize(
    ("seconds", "did"),
    [(8.0, ("hold", 6)), (300.0, ("down", "the tokens limit of the server is used up for 298 s"))],
)
def test_when_the_next_turn_will_not_fit_the_link_waits_or_steps_down_after_the_reply(seconds, did):
    talk = StandingTalk()
    used = {"input_token_details": {"text_tokens": 900}, "output_token_details": {"audio_tokens": 100}}
    talk.spending.reply_done(MODEL, used)
    talk.spending.hear(RateLimited("tokens", 5000, 1050, seconds))
    talk.spending.watch()
    assert talk.link.did == []
    talk.busy, talk.at = False, 2.0
    talk.spending.watch()
    talk.spending.watch()
    assert talk.link.did == [did]


def test_without_a_lesser_way_the_talk_waits():
    talk = StandingTalk()
    talk.link.below, talk.busy = False, False
    talk.spending.hear(RateLimited("requests", 10, 0, 300.0))
    talk.spending.watch()
    assert [what for what, _ in talk.link.did] == ["down", "hold"]
    assert talk.told[-1].text == "the requests limit of the server is used up: the next answer waits 300 s"


def test_a_reply_whose_bill_never_came_has_no_known_price_unless_nothing_came_of_it():
    talk = StandingTalk()
    talk.spending.reply_done(MODEL, None, made=False)
    assert talk.told == []
    talk.spending.reply_done(MODEL, None)
    (spent,) = talk.told
    assert (spent.total_usd, spent.unpriced) == (None, 1)


def test_a_limit_that_is_whole_again_when_the_reply_ends_is_no_matter():
    talk = StandingTalk()
    talk.spending.hear(RateLimited("requests", 10, 0, 3.0))
    talk.busy, talk.at = False, 4.0
    talk.spending.watch()
    assert talk.link.did == []


def test_the_transcription_model_is_the_one_asked_for():
    assert transcription_model(WANTED) == "gpt-transcribe"
    assert transcription_model(Session()) == ""
    assert transcription_model(Session(audio=Audio(input=AudioInput(transcription=None)))) == ""
    assert transcription_model(Session(audio=Audio(input=AudioInput(transcription=Transcription(language="es"))))) == ""
