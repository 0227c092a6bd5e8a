"""What configuration must know of the kinds of providers: where they are, which variable holds their key by custom."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

import msgspec

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.providers.dialects import DIALECTS
from mrblue_cli.gateway.providers.registry import kinds, provider

CHAT = (Surface.CHAT,)
"""Whoever chats is asked in the other two shapes of text as well: routing knows which pass as they are."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of provider."""

    variable: str
    """The environment variable of its key."""
    base_url: str = ""
    """Where it is; empty: the configuration must say."""
    keyless: bool = False
    openai: bool = True
    """Its addresses are a base and OpenAI's paths."""


_OPENAI_PATHS = {"openai", "ai21", *DIALECTS}
_BY_CUSTOM = (
    "openai", "anthropic", "gemini", "groq", "mistral", "cohere", "ai21", "together", "openrouter", "deepseek", "xai",
    "fireworks", "cerebras", "perplexity",
)  # fmt: skip
"""Who is asked, in this order, when nobody is configured and the variable of its key is set."""

_OTHER_NAMES = {
    "google": "gemini", "google-gemini": "gemini", "google-ai": "gemini", "azure-openai": "azure",
    "mistralai": "mistral", "together-ai": "together", "togetherai": "together", "grok": "xai",
    "x-ai": "xai", "claude": "anthropic", "open-router": "openrouter", "lm-studio": "lmstudio",
}  # fmt: skip

_PATHS: tuple[tuple[str, tuple[Surface, ...]], ...] = (
    ("/chat/completions", CHAT),
    ("/responses", (Surface.RESPONSES,)),
    ("/embeddings", (Surface.EMBEDDINGS,)),
    ("/audio/transcriptions", (Surface.TRANSCRIPTION,)),
    ("/audio/speech", (Surface.SPEECH,)),
    ("/realtime", (Surface.REALTIME,)),
    ("/messages", CHAT),
    ("/chat", CHAT),
    ("/embed", (Surface.EMBEDDINGS,)),
    (":generateContent", CHAT),
    (":streamGenerateContent", CHAT),
    (":embedContent", (Surface.EMBEDDINGS,)),
)
_NAMES: tuple[tuple[tuple[str, ...], Surface], ...] = (
    (("realtime",), Surface.REALTIME),
    (("whisper", "transcribe"), Surface.TRANSCRIPTION),
    (("tts", "speech"), Surface.SPEECH),
    (("embed", "bge-", "e5-", "minilm"), Surface.EMBEDDINGS),
)


@cache
def known_kinds() -> frozenset[str]:
    """Every kind there is. Remembered: asking the installed packages takes as long as the rest of a configuration."""
    return frozenset(kinds())


def kind_of(name: str) -> Kind | None:
    """What is known of a kind; None when there is none of that name. Raises `ConfigError` for a broken plugin."""
    if name not in known_kinds():
        return None
    traits = provider(name).traits
    return Kind(traits.key_variable, traits.base_url, traits.keyless, openai=name in _OPENAI_PATHS)


def kinds_by_custom() -> list[tuple[str, Kind]]:
    """The kinds that a variable in the environment is enough for."""
    return [(name, found) for name in _BY_CUSTOM if (found := kind_of(name)) is not None and found.variable]


def kind_named(name: str) -> str:
    """The kind that a name means by custom ("google" is gemini), or the empty text."""
    plain = name.lower().replace("_", "-")
    return plain if plain in known_kinds() else _OTHER_NAMES.get(plain, "")


def surfaces_of(name: str, endpoint: str) -> tuple[Surface, ...]:
    """Which surfaces a model serves, told from its address (scheme, path) and else from its name.

    A model named "*" without an address may be anything: the empty tuple.
    """
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme in {"ws", "wss"}:
            return (Surface.REALTIME,)
        path = parts.path.rstrip("/")
        told = next((surfaces for ending, surfaces in _PATHS if path.endswith(ending)), ())
        if told:
            return told
    if name == "*":
        return ()
    lower = name.lower()
    return next(((surface,) for words, surface in _NAMES if any(word in lower for word in words)), CHAT)


def base_of(endpoint: str) -> str:
    """The base URL below which OpenAI's paths give this address; empty when it is not made that way."""
    parts = urlsplit(endpoint)
    if parts.query:
        return ""
    path = parts.path.rstrip("/")
    ending = next((ending for ending, _ in _PATHS[:6] if path.endswith(ending)), "")
    if not ending:
        return ""
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{path.removesuffix(ending)}"
