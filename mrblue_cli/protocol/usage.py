"""Token counts of a reply made here, in the shape `response.done` carries.

The engine on this machine bills nobody; the counts follow OpenAI's published rule for audio (a token per 100 ms of the
person, per 50 ms of the assistant) and a usual estimate for text (four characters a token), so that tools built on
them show something sensible.

A reply made with the help of services says so under `models`: one entry a model, summed over the reply, with `model`
and those of `input_tokens`, `output_tokens`, `seconds` and `characters` that the provider told or that are known;
what was cached or thought stands in `input_token_details` and `output_token_details`, inside the sums. An entry with a
name alone was used, nobody knows how much. Where an entry has tokens, the totals are those of the entries, not an
estimate. A transcription's usage has the same key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import UNSET

from mrblue_cli.protocol.items import Item

_CHARACTERS_PER_TOKEN = 4
_ASSISTANT_MS_PER_TOKEN = 50


@dataclass(slots=True)
class ModelsUsed:
    """What paid models were used for one reply or transcription, summed by name."""

    _sums: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, model: str, **counts: float | None) -> None:
        """Count what one request took; None: the provider did not say."""
        sums = self._sums.setdefault(model, {})
        for name, count in counts.items():
            if count is not None:
                sums[name] = sums.get(name, 0) + count

    def __bool__(self) -> bool:
        return bool(self._sums)

    def laid_over(self, usage: dict[str, object]) -> dict[str, object]:
        """`usage` with the key `models`, and with their tokens where they were told."""
        if not self._sums:
            return usage
        told = {**usage, "models": [_entry(name, counts) for name, counts in self._sums.items()]}
        if any("output_tokens" in counts for counts in self._sums.values()):
            given, cached, made = (
                int(sum(counts.get(name, 0) for counts in self._sums.values()))
                for name in ("input_tokens", "cached_tokens", "output_tokens")
            )
            told |= {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
            told["input_token_details"] = _given(given, cached)
            told["output_token_details"] = {"text_tokens": made, "audio_tokens": 0}
        return told


def _entry(model: str, counts: dict[str, float]) -> dict[str, object]:
    entry: dict[str, object] = {"model": model}
    entry |= {name: count for name, count in counts.items() if name not in {"cached_tokens", "reasoning_tokens"}}
    if "cached_tokens" in counts:
        entry["input_token_details"] = {"cached_tokens": counts["cached_tokens"]}
    if "reasoning_tokens" in counts:
        entry["output_token_details"] = {"reasoning_tokens": counts["reasoning_tokens"]}
    return entry


def usage_of(history: Iterable[Item], instructions: str, reply_text: str, reply_audio_ms: int) -> dict[str, object]:
    """Count what a reply read and made; the arguments of its calls count as text."""
    given_text = _tokens(instructions) + sum(_tokens(_words(item)) for item in history)
    made_text = _tokens(reply_text)
    made_audio = -(-reply_audio_ms // _ASSISTANT_MS_PER_TOKEN)
    return {
        "total_tokens": given_text + made_text + made_audio,
        "input_tokens": given_text,
        "output_tokens": made_text + made_audio,
        "input_token_details": _given(given_text, 0),
        "output_token_details": {"text_tokens": made_text, "audio_tokens": made_audio},
    }


def _given(text: int, cached: int) -> dict[str, object]:
    return {
        "text_tokens": text,
        "audio_tokens": 0,
        "image_tokens": 0,
        "cached_tokens": cached,
        "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0, "image_tokens": 0},
    }


def _words(item: Item) -> str:
    fields = (item.text, item.arguments, item.output)
    return " ".join(text for text in fields if text is not UNSET)


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
