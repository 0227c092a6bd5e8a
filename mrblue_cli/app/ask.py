"""Answer one question: from the knowledge base, and from a chat model when that is wanted. Imports nothing heavy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mrblue_cli.app.platform import this_platform
from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.core.errors import ConfigError, MrBlueError
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.knowledge.detect import type_named
from mrblue_cli.knowledge.error_types import ErrorType
from mrblue_cli.knowledge.model import Risk, SearchResult, for_platform
from mrblue_cli.settings.memo import AskSettings
from mrblue_cli.settings.places import feedback_file, place

Think = Callable[[Thought], None]
Write = Callable[[str], None]


class AskOptions(NamedTuple):
    """What was asked for on the command line; None means: as configured."""

    text: str | None = None
    """None: a pipe, else the last failed command."""
    top: int | None = None
    as_json: bool = False
    ai: bool | None = None
    verbose: bool = False
    feedback: bool | None = None
    """Ask for one key after a hit."""
    config: Path | None = None


class AiAnswer(NamedTuple):
    """What a chat model wrote."""

    text: str
    provider: str
    model: str
    cached: bool
    cost_usd: float | None
    entries: tuple[str, ...]
    """Candidate entries it says it used."""
    whole: bool
    """False: the stream broke off."""


class Answered(NamedTuple):
    """All there is to show."""

    result: SearchResult
    tallies: dict[tuple[str, str], tuple[int, int]]
    """(entry, solution title) to how often it worked and failed here."""
    kind: ErrorType | None
    answer: AiAnswer | None
    elapsed_ms: float
    trouble: MrBlueError | None = None
    """Why there is no answer of a model although one was wanted."""


def ask(
    text: str,
    options: AskOptions,
    settings: AskSettings,
    *,
    think: Think,
    write: Write,
    found: Callable[[Answered], None] | None = None,
    about: str = "",
) -> Answered:
    """Search, judge, and where wanted let a model write.

    `found` gets what the knowledge base has before a model is asked, `write` the model's words as they come; `about`
    says where the text comes from. Raises `ConfigError` for settings or entries that cannot be used.
    """
    began = time.perf_counter()
    lines = text.count("\n") + 1
    think(Thought("understanding", about or f"read {lines:,} line{'s' if lines > 1 else ''}"))
    base = load_base((Path(folder).expanduser() for folder in settings.folders), cache=place("cache"))
    result = base.search(text, top=options.top or settings.top)
    platform = this_platform()
    result = result._replace(hits=tuple(for_platform(hit, platform) for hit in result.hits))
    result, tallies = _with_feedback(result)
    kind = type_named(result.error_type)
    _tell(think, result, base)
    elapsed = (time.perf_counter() - began) * 1000
    known = Answered(result, tallies, kind, None, elapsed)
    if found is not None:
        found(known)
    wanted = options.ai or (options.ai is None and _configured(settings.ai, result))
    if not wanted:
        return known
    try:
        from mrblue_cli.app.ask_ai import write_answer  # a model is asked: the client and the settings are loaded

        answer = write_answer(text, result, kind, options.config, settings, think=think, write=write)
    except MrBlueError as error:
        return known._replace(trouble=error)
    return known._replace(answer=answer, elapsed_ms=(time.perf_counter() - began) * 1000)


def _configured(when: str, result: SearchResult) -> bool:
    return when == "always" or (when == "fallback" and not result.confident)


def _with_feedback(result: SearchResult) -> tuple[SearchResult, dict[tuple[str, str], tuple[int, int]]]:
    path = feedback_file()
    if not result.hits or not path.exists():
        return result, {}
    from mrblue_cli.assistant.feedback import FeedbackStore, apply  # SQLite is loaded where there are reports

    try:
        tallies = FeedbackStore(path).tallies(tuple(hit.entry.id for hit in result.hits))
    except ConfigError:
        # Reports are a refinement: an answer must not fail for them. `mrblue feedback` names the fault.
        return result, {}
    return apply(result, tallies), {key: (tally.worked, tally.failed) for key, tally in tallies.items()}


def _tell(think: Think, result: SearchResult, base: KnowledgeBase) -> None:
    if result.error_type:
        think(Thought("analysing", f"type: {result.error_type}"))
    if not result.hits:
        think(Thought("analysing", f"none of {base.size} entries fits", 0.0))
        return
    best = result.hits[0]
    count = len(result.hits)
    think(
        Thought(
            "analysing",
            f"{count} candidate{'s' if count > 1 else ''} of {base.size}, best: {best.entry.id}",
            best.confidence,
        )
    )
    if not result.confident:
        think(Thought("validating", "too uncertain to show: saying nothing beats misleading", best.confidence))
        return
    filled = ", ".join(f"{name} {value}" for name, value in sorted(best.captures.items()))
    think(Thought("generating", f"{len(best.solutions)} ways out{f', filled in: {filled}' if filled else ''}"))
    lead = best.confidence - (result.hits[1].confidence if count > 1 else 0.0)
    risky = best.solutions[0].risk is not Risk.SAFE
    think(
        Thought(
            "validating",
            f"leads the next by {lead:.0%}; the first way {'changes something' if risky else 'only looks'}",
            best.confidence,
        )
    )
