"""Token counts of a reply made here, in the shape `response.done` carries.

The embedded engine bills nobody; the counts follow OpenAI's published rule for audio (a token per 100 ms of the
person, per 50 ms of the assistant) and a usual estimate for text (four characters a token), so that tools built on
them show something sensible.
"""

from __future__ import annotations

from collections.abc import Iterable

from mrblue_cli.protocol.items import Item

_CHARACTERS_PER_TOKEN = 4
_ASSISTANT_MS_PER_TOKEN = 50


def usage_of(history: Iterable[Item], instructions: str, reply_text: str, reply_audio_ms: int) -> dict[str, object]:
    """Count what a reply read and made."""
    given_text = _tokens(instructions) + sum(_tokens(item.text) for item in history)
    made_text = _tokens(reply_text)
    made_audio = -(-reply_audio_ms // _ASSISTANT_MS_PER_TOKEN)
    return {
        "total_tokens": given_text + made_text + made_audio,
        "input_tokens": given_text,
        "output_tokens": made_text + made_audio,
        "input_token_details": {
            "text_tokens": given_text,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": made_text, "audio_tokens": made_audio},
    }


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
