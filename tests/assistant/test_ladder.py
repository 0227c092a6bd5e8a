"""The order in which a brain looks for an answer, and what tools' outputs become."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.assistant.brain import (
    CallTool,
    Exchange,
    KnowledgeBrain,
    LadderBrain,
    Question,
    ToolSpec,
    offline_line,
    told_outputs,
)
from mrblue_cli.assistant.roles import GREET, greeting_of
from mrblue_cli.knowledge.base import KnowledgeBase, load_base

KNOWLEDGE = KnowledgeBrain(KnowledgeBase([load_base().entry("node/port-in-use")]))
PORT = "address already in use port 3000"
BLUE = ("search_knowledge_base", "last_failed_command", "find_dance_partners")
ORDERS = ("update_order", "read_order", "read_menu", "send_order")


class Chat:
    """Answers with what it was asked."""

    async def answer(self, question):
        yield f"chat: {question.text}"


def specs(names):
    return tuple(ToolSpec(name, "", {}) for name in names)


async def answered(text, *history, tools=(), chat=None, instructions=""):
    question = Question(text, tuple(history), instructions, specs(tools))
    return [piece async for piece in LadderBrain(KNOWLEDGE, chat).answer(question)]


def output(say, name="read_order", ok=True):
    return Exchange("tool", json.dumps({"ok": ok, "say": say}), CallTool(name, "{}"), "call_1")


@pytest.mark.parametrize("chat", [None, Chat()])
async def test_skills_come_before_the_knowledge_base_and_that_before_the_chat(chat):
    assert await answered("what was my last error", tools=BLUE, chat=chat) == [CallTool("last_failed_command", "{}")]
    (known,) = await answered(PORT, tools=BLUE, chat=chat)
    assert known.startswith("Found it")
    (other,) = await answered("what is the capital of France", tools=BLUE, chat=chat)
    assert other == ("chat: what is the capital of France" if chat else offline_line())


async def test_where_errors_are_not_the_matter_the_knowledge_base_is_silent():
    (call,) = await answered(PORT, tools=ORDERS)
    assert call == CallTool("update_order", json.dumps({"said": PORT}))
    (line,) = await answered("how long does it hurt?", tools=("extract_keywords",))
    assert line.startswith("Tell me what the tattoo should show")
    assert await answered("how long does it hurt?", tools=("extract_keywords",), chat=Chat()) == [
        "chat: how long does it hurt?"
    ]
    # Without any tools it is the talk about errors that it always was.
    assert (await answered(PORT))[0].startswith("Found it")


async def test_without_a_model_a_tools_sentence_is_said_and_with_one_the_model_tells_it():
    history = (Exchange("user", "that's all"), output("So that is one coke."))
    assert await answered("that's all", *history, tools=ORDERS) == ["So that is one coke."]
    assert await answered("that's all", *history, tools=ORDERS, chat=Chat()) == ["chat: that's all"]


def test_the_outputs_of_one_round_are_told_together_in_their_order():
    history = (output("Before."), Exchange("assistant", "x"), output("One."), output("Two."))
    assert told_outputs(history) == "One. Two."
    assert told_outputs((Exchange("tool", "no json at all"),)) == "no json at all"
    assert told_outputs((Exchange("tool", "[1]"), Exchange("tool", '{"say": 3}'))) == "That is done."


async def test_a_greeting_is_said_as_it_stands():
    for chat in (None, Chat()):
        assert await answered("", instructions=f"{GREET}Welcome.", chat=chat) == ["Welcome."]
    assert greeting_of("Be brief.") == ""


async def test_silence_is_asked_about():
    assert (await answered("  ", tools=ORDERS))[0].startswith("Sorry")


@pytest.mark.parametrize(
    ("text", "history", "expected"),
    [
        ("hello", (), "Hello. What may I bring you?"),
        ("that's all", (output("x", "update_order"),), CallTool("read_order", "{}")),
        ("no", (output("Anything else?", "update_order"),), CallTool("read_order", "{}")),
        ("yes", (output("Anything else?", "update_order"),), "What else would you like?"),
        ("yes", (output("Is that right?"),), CallTool("send_order", "{}")),
        ("sí, claro", (output("Is that right?"),), CallTool("send_order", "{}")),
        ("no", (output("Is that right?"),), "What shall I change?"),
        ("no, two cokes", (output("Is that right?"),), CallTool("update_order", '{"said": "no, two cokes"}')),
        ("yes", (output("which size?", ok=False),), "What else would you like?"),
        ("yes", (), CallTool("update_order", '{"said": "yes"}')),
        ("send it", (output("x", "update_order"),), CallTool("read_order", "{}")),
        ("read it back please", (), CallTool("read_order", "{}")),
        ("how much is the coke?", (), CallTool("read_menu", '{"about": "how much is the coke?"}')),
        ("can I have a coke?", (), CallTool("update_order", '{"said": "can I have a coke?"}')),
        ("¿qué pizzas tienen?", (), CallTool("read_menu", '{"about": "¿qué pizzas tienen?"}')),
    ],
)
async def test_orders_are_taken_without_a_model(text, history, expected):
    told = (*history, Exchange("assistant", "")) if history else ()
    assert await answered(text, *told, tools=ORDERS) == [expected]
