"""What a model may do besides talking: typed functions with a JSON Schema, a right they need and a time limit.

One registry serves every engine: the functions run here, in the client, whoever asks for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from mrblue_cli.assistant.brain import ToolSpec
from mrblue_cli.assistant.permissions import Mode, Right, Role, may
from mrblue_cli.core.errors import MrBlueError, UsageError
from mrblue_cli.core.texts import tell

MAX_ARGUMENT_BYTES = 64 * 1024
MAX_OUTPUT_BYTES = 16 * 1024
"""A result is read again by a model with every later turn, and paid for each time."""
MAX_SAY_CHARS = 1200
"""More than a minute of speech is no answer."""


class Status(StrEnum):
    """How a call ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool found: facts for the model, one sentence for the person."""

    facts: dict[str, Any]
    say: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `output` is what the model gets: JSON text that always holds `say`."""

    status: Status
    output: str
    say: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One function. `parameters` is a frozen `msgspec.Struct`: its schema is offered, its decoder checks arguments."""

    name: str
    description: str
    parameters: type[msgspec.Struct]
    run: Callable[[Any], Awaitable[Answer]]
    """Gets the decoded parameters; raises `MrBlueError` for what the person should hear of: a `UsageError` refuses the
    call, any other says that it failed."""
    right: Right = Right.BASIC
    """Who lacks it is neither offered the tool nor answered."""
    seconds: float = 10.0

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model is told of it."""
        return ToolSpec(self.name, self.description, schema_of(self.parameters))

    @property
    def has_effect(self) -> bool:
        """It changes something outside: once begun it is finished, whatever the person does meanwhile."""
        return self.right is Right.TOOLS


class ToolBox:
    """The tools of one conversation, for one role in one mode."""

    def __init__(self, tools: Sequence[Tool], role: Role = Role.GOD, mode: Mode = Mode.GLOBAL) -> None:
        self._tools = {tool.name: tool for tool in tools if may(role, mode, tool.right)}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What may be called, in the order of the registry."""
        return tuple(tool.spec for tool in self._tools.values())

    def has_effect(self, name: str) -> bool:
        """Whether a call of this changes something outside."""
        return name in self._tools and self._tools[name].has_effect

    async def call(self, name: str, arguments: str) -> Outcome:
        """Run a tool with the arguments as the model wrote them; never raises but on cancellation."""
        tool = self._tools.get(name)
        if tool is None:
            return _ended(Status.REFUSED, tell("there is no tool called {name}", name=name[:60]))
        if len(arguments.encode(errors="replace")) > MAX_ARGUMENT_BYTES:
            return _ended(Status.REFUSED, tell("the arguments of {name} are too long", name=name))
        try:
            given = msgspec.json.decode(arguments or "{}", type=tool.parameters)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            said = tell("the arguments of {name} do not fit: {why}", name=name, why=str(error)[:300])
            return _ended(Status.REFUSED, said)
        try:
            async with asyncio.timeout(tool.seconds):
                answer = await tool.run(given)
        except TimeoutError:
            said = tell("{name} took longer than {seconds} seconds", name=name, seconds=f"{tool.seconds:g}")
            return _ended(Status.FAILED, said)
        except MrBlueError as error:
            status = Status.REFUSED if isinstance(error, UsageError) else Status.FAILED
            return _ended(status, f"{error.what}{f'; {error.hint}' if error.hint else ''}")
        except Exception as error:  # noqa: BLE001 - a tool's defect must not end the conversation
            return _ended(Status.FAILED, tell("{name} failed: {kind}", name=name, kind=type(error).__name__))
        say = answer.say[:MAX_SAY_CHARS]
        return Outcome(Status.DONE, _bounded({"ok": True, "say": say, **answer.facts}, say), say)


def schema_of(parameters: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a parameter struct, with nothing but itself in it."""
    (schema,), parts = msgspec.json.schema_components([parameters], ref_template="#/$defs/{name}")
    own = parts.pop(parameters.__name__) if "$ref" in schema else schema
    return {**own, **({"$defs": parts} if parts else {})}


def _ended(status: Status, say: str) -> Outcome:
    say = say[:MAX_SAY_CHARS]
    return Outcome(status, _text({"ok": False, "say": say}), say)


def _bounded(value: dict[str, Any], say: str) -> str:
    """The result as JSON text of at most `MAX_OUTPUT_BYTES`; what is too long is cut and says so."""
    text = _text(value)
    if len(text.encode(errors="replace")) <= MAX_OUTPUT_BYTES:
        return text
    # A quarter of the bytes in characters: each may take four, and quotes are escaped once more.
    return _text({"ok": True, "say": say, "cut": True, "beginning": text[: MAX_OUTPUT_BYTES // 6]})


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
