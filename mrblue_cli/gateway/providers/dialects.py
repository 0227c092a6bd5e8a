"""The OpenAI-compatible providers as data: where they are and how they differ, as known in November 2026.

Groq and xAI were looked up in their documentation; the others are written from general knowledge and were not tried.
What a provider does beyond this table is in `compatible.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from mrblue_cli.gateway.model import Surface

_CHAT = frozenset({Surface.CHAT})
_EMBED = _CHAT | {Surface.EMBEDDINGS}
_AUDIO = frozenset({Surface.TRANSCRIPTION, Surface.SPEECH})
_HINTS = frozenset(
    {"store", "metadata", "prediction", "service_tier", "verbosity", "prompt_cache_key", "safety_identifier"}
)
"""Parameters of OpenAI's own house: they change nothing in an answer's meaning."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider differs from OpenAI in chat completions."""

    base_url: str = ""
    key_variable: str = ""
    keyless: bool = False
    native: frozenset[Surface] = _CHAT
    prefill: Literal["", "last", "prefix"] = ""
    """How it goes on from a broken answer: not at all; a last assistant message; one marked `prefix: true`."""
    prefill_base: str = ""
    """Another base URL for that (DeepSeek's beta)."""
    ignored: frozenset[str] = frozenset()
    """Left out: refused or unknown there, and the answer is as good without."""
    refused: frozenset[str] = frozenset()
    """Found in a request, it cannot go there: leaving it out would change what the answer means."""
    renamed: Mapping[str, str] = {}
    renamed_embeddings: Mapping[str, str] = {}
    refused_transcripts: frozenset[str] = frozenset()
    """Formats of transcripts that it does not give."""
    limit_name: str = "max_tokens"
    """The name it has for the number of tokens."""
    stream_options: bool = True
    """Whether it accepts `stream_options`; the others send usage without being asked."""
    required_tool: str = "required"
    """Its word for `tool_choice: required`."""
    schema: Literal["yes", "object", "no"] = "yes"
    """JSON schema: known; only `json_object`, so that the schema goes into the instructions; not even that."""
    flat_text: bool = False
    """Content must be a string: parts of text are joined, images cannot go there."""
    image_urls: bool = True
    """Fetches images from addresses; else only data URLs are taken."""
    names: bool = True
    """Accepts `name` in messages."""
    developer: bool = False
    """Knows the role `developer`; else it becomes `system`."""
    lax_end: bool = False
    """May end a stream without `[DONE]`; a finish reason is end enough."""


DIALECTS: dict[str, Dialect] = {
    "groq": Dialect(
        base_url="https://api.groq.com/openai/v1",
        key_variable="GROQ_API_KEY",
        native=_CHAT | _AUDIO,
        prefill="last",
        ignored=_HINTS | {"logit_bias"},
        refused=frozenset({"logprobs", "top_logprobs"}),
        refused_transcripts=frozenset({"srt", "vtt"}),
        limit_name="max_completion_tokens",
        names=False,
    ),
    "mistral": Dialect(
        base_url="https://api.mistral.ai/v1",
        key_variable="MISTRAL_API_KEY",
        native=_EMBED | {Surface.TRANSCRIPTION},
        prefill="prefix",
        # Unknown fields are answered with 422, so all of OpenAI's own go.
        ignored=_HINTS | {"logit_bias", "user", "reasoning_effort", "functions", "function_call", "modalities"},
        refused=frozenset({"logprobs", "top_logprobs"}),
        renamed={"seed": "random_seed"},
        renamed_embeddings={"dimensions": "output_dimension"},
        stream_options=False,
        required_tool="any",
        names=False,
    ),
    "together": Dialect(
        base_url="https://api.together.xyz/v1",
        key_variable="TOGETHER_API_KEY",
        native=_EMBED | _AUDIO,
        ignored=_HINTS | {"user"},
    ),
    "openrouter": Dialect(
        base_url="https://openrouter.ai/api/v1",
        key_variable="OPENROUTER_API_KEY",
        native=_EMBED,
        ignored=frozenset({"store", "service_tier"}),
    ),
    "deepseek": Dialect(
        base_url="https://api.deepseek.com",
        key_variable="DEEPSEEK_API_KEY",
        prefill="prefix",
        prefill_base="https://api.deepseek.com/beta",
        ignored=_HINTS | {"logit_bias", "user", "seed", "parallel_tool_calls"},
        schema="object",
        flat_text=True,
    ),
    "xai": Dialect(
        base_url="https://api.x.ai/v1",
        key_variable="XAI_API_KEY",
        native=_CHAT | {Surface.RESPONSES},
        ignored=_HINTS | {"logit_bias"},
    ),
    "ollama": Dialect(
        base_url="http://localhost:11434/v1",
        keyless=True,
        native=_EMBED,
        prefill="last",
        ignored=_HINTS | {"logit_bias", "user", "parallel_tool_calls"},
        image_urls=False,
        lax_end=True,
    ),
    "fireworks": Dialect(
        base_url="https://api.fireworks.ai/inference/v1",
        key_variable="FIREWORKS_API_KEY",
        native=_EMBED,
        ignored=_HINTS,
    ),
    "cerebras": Dialect(
        base_url="https://api.cerebras.ai/v1",
        key_variable="CEREBRAS_API_KEY",
        ignored=_HINTS | {"logit_bias", "presence_penalty", "frequency_penalty"},
        limit_name="max_completion_tokens",
    ),
    "perplexity": Dialect(
        base_url="https://api.perplexity.ai",
        key_variable="PERPLEXITY_API_KEY",
        ignored=_HINTS | {"logit_bias", "seed", "user", "parallel_tool_calls"},
        refused=frozenset({"tools", "logprobs", "top_logprobs"}),
        lax_end=True,
    ),
    "lmstudio": Dialect(base_url="http://localhost:1234/v1", keyless=True, native=_EMBED, ignored=_HINTS),
    "vllm": Dialect(base_url="http://localhost:8000/v1", keyless=True, native=_EMBED, ignored=_HINTS),
    # Anything else: the body passes as it is. A key is sent when there is one.
    "openai-compatible": Dialect(keyless=True, native=_EMBED | _AUDIO, developer=True),
}
"""AI21 has a file of its own: more of it is different."""
