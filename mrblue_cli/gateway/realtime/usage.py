"""PURE: what a realtime session used, told by its server's events.

`response.done` carries the usage of one reply (the whole conversation is its input each time);
`…input_audio_transcription.completed` carries that of the transcription model, which is billed by itself. Both report
the same in either dialect. A reply that never ended is counted from what was seen of it and marked as estimated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from mrblue_cli.gateway.model import Json, Usage

RESPONSE_CREATED, RESPONSE_DONE = "response.created", "response.done"
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_SESSIONS = {"session.created", "session.updated", "transcription_session.created", "transcription_session.updated"}
_AUDIO = {"response.output_audio.delta", "response.audio.delta"}
_WORDS = {
    "response.output_text.delta",
    "response.text.delta",
    "response.output_audio_transcript.delta",
    "response.audio_transcript.delta",
    "response.function_call_arguments.delta",
}
_FRAME_OVERHEAD = 200
"""Characters of an audio delta that are not audio, about."""
_CHARACTERS_PER_AUDIO_TOKEN = 48_000 // 20 * 4 // 3
"""A token is 50 ms of the assistant: 2,400 bytes of PCM16 at 24 kHz, 3,200 characters of base64."""


class Bill(NamedTuple):
    """What one model used."""

    model: str
    usage: Usage


class _Response(msgspec.Struct):
    id: str | None = None
    usage: Any = None


class _Event(msgspec.Struct):
    response: _Response | None = None
    response_id: str | None = None
    usage: Any = None
    session: Any = None


class _Tally(msgspec.Struct):
    """What was seen of a reply that has not ended."""

    audio_tokens: int = 0
    text_tokens: int = 0


_READ = msgspec.json.Decoder(_Event)


class Meter:
    """Follows one session's server events, in either dialect."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._transcriber = ""
        self.only_listens = False
        """True for a transcription session: there are no replies, transcriptions are all it uses."""
        self._last_input = Usage()
        self._open: dict[str, _Tally] = {}

    @property
    def open_responses(self) -> tuple[str, ...]:
        """Ids of the replies that have begun and not ended."""
        return tuple(self._open)

    def see(self, kind: str, text: str) -> Bill | None:
        """Take a server's frame; returns what it says was used. Never raises."""
        if kind in _AUDIO or kind in _WORDS:
            self._tally(kind, text)
            return None
        if kind not in _SESSIONS and kind not in {RESPONSE_CREATED, RESPONSE_DONE, TRANSCRIBED}:
            return None
        try:
            event = _READ.decode(text)
        except (ValueError, RecursionError):
            return None
        if kind in _SESSIONS:
            self._transcriber = _transcriber(event.session) or self._transcriber
            told = event.session if isinstance(event.session, dict) else {}
            self.only_listens = kind.startswith("transcription_") or told.get("type") == "transcription"
            return None
        if kind == TRANSCRIBED:
            usage = usage_of_transcription(event.usage)
            return None if usage is None else Bill(self._transcriber or self._model, usage)
        response = event.response or _Response()
        if kind == RESPONSE_CREATED:
            self._open.setdefault(response.id or "", _Tally())
            return None
        return self._done(response)

    def unfinished(self) -> list[Bill]:
        """Estimates for replies that never ended: the input of the last one, the output that was seen."""
        bills = []
        for tally in self._open.values():
            known = self._last_input
            usage = msgspec.structs.replace(
                known,
                output_tokens=tally.audio_tokens + tally.text_tokens,
                audio_output_tokens=tally.audio_tokens,
                estimated=True,
            )
            bills.append(Bill(self._model, usage))
        self._open.clear()
        return bills

    def _done(self, response: _Response) -> Bill | None:
        tally = self._open.pop(response.id or "", None)
        usage = usage_of_response(response.usage)
        if usage is None:
            if tally is None or not (tally.audio_tokens or tally.text_tokens):
                return None
            spoken, written = tally.audio_tokens, tally.text_tokens
            usage = msgspec.structs.replace(
                self._last_input, output_tokens=spoken + written, audio_output_tokens=spoken, estimated=True
            )
            return Bill(self._model, usage)
        self._last_input = msgspec.structs.replace(usage, output_tokens=0, audio_output_tokens=0)
        return Bill(self._model, usage)

    def _tally(self, kind: str, text: str) -> None:
        if len(self._open) == 1:  # the usual case needs no parsing
            tally = next(iter(self._open.values()))
        else:
            try:
                found = self._open.get(_READ.decode(text).response_id or "")
            except (ValueError, RecursionError):
                return
            if found is None:
                return
            tally = found
        if kind in _AUDIO:
            tally.audio_tokens += max(len(text) - _FRAME_OVERHEAD, 0) // _CHARACTERS_PER_AUDIO_TOKEN
        else:
            tally.text_tokens += 1


def usage_of_response(told: Any) -> Usage | None:
    """The usage in `response.done`; None when the server did not say. Anything in it may be null or absent."""
    if not isinstance(told, dict) or not (told.get("input_tokens") or told.get("output_tokens")):
        return None
    given, made = _part(told, "input_token_details"), _part(told, "output_token_details")
    cached = _part(given, "cached_tokens_details")
    cached_tokens = _count(given, "cached_tokens")
    return Usage(
        input_tokens=_count(told, "input_tokens"),
        output_tokens=_count(told, "output_tokens"),
        cached_input_tokens=cached_tokens,
        audio_input_tokens=_count(given, "audio_tokens"),
        cached_audio_input_tokens=_count(cached, "audio_tokens") if cached else _audio_of_cached(given, cached_tokens),
        image_input_tokens=_count(given, "image_tokens"),
        audio_output_tokens=_count(made, "audio_tokens"),
    )


def usage_of_transcription(told: Any) -> Usage | None:
    """The usage of one transcription: tokens, or seconds of sound. None when the server did not say."""
    if not isinstance(told, dict):
        return None
    seconds = told.get("seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        return Usage(seconds=float(seconds))
    if not (told.get("input_tokens") or told.get("output_tokens")):
        return None
    return Usage(
        input_tokens=_count(told, "input_tokens"),
        output_tokens=_count(told, "output_tokens"),
        audio_input_tokens=_count(_part(told, "input_token_details"), "audio_tokens"),
    )


def _audio_of_cached(given: Json, cached: int) -> int:
    """Beta does not split cached tokens: they count as text as far as there was text."""
    return max(cached - _count(given, "text_tokens"), 0) if given.get("text_tokens") is not None else 0


def _transcriber(session: Any) -> str:
    """The transcription model of a session, in either dialect."""
    if not isinstance(session, dict):
        return ""
    heard = _part(_part(session, "audio"), "input")
    chosen = _part(heard, "transcription") or _part(session, "input_audio_transcription")
    model = chosen.get("model")
    return model if isinstance(model, str) else ""


def _part(table: Json, name: str) -> Json:
    value = table.get(name)
    return value if isinstance(value, dict) else {}


def _count(table: Json, name: str) -> int:
    value = table.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53 else 0
