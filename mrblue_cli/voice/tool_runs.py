"""Runs what the model asks for, beside the conversation: the receive loop never waits for a tool.

A person who breaks in stops the reply, not the work: what was found goes into the conversation without a word, and an
effect that has begun is finished and told. When the talk ends, lookups are dropped and effects get a moment more.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from mrblue_cli.assistant.tools import ToolBox
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.protocol.client_events import CreateResponse
from mrblue_cli.protocol.notices import ToolCall
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.line import stop
from mrblue_cli.voice.spending import Spending

EFFECT_GRACE_SECONDS = 10.0
"""How long the end of a talk waits for an effect that has begun."""


class _Continuity(Protocol):
    @property
    def live(self) -> bool: ...
    def tool_result(self, call_id: str, *, last: bool) -> None: ...


class _Talk(Protocol):
    flow: TurnFlow
    spending: Spending

    @property
    def conversation(self) -> ClientConversation: ...
    @property
    def continuity(self) -> _Continuity: ...

    def emit(self, event: ev.TalkEvent) -> None: ...
    def apply(self, outcome: Outcome) -> None: ...
    def reply_asked(self) -> None: ...


class ToolRuns:
    """The calls under way. Outputs go to the conversation that asked; it keeps their order."""

    def __init__(self, talk: _Talk, toolbox: ToolBox | None) -> None:
        self._talk = talk
        self._toolbox = toolbox or ToolBox(())
        self._jobs: dict[asyncio.Task[None], str] = {}

    @property
    def running(self) -> bool:
        """A tool is at work."""
        return bool(self._jobs)

    def start(self, call: ToolCall) -> None:
        """Run one call; its output is sent when it is there."""
        self._talk.emit(ev.ToolRan(call.call_id, call.name, call.arguments, ev.ToolStatus.RUNNING))
        job = asyncio.ensure_future(self._run(call, self._talk.conversation))
        self._jobs[job] = call.name
        self._talk.flow.working = True
        job.add_done_callback(self._ended)

    async def close(self) -> None:
        """Drop lookups, finish effects that have begun; what is still not done after a while is stopped."""
        effects = [job for job, name in self._jobs.items() if self._toolbox.has_effect(name)]
        await stop([job for job in self._jobs if job not in effects])
        if effects:
            await asyncio.wait(effects, timeout=EFFECT_GRACE_SECONDS)
            await stop(effects)

    def _ended(self, job: asyncio.Task[None]) -> None:
        self._jobs.pop(job, None)
        self._talk.flow.working = bool(self._jobs)

    async def _run(self, call: ToolCall, asked_by: ClientConversation) -> None:
        try:
            outcome = await self._toolbox.call(call.name, call.arguments)
        except asyncio.CancelledError:
            if self._toolbox.has_effect(call.name):
                said = tell("{name} was stopped before its answer came: it may or may not be done", name=call.name)
                self._talk.emit(ev.ToolRan(call.call_id, call.name, call.arguments, ev.ToolStatus.FAILED, say=said))
            raise
        status = ev.ToolStatus(outcome.status)
        self._talk.emit(ev.ToolRan(call.call_id, call.name, call.arguments, status, outcome.output, outcome.say))
        if self._talk.spending.closing:
            return  # at the end of the money the call is carried out and told, but no reply to it is asked for
        if asked_by is not self._talk.conversation or not self._talk.continuity.live:
            self._talk.continuity.tool_result(call.call_id, last=len(self._jobs) == 1)
            return
        answer = asked_by.supply_tool_output(call.call_id, outcome.output)
        if any(isinstance(event, CreateResponse) for event in answer.send):
            self._talk.reply_asked()
        self._talk.apply(answer)
