"""Tools for troubleshooting: look an error up, read the last failed command, find somebody to dance with."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec

from mrblue_cli.app.last_failure import last_failure
from mrblue_cli.app.platform import this_platform
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.permissions import Right
from mrblue_cli.assistant.redact import redact
from mrblue_cli.assistant.reply import spoken_reply
from mrblue_cli.assistant.spanish_errors import in_english
from mrblue_cli.assistant.tools import Answer, Tool
from mrblue_cli.core.errors import NothingFound
from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.base import KnowledgeBase
from mrblue_cli.knowledge.model import Hit, SearchResult, for_platform

TOP = 3
_MAX_SHOWN = 2_000


class SearchParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `search_knowledge_base` takes."""

    text: Annotated[
        str,
        msgspec.Meta(
            description="The error as the person said or pasted it, with every number and name. No summary.",
            min_length=1,
            max_length=20_000,
        ),
    ]


class LastFailedParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `last_failed_command` takes: nothing."""


def search_knowledge_base(around: Surroundings) -> Tool:
    """Looks an error up in the knowledge base: the three best entries with their steps."""

    async def run(given: SearchParameters) -> Answer:
        result = await asyncio.to_thread(search, around.base, given.text)
        say = spoken_reply(result) if result.confident else tell("I have no entry that fits that with confidence.")
        return Answer({"confident": result.confident, "hits": facts(result)}, say)

    description = (
        "Look an error message up in the knowledge base. Call it before you answer any question about an error. "
        "Trust its steps where confident is true; where it is false, say that you are not sure."
    )
    return Tool("search_knowledge_base", description, SearchParameters, run)


def last_failed_command(around: Surroundings) -> Tool:
    """Reads the last command that failed in the person's shell, and looks it up."""

    async def run(_given: LastFailedParameters) -> Answer:
        try:
            text, about = await asyncio.to_thread(last_failure)
        except NothingFound:
            raise NothingFound(
                tell("no failed command is known"),
                hint=tell("let the shell tell me: see mrblue shell-init, or run it with mrblue run"),
            ) from None
        text, about = redact(text), redact(about)
        result = await asyncio.to_thread(search, around.base, text)
        # The output's end holds the error; its beginning is what went well.
        shown = text[-_MAX_SHOWN:]
        found = {"command": about, "text": shown, "confident": result.confident, "hits": facts(result)}
        if result.confident:
            return Answer(found, f"{_spoken(about)} {spoken_reply(result)}")
        last = next((line.strip() for line in reversed(shown.splitlines()) if line.strip()), "")
        return Answer(found, f"{_spoken(about)} {tell('It ended with: {line}', line=last[:200])}")

    description = (
        "Read the last command that failed in the person's shell and what it printed. Call it when they ask about "
        "their last error, or say that something just failed without saying what."
    )
    return Tool("last_failed_command", description, LastFailedParameters, run, right=Right.CONTEXT)


def search(base: KnowledgeBase, text: str) -> SearchResult:
    """The best entries for this machine."""
    result = base.search(in_english(text), top=TOP)
    return result._replace(hits=tuple(for_platform(hit, this_platform()) for hit in result.hits))


def facts(result: SearchResult) -> list[dict[str, Any]]:
    """The hits as a model is told of them."""
    return [_fact(hit) for hit in result.hits[:TOP]]


def _fact(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.entry.id,
        "title": hit.entry.title,
        "confidence": round(hit.confidence, 2),
        "causes": list(hit.entry.causes[:3]),
        "solutions": [
            {"title": way.title, "steps": list(way.steps), "success_rate": way.success_rate, "risk": str(way.risk)}
            for way in hit.solutions[:3]
        ],
    }


def _spoken(about: str) -> str:
    """The head of what is known of the command, as a sentence."""
    command = about.partition("; what it printed")[0].removesuffix(", its output")
    command = command.removeprefix("the last failed command: ")
    return tell("Your last failed command: {command}.", command=command)
