"""Who answers: the knowledge base, a chat model when one is configured, or an honest "I can't"."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mrblue_cli.assistant.reply import (
    FollowUp,
    describe,
    describe_causes,
    describe_step,
    follow_up_of,
    spoken_reply,
    told_at_once,
)
from mrblue_cli.assistant.roles import greeting_of
from mrblue_cli.assistant.small_talk import small_talk
from mrblue_cli.assistant.spanish_errors import in_english
from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.base import KnowledgeBase
from mrblue_cli.knowledge.detect import detect
from mrblue_cli.knowledge.model import Hit, SearchResult, for_platform

if TYPE_CHECKING:
    from mrblue_cli.assistant.skills.base import Skill


def offline_line() -> str:
    """Said where there is no entry and no chat model."""
    return tell(
        "I can't answer that offline. My own knowledge is about errors. For everything else, set an OpenAI key, or "
        "point me to a local model such as Ollama in the settings."
    )


def not_heard_line() -> str:
    """Said when nothing was understood."""
    return tell("Sorry, I did not catch that. Could you say it again?")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments, an object."""


@dataclass(frozen=True, slots=True)
class CallTool:
    """A brain wants this tool run; the reply ends here and another follows when its output is there."""

    name: str
    arguments: str
    """JSON text."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One thing said. Role: `user`, `assistant`, or `tool`: then `text` is its output, as JSON text."""

    role: str
    text: str
    call: CallTool | None = None
    """With role `tool`: what was asked of which tool."""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one request to a paid model took; None: the provider did not say."""

    model: str
    input_tokens: int | None = None
    cached_tokens: int | None = None
    """Inside `input_tokens`."""
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Inside `output_tokens`."""


def _nobody_counts(_: ModelUse) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Question:
    """What to answer: the newest words, and what was said before, oldest first (cut replies cut)."""

    text: str
    history: tuple[Exchange, ...] = ()
    instructions: str = ""
    tools: tuple[ToolSpec, ...] = ()
    """What may be called."""
    after: int = 0
    """How many entries at the end of `history` came after `text`: words of the assistant, then tools' outputs."""
    count: Callable[[ModelUse], None] = field(default=_nobody_counts, compare=False, repr=False)
    """Told of every request to a paid model that the answer takes."""


class Brain(Protocol):
    """Answers in pieces of text, as soon as each is known, or asks for tools."""

    def answer(self, question: Question) -> AsyncIterator[str | CallTool]:
        """Stream the answer; any `CallTool`s come last. Closing the iterator stops the work.

        When the newest thing in the conversation is a tool's output, the answer is to that: `question.text` is then
        what the person said before it, and the last entries of `question.history` are the tools' outputs.
        """
        ...


class KnowledgeBrain:
    """Answers from the entries alone. `try_answer` returns None where it has nothing to say."""

    def __init__(self, base: KnowledgeBase, *, platform: str | None = None) -> None:
        self._base = base
        self._platform = platform

    def try_answer(self, question: Question) -> str | None:
        """The whole answer, or None."""
        text = question.text.strip()
        if not text:
            return not_heard_line()
        result = self.search(text)
        if result.confident:
            return spoken_reply(result)
        return self._follow_up(question) or small_talk(text) or _by_type(in_english(text))

    async def answer(self, question: Question) -> AsyncIterator[str]:
        """The entry's answer, or the honest line."""
        yield self.try_answer(question) or offline_line()

    def search(self, text: str) -> SearchResult:
        """What the base holds about a text, without ways out that are for other systems."""
        result = self._base.search(in_english(text))
        return result._replace(hits=tuple(for_platform(hit, self._platform) for hit in result.hits))

    def _follow_up(self, question: Question) -> str | None:
        kind = follow_up_of(question.text)
        if kind is None:
            return None
        said = list(question.history)
        if kind is FollowUp.REPEAT:
            return next((turn.text for turn in reversed(said) if turn.role == "assistant" and turn.text), None)
        hit, since = self._told_about(said)
        if hit is None:
            return None
        if kind is FollowUp.WHY:
            return describe_causes(hit)
        way, step = _position(hit, since)
        if kind is FollowUp.NEXT:
            return describe_step(hit, way, step)
        if way + 1 < len(hit.solutions):
            return tell("Another way. {way}", way=describe(hit, way + 1))
        return tell("That was all I know about it. A chat model could go on; the settings say how to add one.")

    def _told_about(self, said: list[Exchange]) -> tuple[Hit | None, list[FollowUp]]:
        """The entry that the talk is about, and what was asked since it came up."""
        since: list[FollowUp] = []
        for turn in reversed(said):
            if turn.role != "user":
                continue
            result = self.search(turn.text)
            if result.confident:
                return result.hits[0], since[::-1]
            kind = follow_up_of(turn.text)
            if kind is not None:
                since.append(kind)
        return None, []


def _position(hit: Hit, since: list[FollowUp]) -> tuple[int, int]:
    """Which way out is being told, and the number of its next step."""
    way, step = 0, told_at_once(hit.solutions[0])
    for kind in since:
        if kind is FollowUp.NEXT:
            step += 1
        elif kind is FollowUp.MORE and way + 1 < len(hit.solutions):
            way += 1
            step = told_at_once(hit.solutions[way])
    return way, step


def _by_type(text: str) -> str | None:
    kind = detect(text)
    if kind is None:
        return None
    checks = " ".join(f"{check[0].upper()}{check[1:]}{'' if check.endswith('?') else '.'}" for check in kind.checks)
    return tell(
        "That looks like {kind}. I have no entry that fits exactly. In general: {checks}", kind=kind.name, checks=checks
    )


SEARCH_TOOL = "search_knowledge_base"
"""Where tools are offered and this is not among them, the talk is about something else than errors."""


class LadderBrain:
    """What a tool answered; the skills of the tools on offer; the knowledge base; a chat model; the honest line.

    With a chat model, tools' answers are the model's to tell; without one, the sentence that each brings is said.
    """

    def __init__(self, knowledge: KnowledgeBrain, chat: Brain | None = None) -> None:
        self._knowledge = knowledge
        self._chat = chat

    async def answer(self, question: Question) -> AsyncIterator[str | CallTool]:
        """Stream from the first rung that has an answer."""
        known = self.try_answer(question)
        if known is not None:
            yield known
        elif self._chat is not None:
            async for piece in self._chat.answer(question):
                yield piece
        else:
            yield self._otherwise(question)

    def try_answer(self, question: Question) -> str | CallTool | None:
        """What can be answered at once without a chat model, or None."""
        greeting = greeting_of(question.instructions)
        if greeting:
            return greeting
        if question.history and question.history[-1].role == "tool":
            return told_outputs(question.history) if self._chat is None else None
        if not question.text.strip():
            return not_heard_line()
        for skill in _skills(question):
            answer = skill.try_answer(question)
            if answer is not None:
                return answer
        if question.tools and not any(tool.name == SEARCH_TOOL for tool in question.tools):
            return None
        return self._knowledge.try_answer(question)

    def _otherwise(self, question: Question) -> str:
        lines = (skill.otherwise() for skill in _skills(question))
        return next((line for line in lines if line), offline_line())


def _skills(question: Question) -> tuple[Skill, ...]:
    # Skills know brains' questions and calls; the other way round only here, when one is asked.
    from mrblue_cli.assistant.skills import find_skills

    return find_skills(question.tools)


def told_outputs(history: Sequence[Exchange]) -> str:
    """What the tools that ran last say, one after the other."""
    said: list[str] = []
    for exchange in reversed(history):
        if exchange.role != "tool":
            break
        said.append(_say_of(exchange.text))
    return " ".join(line for line in reversed(said) if line) or tell("That is done.")


def _say_of(output: str) -> str:
    try:
        value = json.loads(output)
    except ValueError:
        return output[:400]
    say = value.get("say") if isinstance(value, dict) else None
    return f"{say[:1].upper()}{say[1:]}" if isinstance(say, str) else ""
