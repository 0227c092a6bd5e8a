"""An upper bound of what a request may use, before it is sent, so that the money for it can be set aside.

The bound is on the safe side for what the body says. What it does not say (how much an unlimited model will write, how
long a stored conversation is) is assumed; settling counts the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mrblue_cli.gateway.budget.counting import audio_seconds, count_text
from mrblue_cli.gateway.model import Json, Part, Surface, Usage

__all__ = ["DEFAULT_OUTPUT", "count_text", "estimate"]

DEFAULT_OUTPUT = 1024
"""Tokens, when neither the request nor the configuration sets a limit."""
_REALTIME_OUTPUT = 4096
_MESSAGE_TOKENS = 8
_IMAGE_TOKENS = 4_800
_IMAGE_TOKENS_LOW = 300
_IMAGE_TOKENS_MULTIPLIED = 50_000
"""gpt-4o-mini counts an image of eight tiles as 48,169 tokens, so that images cost what they cost with gpt-4o."""
_FILE_BYTES_A_TOKEN = 12
_FILE_TOKENS = 3_000
_STORED_CONTEXT = 8_192
_AUDIO_TOKENS_A_SECOND = 32
"""Gemini's rule; OpenAI's models count ten."""
_TRANSCRIPT_TOKENS_A_SECOND = 8
_SPOKEN_TOKENS_A_CHARACTER = 2.5
_SPOKEN_TOKENS_A_SIGN = 7
"""Of scripts in which one character is a syllable or a word."""
_OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens", "max_response_output_tokens")
_NOT_READ = frozenset({"model", "stream", "stream_options", "metadata", "user", "store", *_OUTPUT_LIMITS})
_BASE64_BYTES = 0.75


def estimate(surface: Surface, body: Json, max_tokens: int | None, parts: Sequence[Part] = ()) -> Usage:
    """The most that a call may use; `estimated` is set.

    `max_tokens`: the limit that the configuration sets on the model's output. `parts`: the files of a form. Never
    raises: what is malformed is for the provider to refuse.
    """
    match surface:
        case Surface.SPEECH:
            return _speech(body)
        case Surface.TRANSCRIPTION:
            return _transcription(body, parts)
        case Surface.EMBEDDINGS:
            return Usage(input_tokens=_Reader(body).read(body.get("input")), estimated=True)
        case _:
            return _conversation(surface, body, max_tokens)


def _conversation(surface: Surface, body: Json, max_tokens: int | None) -> Usage:
    reader = _Reader(body)
    tokens = sum(reader.read(value) for key, value in body.items() if key not in _NOT_READ)
    if body.get("previous_response_id") or body.get("conversation"):
        tokens += _STORED_CONTEXT
    output = _output(surface, body, max_tokens) * _choices(body)
    audible = surface is Surface.REALTIME or "audio" in (_list(body.get("modalities")) or ())
    return Usage(
        input_tokens=tokens + reader.image_tokens + reader.audio_tokens,
        output_tokens=output,
        image_input_tokens=reader.image_tokens,
        audio_input_tokens=reader.audio_tokens,
        audio_output_tokens=output if audible else 0,
        estimated=True,
    )


def _output(surface: Surface, body: Json, max_tokens: int | None) -> int:
    asked = [int(body[key]) for key in _OUTPUT_LIMITS if _whole(body.get(key))]
    if asked:
        limit = max(0, *asked)
        return min(limit, max_tokens) if max_tokens is not None else limit
    if max_tokens is not None:
        return max_tokens
    return _REALTIME_OUTPUT if surface is Surface.REALTIME else DEFAULT_OUTPUT


def _choices(body: Json) -> int:
    several = body.get("n")
    return min(max(several, 1), 128) if _whole(several) and isinstance(several, int) else 1


def _speech(body: Json) -> Usage:
    said = body.get("input")
    text = said if isinstance(said, str) else ""
    style = body.get("instructions")
    wide = len(text) - len(text.encode("ascii", "ignore"))
    spoken = int((len(text) - wide) * _SPOKEN_TOKENS_A_CHARACTER + wide * _SPOKEN_TOKENS_A_SIGN)
    return Usage(
        input_tokens=count_text(text) + (count_text(style) if isinstance(style, str) else 0),
        output_tokens=spoken,
        audio_output_tokens=spoken,
        characters=len(text),
        estimated=True,
    )


def _transcription(body: Json, parts: Sequence[Part]) -> Usage:
    seconds = sum(audio_seconds(part.data) for part in parts if part.filename is not None or part.name == "file")
    heard = int(seconds * _AUDIO_TOKENS_A_SECOND) + 1
    prompt = body.get("prompt")
    return Usage(
        input_tokens=heard + (count_text(prompt) if isinstance(prompt, str) else 0),
        audio_input_tokens=heard,
        output_tokens=int(seconds * _TRANSCRIPT_TOKENS_A_SECOND) + 1,
        seconds=seconds,
        estimated=True,
    )


class _Reader:
    """Counts what a body holds, in whatever shape: chat, responses, messages, tools, schemas."""

    def __init__(self, body: Json) -> None:
        self.image_tokens = 0
        self.audio_tokens = 0
        model = body.get("model")
        multiplied = isinstance(model, str) and "gpt-4o-mini" in model
        self._image = _IMAGE_TOKENS_MULTIPLIED if multiplied else _IMAGE_TOKENS

    def read(self, value: Any) -> int:
        """Text tokens of a value; images and sound are added up apart. Without recursion: depth is the client's."""
        tokens = 0
        texts: list[str] = []
        todo = [value]
        while todo:
            item = todo.pop()
            if isinstance(item, str):
                texts.append(item)
            elif isinstance(item, dict):
                if "role" in item or "type" in item:
                    tokens += _MESSAGE_TOKENS
                found = self._media(item)
                if found is None:
                    texts.extend(item)
                    todo.extend(item.values())
                else:
                    tokens += found
            elif isinstance(item, list):
                todo.extend(item)
            elif item is not None:
                tokens += 1
        # One count over all of it: thousands of short strings would each cost a call.
        return tokens + len(texts) + (count_text("\n".join(texts)) if texts else 0)

    def _media(self, part: Json) -> int | None:
        """Text tokens of a part that is no text; None when it is to be read as it stands."""
        match part.get("type"):
            case "image_url" | "input_image" | "image":
                holder = part.get("image_url")
                detail = part.get("detail") or (holder.get("detail") if isinstance(holder, dict) else None)
                self.image_tokens += _IMAGE_TOKENS_LOW if detail == "low" else self._image
                return 0
            case "input_audio" | "audio":
                self.audio_tokens += self._sound(part)
                return 0
            case "file" | "input_file" | "document":
                return _FILE_TOKENS + int(_longest_text(part) * _BASE64_BYTES / _FILE_BYTES_A_TOKEN)
        return None

    def _sound(self, part: Json) -> int:
        holder = part.get("input_audio")
        sound = holder if isinstance(holder, dict) else part
        data = sound.get("data") or sound.get("audio")
        size = len(data) * _BASE64_BYTES if isinstance(data, str) else 0.0
        # 16 kHz PCM when it says so; else as little as a second of compressed speech takes.
        rate = 16_000 if sound.get("format") in {"wav", "pcm16", "pcm"} else 2_000
        return int(size / rate * _AUDIO_TOKENS_A_SECOND) + 1


def _longest_text(part: Json) -> int:
    todo: list[Any] = [part]
    longest = 0
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            longest = max(longest, len(item))
        elif isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return longest


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None
