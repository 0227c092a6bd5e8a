"""How long one request may take: a model that thinks before it speaks gets more time to its first token. PURE."""

from __future__ import annotations

import re

import msgspec

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.options import DeadlineOptions

_THINKERS = re.compile(
    r"(^|[/:])(o[1-9](-|$)|gpt-5|gpt-6)|reason|think|deepseek-r\d|(^|[-/])r1(-|$)|qwq|magistral|grok-(3-mini|4)",
    re.IGNORECASE,
)
"""Names of models that reason unless told otherwise, as their makers call them (2026)."""
_LONGER = 8.0
"""A thinker of today is silent for up to two minutes; the usual patience is for models that answer at once."""


def deadlines_for(options: DeadlineOptions, body: Json, model: str) -> DeadlineOptions:
    """The deadlines of one call. `body` is the request in any of the chat shapes, `model` the name at the provider."""
    if not _thinks(body, model):
        return options
    return msgspec.structs.replace(
        options,
        first_token=min(options.first_token * _LONGER, options.total),
        answer=max(options.answer, min(options.answer * _LONGER, options.total)),
        idle=min(options.idle * 3, options.total),
    )


def _thinks(body: Json, model: str) -> bool:
    effort = body.get("reasoning_effort")
    reasoning = body.get("reasoning")
    if effort is None and isinstance(reasoning, dict):
        effort = reasoning.get("effort")
    if isinstance(effort, str):
        return effort not in ("none", "minimal")
    thinking = body.get("thinking")
    if isinstance(thinking, dict):
        return thinking.get("type") in ("enabled", "adaptive")
    return _THINKERS.search(model) is not None
