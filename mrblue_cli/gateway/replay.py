"""Answers out of the cache: a stream is replayed as a stream, and either form serves the other."""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.cache.service import CachedAnswer
from mrblue_cli.gateway.model import Json, Surface
from mrblue_cli.gateway.surfaces import TRANSLATORS, chat


def plain_answer(stored: CachedAnswer) -> bytes:
    """The whole answer at once."""
    return stored.body


def streamed_answer(surface: Surface, body: Json, stored: CachedAnswer) -> list[bytes]:
    """The answer as server-sent events: those it came in, else made from the whole."""
    if surface is Surface.CHAT:
        options = body.get("stream_options")
        usage = isinstance(options, dict) and options.get("include_usage") is True
        # The client that stored it may have wanted the usage chunk while this one does not, or the reverse.
        return chat.replay_chat(msgspec.json.decode(stored.body), usage)
    if stored.frames:
        return list(stored.frames)
    return TRANSLATORS[surface].replay(msgspec.json.decode(stored.body))
