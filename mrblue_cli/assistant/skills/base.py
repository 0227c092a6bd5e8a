"""What a skill is, and a few things that all of them need to understand words."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Protocol

from mrblue_cli.assistant.brain import CallTool, Question


class Skill(Protocol):
    """Answers from rules. It runs wherever the brain runs: all it knows of the talk is in the question."""

    tools: frozenset[str]
    """Names of the tools it serves: offered one of them, it is asked."""

    def try_answer(self, question: Question) -> str | CallTool | None:
        """What to say, which tool to call first, or None: not my business."""
        ...

    def otherwise(self) -> str | None:
        """What to say when nobody had an answer; None: nothing better than the usual line."""
        ...


def offers(question: Question, name: str) -> bool:
    """Whether this tool may be called."""
    return any(tool.name == name for tool in question.tools)


def call(tool: str, /, **arguments: Any) -> CallTool:
    """A call with these arguments; what is None or empty is left out."""
    given = {key: value for key, value in arguments.items() if value not in (None, "", [])}
    return CallTool(tool, json.dumps(given, ensure_ascii=False))


def plain(text: str) -> str:
    """Lower case, without accents or marks, single blanks: for comparing what was said with what could be."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() or c in "'&" else " " for c in bare).split())


def arguments_of(text: str) -> dict[str, Any]:
    """A call's arguments as a table; an empty one when they are none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
