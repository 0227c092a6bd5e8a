"""What Blue says and thinks."""

from __future__ import annotations

import pytest

from mrblue_cli.assistant.brain import Exchange, KnowledgeBrain, LadderBrain, Question, not_heard_line, offline_line
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.reply import FollowUp, follow_up_of
from mrblue_cli.assistant.roles import blue_instructions, grounded
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.knowledge.model import Risk, Solution

BASE = load_base()
BRAIN = KnowledgeBrain(BASE, platform="linux")
PORT = "address already in use port 3000"


async def spoken(brain, text, history=()):
    return "".join([piece async for piece in brain.answer(Question(text, tuple(history)))])


async def test_an_error_is_answered_with_its_fix_and_the_captured_value():
    answer = await spoken(BRAIN, "I get address already in use on port three thousand")
    assert answer.startswith("Found it: port already in use.")
    assert "lsof -i :3000" in answer
    assert len(answer.split()) <= 60


@pytest.mark.parametrize("entry", BASE.entries, ids=lambda entry: entry.id)
def test_every_entry_can_be_told_in_a_minute(entry):
    answer = BRAIN.try_answer(Question(entry.matches[0]))
    assert answer is not None
    assert len(answer.split()) <= 100


async def test_what_is_not_known_is_said_honestly():
    assert await spoken(BRAIN, "what is the capital of France") == offline_line()
    assert await spoken(BRAIN, "  ") == not_heard_line()
    small = KnowledgeBrain(KnowledgeBase([BASE.entry("node/port-in-use")]))
    assert "disk full" in await spoken(small, "disk quota exceeded on my phone")


@pytest.mark.parametrize(
    ("text", "start"), [("hello", "Hello"), ("thanks a lot", "Glad"), ("what can you do?", "I'm Blue")]
)
async def test_small_talk(text, start):
    assert (await spoken(BRAIN, text)).startswith(start)


def said(*turns):
    return [Exchange("user" if number % 2 == 0 else "assistant", text) for number, text in enumerate(turns)]


async def test_follow_ups_go_through_the_other_ways_and_end():
    told = [PORT, await spoken(BRAIN, PORT)]
    ways = 1
    while True:
        answer = await spoken(BRAIN, "that did not help", said(*told))
        told += ["that did not help", answer]
        if not answer.startswith("Another way."):
            break
        ways += 1
        assert "findstr" not in answer
    fitting = [way for way in BASE.entry("node/port-in-use").solutions if "linux" in (way.platforms or ("linux",))]
    assert ways == len(fitting)
    assert "all I know" in answer
    assert await spoken(BRAIN, "say that again", said(*told[:2])) == told[1]
    assert "usual causes" in await spoken(BRAIN, "why?", said(*told[:2]))
    assert await spoken(BRAIN, "what else?") == offline_line()


async def test_a_long_way_is_told_step_by_step():
    steps = ("lsof -i :3000", "kill <PID>", "Start the server again.", "curl localhost:3000")
    way = Solution("Find it", steps, 90, Risk.CHANGES)
    other = Solution("Move away", ("PORT=3001 npm start",), 60, Risk.SAFE)
    entry = BASE.entry("node/port-in-use")._replace(solutions=(way, other))
    brain = KnowledgeBrain(KnowledgeBase([entry]), platform="linux")
    told = [PORT, await spoken(brain, PORT)]
    assert "First, run lsof -i :3000. Say next for the next step." in told[1]
    expected = ("Then, run kill", "Third, start the server again", "run curl localhost:3000", "That was the last step")
    for words in expected:
        answer = await spoken(brain, "next", said(*told))
        assert words in answer
        told += ["next", answer]
    answer = await spoken(brain, "what else?", said(*told))
    assert answer.startswith("Another way. Move away.")
    assert await spoken(brain, "next") == offline_line()


def test_follow_ups_are_short():
    assert follow_up_of("what else") is FollowUp.MORE
    assert follow_up_of("next step please") is FollowUp.NEXT
    assert follow_up_of("why is that") is FollowUp.WHY
    assert follow_up_of("the next thing I did was to install all of it again from the beginning") is None


class Chat:
    async def answer(self, question):
        yield "from "
        yield "the model"


async def test_the_ladder_asks_the_model_only_for_what_it_does_not_know():
    brain = LadderBrain(BRAIN, Chat())
    assert await spoken(brain, "what is the capital of France") == "from the model"
    assert (await spoken(brain, PORT)).startswith("Found it")
    assert await spoken(LadderBrain(BRAIN), "what is the capital of France") == offline_line()


def test_reasoning_grows_with_the_words_and_never_repeats():
    reasoner = Reasoner(BASE, platform="linux")
    seen = []
    text = "I get address already in use on port 3000"
    parts = text.split()
    for count in range(1, len(parts) + 1):
        reasoned = reasoner.hear("i1", " ".join(parts[:count]), final=False)
        seen += [thought.text for thought in reasoned.thoughts]
    final = reasoner.hear("i1", text, final=True)
    seen += [thought.text for thought in final.thoughts]
    assert len(seen) == len(set(seen))
    assert "type: port in use" in seen
    assert "heard 9 words" in seen
    assert final.hits is not None
    assert final.hits[0].entry.id == "node/port-in-use"
    assert all("Windows" not in solution.title for solution in final.hits[0].solutions)


def test_reasoning_says_when_nothing_fits():
    reasoned = Reasoner(BASE).hear("i1", "I would like a cup of tea", final=True)
    assert reasoned.hits is None
    assert any("no entry fits" in thought.text for thought in reasoned.thoughts)


def test_instructions_carry_the_facts():
    assert grounded(blue_instructions(), "") == blue_instructions()
    assert "lsof" in grounded(blue_instructions(), "- lsof")
