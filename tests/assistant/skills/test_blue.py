"""When troubleshooting calls its tools, and when it leaves a text to the knowledge base."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.assistant.brain import CallTool, Question, ToolSpec
from mrblue_cli.assistant.skills import find_skills
from mrblue_cli.assistant.skills.blue import FIND_PARTNERS, LAST_FAILED, BlueSkill

TOOLS = (ToolSpec(LAST_FAILED, "", {}), ToolSpec(FIND_PARTNERS, "", {}))


def answered(text, tools=TOOLS):
    return BlueSkill().try_answer(Question(text, tools=tools))


@pytest.mark.parametrize(
    "text",
    [
        "what was my last error", "what was the last failed command?", "explain my last error please",
        "show me the last command that failed", "why did it just fail?", "what went wrong", "what just happened",
        "look at my previous error", "read the latest failure", "the last failed command",
        "¿cuál fue mi último error?", "¿qué ha fallado?", "qué pasó", "explica el último error", "mi último comando",
    ],
)  # fmt: skip
def test_the_last_failure_is_looked_at(text):
    assert answered(text) == CallTool(LAST_FAILED, "{}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("find a dance partner for Ana", "Ana"),
        ("find dance partners for Inês Duarte please", "Inês Duarte"),
        ("can you suggest a partner for Paul tonight", "Paul"),
        ("I need someone to dance with for Marta", "Marta"),
        ("who should Carmen dance with", "Carmen"),
        ("who matches Robin", "Robin"),
        ("busca pareja para Olga", "Olga"),
        ("necesito una pareja de baile para Felix", "Felix"),
        ("¿con quién debería bailar Lea?", "Lea"),
    ],
)
def test_partners_are_looked_for(text, name):
    call = answered(text)
    assert (call.name, json.loads(call.arguments)) == (FIND_PARTNERS, {"name": name})


def test_whoever_says_me_is_asked_for_a_name():
    assert answered("find a dance partner for me").startswith("For whom")


@pytest.mark.parametrize(
    "text",
    [
        "address already in use port 3000", "npm ERR! code EACCES", "hello", "thank you",
        "what happened with the flexbox layout", "error: failed to push some refs to origin " * 6,
        "ModuleNotFoundError: No module named 'requests'",
    ],
)  # fmt: skip
def test_errors_are_left_to_the_knowledge_base(text):
    assert answered(text) is None


def test_a_tool_that_is_not_offered_is_not_called():
    assert answered("what was my last error", TOOLS[1:]) is None
    assert answered("find a dance partner for Ana", TOOLS[:1]) is None


def test_skills_are_found_by_the_tools_on_offer():
    assert [type(skill).__name__ for skill in find_skills(TOOLS)] == ["BlueSkill"]
    assert [type(skill).__name__ for skill in find_skills((ToolSpec("send_order", "", {}),))] == ["OrderSkill"]
    assert [type(skill).__name__ for skill in find_skills((ToolSpec("extract_keywords", "", {}),))] == ["TattooSkill"]
    assert find_skills(()) == ()
