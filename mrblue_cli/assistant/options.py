"""Options of the assistant."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """An OpenAI-compatible chat endpoint for what the knowledge base cannot answer."""

    base_url: str | None = None
    """For example `http://localhost:11434/v1` for Ollama; None: OpenAI's own."""
    model: str = "gpt-4o-mini"
    api_key: str = field(default="", repr=False)
    """Empty for local servers that ask for none."""
    timeout_seconds: float = 20.0
    """Until the first word."""
    strict: bool = False
    """Raise what fails instead of saying it: the conversation has another way to go on."""
