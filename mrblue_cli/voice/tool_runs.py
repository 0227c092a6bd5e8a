"""Runs what the model asks for, beside the conversation: the receive loop never waits for a tool."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mrblue_cli.assistant.tools import ToolBox
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.protocol.notices import ToolCall
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.line import stop
from mrblue_cli.voice.spending import Spending


class _Continuity(Protocol):
    @property
    def live(self) -> bool: ...
    def tool_result(self, call_id: str, *, last: bool) -> None: ...


class _Talk(Protocol):
    spending: Spending

    @property
    def conversation(self) -> ClientConversation: ...
    @property
    def continuity(self) -> _Continuity: ...

    def emit(self, event: ev.TalkEvent) -> None: ...
    def apply(self, outcome: Outcome) -> None: ...


class ToolRuns:
    """The calls under way. Outputs go to the conversation that asked; it keeps their order."""

    def __init__(self, talk: _Talk, toolbox: ToolBox | None) -> None:
        self._talk = talk
        self._toolbox = toolbox or ToolBox(())
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        """A tool is at work."""
        return bool(self._jobs)

    def start(self, call: ToolCall) -> None:
        """Run one call; its output is sent when it is there."""
        self._talk.emit(ev.ToolRan(call.call_id, call.name, call.arguments, ev.ToolStatus.RUNNING))
        job = asyncio.ensure_future(self._run(call, self._talk.conversation))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def close(self) -> None:
        """Stop what still runs."""
        await stop(tuple(self._jobs))

    async def _run(self, call: ToolCall, asked_by: ClientConversation) -> None:
        outcome = await self._toolbox.call(call.name, call.arguments)
        status = ev.ToolStatus(outcome.status)
        self._talk.emit(ev.ToolRan(call.call_id, call.name, call.arguments, status, outcome.output, outcome.say))
        if self._talk.spending.closing:
            return  # at the end of the money the call is carried out and told, but no reply to it is asked for
        if asked_by is self._talk.conversation and self._talk.continuity.live:
            self._talk.apply(asked_by.supply_tool_output(call.call_id, outcome.output))
        else:
            self._talk.continuity.tool_result(call.call_id, last=len(self._jobs) == 1)
