"""Two plain views of the talk's event stream: JSON lines for programs, lines of text for people and pipes.

Keys and kinds of the JSON view are a contract (DESIGN, section 4): one object per line, `type` first.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import assert_never

from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.model import Hit, Risk
from mrblue_cli.voice.events import (
    Advice,
    AssistantTranscript,
    Ended,
    Failure,
    KbHit,
    Levels,
    RungChanged,
    SessionStarted,
    Spent,
    State,
    StatusChanged,
    Summary,
    TalkEvent,
    Thinking,
    ToolRan,
    ToolStatus,
    TurnMeasured,
    UserTranscript,
)
from mrblue_cli.voice.money import dollars


def json_line(event: TalkEvent) -> str | None:
    """Render one event as a JSON line without its newline; None for events that are for screens only."""
    fields = _json_fields(event)
    return None if fields is None else json.dumps(fields, ensure_ascii=False)


def _json_fields(event: TalkEvent) -> dict[str, object] | None:
    match event:
        case SessionStarted():
            return {"type": "session", "engine": event.engine, "model": event.model, "dialect": event.dialect}
        case UserTranscript():
            return {
                "type": "user_transcript",
                "item_id": event.item_id,
                "text": event.text,
                "final": event.final,
                **_earlier(event),
            }
        case KbHit():
            entry = event.hit.entry
            confidence = round(event.hit.confidence, 2)
            return {"type": "kb_hit", "id": entry.id, "title": entry.title, "confidence": confidence}
        case Thinking():
            thought = event.thought
            return {"type": "thinking", "stage": thought.stage, "text": thought.text, "confidence": thought.level}
        case AssistantTranscript():
            return {
                "type": "assistant_transcript",
                "item_id": event.item_id,
                "text": event.text,
                "final": event.final,
                "heard_ms": event.heard_ms,
                **_earlier(event),
            }
        case StatusChanged():
            return {"type": "status", "state": str(event.state)}
        case TurnMeasured():
            return {
                "type": "turn",
                "speech_end_ms": event.speech_end_ms,
                "commit_ms": event.commit_ms,
                "first_audio_ms": event.first_audio_ms,
                "first_sample_ms": event.first_sample_ms,
                "barge_in_stop_ms": event.barge_in_stop_ms,
                "underruns": event.underruns,
                "usage": event.usage,
                "cost_usd": event.cost_usd,
                "overruns": event.overruns,
                "dropped_chunks": event.dropped_chunks,
            }
        case Failure():
            return {"type": "error", "code": event.code, "message": event.message, "fatal": event.fatal}
        case RungChanged() | ToolRan() | Spent() | Summary():
            return _extra_fields(event)
        case Ended():
            return {"type": "end", "reason": event.reason}
        case Advice() | Levels():
            return None
        case _ as unreachable:
            assert_never(unreachable)


def _earlier(event: UserTranscript | AssistantTranscript) -> dict[str, bool]:
    return {"earlier": True} if event.earlier else {}


def _extra_fields(event: RungChanged | ToolRan | Spent | Summary) -> dict[str, object]:
    kind = {RungChanged: "rung", ToolRan: "tool", Spent: "spent", Summary: "summary"}[type(event)]
    return {"type": kind, **asdict(event)}


def summary_lines(summary: Summary) -> list[str]:
    """The session in a few calm lines; what did not happen is not mentioned."""
    lines = [_answers(summary), _money(summary)]
    if summary.barge_in_stop_p95_ms is not None:
        lines.append(tell("interrupted: silence within {ms} ms (95 %)", ms=summary.barge_in_stop_p95_ms))
    if summary.reconnects or summary.fallbacks:
        lines.append(
            tell(
                "connections made again: {reconnects}, changes of the way to talk: {fallbacks}",
                reconnects=summary.reconnects,
                fallbacks=summary.fallbacks,
            )
        )
    if summary.underruns or summary.overruns:
        lines.append(
            tell(
                "gaps in the sound: {underruns} played, {overruns} heard",
                underruns=summary.underruns,
                overruns=summary.overruns,
            )
        )
    return [f"        {line}" for line in lines if line]


def _answers(summary: Summary) -> str:
    if summary.latency_p50_ms is None or summary.latency_p95_ms is None:
        return tell("turns: {turns}", turns=summary.turns)
    return tell(
        "turns: {turns}, answered after {middle} s, 95 % within {most} s",
        turns=summary.turns,
        middle=f"{summary.latency_p50_ms / 1000:.2f}",
        most=f"{summary.latency_p95_ms / 1000:.2f}",
    )


def _money(summary: Summary) -> str:
    tokens = f"{summary.input_tokens + summary.output_tokens:,}"
    if summary.total_usd is None:
        return tell("{tokens} tokens, at no known price", tokens=tokens) if summary.unpriced else ""
    if not summary.total_usd and not summary.unpriced:
        return ""
    if summary.unpriced:
        return tell(
            "{spent} spent, {tokens} tokens, some of them at no known price",
            spent=dollars(summary.total_usd),
            tokens=tokens,
        )
    return tell("{spent} spent, {tokens} tokens", spent=dollars(summary.total_usd), tokens=tokens)


class TextView:
    """Lines a person reads: what was heard, found and answered. Shows final texts only, and each hit once."""

    def __init__(self) -> None:
        self._best: dict[str, Hit] = {}
        self._shown: set[str] = set()
        self._replies: set[str] = set()

    def lines(self, event: TalkEvent) -> list[str]:
        """Return the lines this event adds; most events add none."""
        match event:
            case SessionStarted():
                return [f"mrblue  {tell('{engine} engine', engine=event.engine)} · {event.model}"]
            case UserTranscript(earlier=True):
                return [f"  {tell('You'):<8}{event.text}"]
            case AssistantTranscript(earlier=True):
                return [f"  {tell('Blue'):<8}{event.text}{' —' if event.heard_ms is not None else ''}"]
            case UserTranscript(final=True) if event.text:
                return ["", f"{tell('You'):<8}{event.text}"]
            case KbHit():
                return self._note_hit(event)
            case AssistantTranscript(final=True) if event.text:
                return self._reply(event)
            case TurnMeasured() if event.latency_ms is not None:
                return [f"        {tell('answered after {seconds} s', seconds=f'{event.latency_ms / 1000:.2f}')}"]
            case Summary():
                return ["", *summary_lines(event)]
            case ToolRan(status=ToolStatus.RUNNING):
                return [f"        {tell('using {tool}…', tool=event.name)}"]
            case RungChanged():
                return [f"        {event.reason}"]
            case StatusChanged(state=State.RECONNECTING):
                return [f"        {tell('connection lost, reconnecting…')}"]
            case _:
                return []

    def _note_hit(self, event: KbHit) -> list[str]:
        best = self._best.get(event.item_id)
        if best is None or event.hit.confidence >= best.confidence:
            self._best[event.item_id] = event.hit
        return []

    def _reply(self, event: AssistantTranscript) -> list[str]:
        found = [line for hit in self._best.values() if hit.entry.id not in self._shown for line in self._fix(hit)]
        self._best.clear()
        cut = " —" if event.heard_ms is not None else ""
        if event.item_id in self._replies and not cut:
            return found
        self._replies.add(event.item_id)
        return [*found, f"{tell('Blue'):<8}{event.text}{cut}"]

    def _fix(self, hit: Hit) -> list[str]:
        self._shown.add(hit.entry.id)
        lines = [f"{tell('Fix'):<8}{hit.entry.title}  ({hit.confidence:.0%})"]
        if hit.solutions:
            solution = hit.solutions[0]
            warning = f"  {tell('! deletes data')}" if solution.risk is Risk.DESTRUCTIVE else ""
            lines.append(f"        {solution.title}{warning}")
            lines += [f"        {number}  {step}" for number, step in enumerate(solution.steps, 1)]
        return lines
