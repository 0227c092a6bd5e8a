"""What configuration must know of the kinds of providers: where they are, which variable holds their key by custom."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from mrblue_cli.gateway.model import Surface

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


KINDS: dict[str, Kind] = {
    "openai": Kind("OPENAI_API_KEY", "https://api.openai.com/v1"),
    "groq": Kind("GROQ_API_KEY", "https://api.groq.com/openai/v1"),
    "anthropic": Kind("ANTHROPIC_API_KEY", "https://api.anthropic.com/v1", openai=False),
    "gemini": Kind("GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta", openai=False),
    "cohere": Kind("COHERE_API_KEY", "https://api.cohere.com/v2", openai=False),
    "mistral": Kind("MISTRAL_API_KEY", "https://api.mistral.ai/v1"),
    "ai21": Kind("AI21_API_KEY", "https://api.ai21.com/studio/v1"),
    "together": Kind("TOGETHER_API_KEY", "https://api.together.xyz/v1"),
    "azure": Kind("AZURE_OPENAI_API_KEY", openai=False),
    "openrouter": Kind("OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
    "deepseek": Kind("DEEPSEEK_API_KEY", "https://api.deepseek.com/v1"),
    "xai": Kind("XAI_API_KEY", "https://api.x.ai/v1"),
    "ollama": Kind("OLLAMA_API_KEY", "http://localhost:11434/v1", keyless=True),
    "openai-compatible": Kind("", keyless=True),
    "scripted": Kind("", keyless=True, openai=False),
}
"""Kinds of our own, in the order in which they are tried when nobody configures any."""

_OTHER_NAMES = {
    "google": "gemini", "google-gemini": "gemini", "google-ai": "gemini", "azure-openai": "azure",
    "mistralai": "mistral", "together-ai": "together", "togetherai": "together", "grok": "xai",
    "x-ai": "xai", "claude": "anthropic", "open-router": "openrouter", "vllm": "openai-compatible",
    "lm-studio": "openai-compatible",
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


def third_party_kinds() -> frozenset[str]:
    """Kinds that installed packages register under the entry point group `mrblue.providers`. Nothing is imported."""
    from importlib.metadata import entry_points

    return frozenset(point.name for point in entry_points(group="mrblue.providers"))


def kind_named(name: str) -> str:
    """The kind that a name means by custom ("google" is gemini), or the empty text."""
    plain = name.lower().replace("_", "-")
    return plain if plain in KINDS else _OTHER_NAMES.get(plain, "")


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
