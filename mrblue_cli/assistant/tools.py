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
from mrblue_cli.core.errors import MrBlueError

MAX_ARGUMENT_BYTES = 64 * 1024


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
    """Gets the decoded parameters; raises `MrBlueError` for what the person should hear of."""
    right: Right = Right.BASIC
    """Who lacks it is neither offered the tool nor answered."""
    seconds: float = 10.0

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model is told of it."""
        return ToolSpec(self.name, self.description, schema_of(self.parameters))


class ToolBox:
    """The tools of one conversation, for one role in one mode."""

    def __init__(self, tools: Sequence[Tool], role: Role = Role.GOD, mode: Mode = Mode.GLOBAL) -> None:
        self._tools = {tool.name: tool for tool in tools if may(role, mode, tool.right)}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What may be called, in the order of the registry."""
        return tuple(tool.spec for tool in self._tools.values())

    async def call(self, name: str, arguments: str) -> Outcome:
        """Run a tool with the arguments as the model wrote them; never raises but on cancellation."""
        tool = self._tools.get(name)
        if tool is None:
            return _ended(Status.REFUSED, f"there is no tool called {name[:60]}")
        if len(arguments.encode()) > MAX_ARGUMENT_BYTES:
            return _ended(Status.REFUSED, f"the arguments of {name} are too long")
        try:
            given = msgspec.json.decode(arguments or "{}", type=tool.parameters)
        except msgspec.DecodeError as error:
            return _ended(Status.REFUSED, f"the arguments of {name} do not fit: {error}")
        try:
            async with asyncio.timeout(tool.seconds):
                answer = await tool.run(given)
        except TimeoutError:
            return _ended(Status.FAILED, f"{name} took longer than {tool.seconds:g} seconds")
        except MrBlueError as error:
            return _ended(Status.FAILED, f"{error.what}{f'; {error.hint}' if error.hint else ''}")
        except Exception as error:  # noqa: BLE001 - a tool's defect must not end the conversation
            return _ended(Status.FAILED, f"{name} failed: {type(error).__name__}")
        return Outcome(Status.DONE, _text({"ok": True, "say": answer.say, **answer.facts}), answer.say)


def schema_of(parameters: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a parameter struct, with nothing but itself in it."""
    (schema,), parts = msgspec.json.schema_components([parameters], ref_template="#/$defs/{name}")
    own = parts.pop(parameters.__name__) if "$ref" in schema else schema
    return {**own, **({"$defs": parts} if parts else {})}


def _ended(status: Status, say: str) -> Outcome:
    return Outcome(status, _text({"ok": False, "say": say}), say)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
