"""The tool calls of a session: each is told once, and a round of them is answered as a whole.

Three events carry the same call (arguments.done, output_item.done, response.done), and some servers leave it out of the
last one; a cancelled response may carry calls that must not run. So calls are gathered as they come and told only when
their response completed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import UNSET

from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.notices import ToolCall


@dataclass(slots=True)
class ToolCalls:
    """Calls by response, and the outputs of the round that is being answered."""

    _seen: dict[str, dict[str, ToolCall]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _round: dict[str, str | None] = field(default_factory=dict)
    _reply_wanted: bool = True

    def note(self, event: s.OutputItemDone | s.FunctionArgumentsDone) -> None:
        """Remember a call until its response ends."""
        if isinstance(event, s.OutputItemDone):
            call = _call_of(event.item)
        else:
            call = ToolCall(event.call_id, "" if event.name is UNSET else event.name, event.arguments)
        if call is not None:
            self._add(event.response_id, call)

    def ended(self, response: s.ResponseState) -> tuple[ToolCall, ...]:
        """The calls to run now: those of a completed response that were not told before."""
        for item in response.output or ():
            call = _call_of(item)
            if call is not None:
                self._add(response.id, call)
        calls = self._seen.pop(response.id, {}).values()
        if response.status != "completed":
            return ()
        fresh = tuple(call for call in calls if call.call_id not in self._told)
        self._told.update(call.call_id for call in fresh)
        if fresh:
            self._round |= dict.fromkeys(call.call_id for call in fresh)
            self._reply_wanted = True
        return fresh

    def supply(self, call_id: str, output: str) -> tuple[tuple[tuple[str, str], ...], bool]:
        """Take one output. Returns the outputs to send now, in the order of the calls, and whether to ask for a reply.

        Nothing is sent before the last call of the round is answered: then one request follows them all.
        """
        if call_id not in self._round:
            return ((call_id, output),), True
        self._round[call_id] = output
        outputs = tuple((name, text) for name, text in self._round.items() if text is not None)
        if len(outputs) < len(self._round):
            return (), False
        self._round.clear()
        return outputs, self._reply_wanted

    def interrupted(self) -> None:
        """The person broke in: the outputs still belong into the conversation, the reply to them is not wanted."""
        self._reply_wanted = False

    def _add(self, response_id: str, call: ToolCall) -> None:
        calls = self._seen.setdefault(response_id, {})
        known = calls.get(call.call_id)
        if known is None or not known.name:
            calls[call.call_id] = call


def _call_of(item: Item) -> ToolCall | None:
    if item.type != "function_call" or item.call_id is UNSET:
        return None
    name = "" if item.name is UNSET else item.name
    return ToolCall(item.call_id, name, "" if item.arguments is UNSET else item.arguments)
