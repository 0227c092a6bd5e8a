"""Have a chat model answer, with the candidate entries and, where the mode allows it, the last commands."""

from __future__ import annotations

import re
from pathlib import Path

from mrblue_cli.app.ask import AiAnswer, Think, Write
from mrblue_cli.app.platform import this_platform
from mrblue_cli.assistant.ai import Request, Writer
from mrblue_cli.assistant.breadcrumbs import Breadcrumbs
from mrblue_cli.assistant.permissions import Mode, Right, Role, may, require
from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.error_types import ErrorType
from mrblue_cli.knowledge.model import SearchResult
from mrblue_cli.settings.build import chat_options
from mrblue_cli.settings.load import load
from mrblue_cli.settings.memo import AskSettings
from mrblue_cli.settings.places import breadcrumbs_file
from mrblue_cli.settings.secrets import find_secret

_DESTROYS = re.compile(
    r"\brm\s+-\w*[rf]|\bDROP\s+(?:TABLE|DATABASE)|--force\b|reset\s+--hard|\bmkfs|\bdd\s+if=|prune\b.*--volumes"
    r"|\bTRUNCATE\b|\bformat\s+[a-z]:",
    re.IGNORECASE,
)


def write_answer(
    text: str,
    result: SearchResult,
    kind: ErrorType | None,
    config: Path | None,
    settings: AskSettings,
    *,
    think: Think,
    write: Write,
) -> AiAnswer:
    """Stream an answer to `write`. Raises `ConfigError` without key, right or endpoint, `RemoteError` when it fails."""
    role, mode = Role(settings.role), Mode(settings.mode)
    require(role, mode, Right.TEXT)
    chat = chat_options(load(file=config).settings, find_secret("OPENAI_API_KEY"), find_secret("MRBLUE_CHAT_API_KEY"))
    if chat is None:
        raise ConfigError(
            "no chat model is configured, so there is no AI answer",
            hint="set OPENAI_API_KEY, or BIFROST_BASE_URL for the gateway, or [chat] base_url for a local model",
        )
    crumbs = Breadcrumbs(breadcrumbs_file()).latest() if may(role, mode, Right.CONTEXT) else ()
    think(Thought("understanding", f"{len(crumbs)} breadcrumbs and {len(result.hits)} candidate entries go along"))
    writer = Writer(chat)
    think(Thought("generating", f"asking {writer.written.model} at {writer.written.provider}"))
    facts = {"Operating system": this_platform() or "", "Detected error type": kind.name if kind else ""}
    for piece in writer.stream(Request(text, result.hits, crumbs, mode, facts)):
        write(piece)
    written = writer.written
    for thought in _validated(written.text, written.finished, written.entries, written.invented):
        think(thought)
    return AiAnswer(
        text=written.text,
        provider=written.provider,
        model=written.model,
        cached=written.cached,
        cost_usd=written.cost_usd,
        entries=written.entries,
        whole=written.finished,
    )


def _validated(text: str, finished: bool, entries: tuple[str, ...], invented: tuple[str, ...]) -> list[Thought]:
    """What can be checked about an answer without asking again."""
    thoughts = []
    if not finished:
        thoughts.append(Thought("validating", "the answer broke off before its end", 0.2))
    if invented:
        thoughts.append(Thought("validating", f"names entries that were not given: {', '.join(invented)}", 0.3))
    if _DESTROYS.search(text):
        thoughts.append(Thought("validating", "holds a command that can delete data: read it twice", 0.5))
    if entries:
        thoughts.append(Thought("validating", f"rests on {', '.join(entries)}", 0.9))
    return thoughts or [Thought("validating", "rests on the model alone", 0.5)]
