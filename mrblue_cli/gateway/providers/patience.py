"""How long a provider asks us to wait, in seconds, from any of the ways in which they say it."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping
from datetime import datetime

LONGEST = 31 * 86_400.0
"""Seconds. What is beyond it is a mistake, or an address of time in another unit."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h|d)")
_SAID = re.compile(
    r"(?i)(?:try again in|retry(?:ing)?(?: after| in)|please wait)\s+"
    r"((?:\d+(?:\.\d+)?\s*(?:milliseconds?|seconds?|minutes?|hours?|ms|[smhd])\s*)+)"
)
_RESETS = (  # (what is left, when it comes back)
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)


def span(text: str) -> float | None:
    """Seconds of a length of time such as `7.66s`, `1m30s`, `120ms` or `36`; None when it is none."""
    text = text.strip().lower()
    if re.fullmatch(r"\d{1,15}(?:\.\d{1,12})?", text):
        return float(text)
    parts = _SPAN.findall(text)
    if not parts or _SPAN.sub("", text).strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def patience(headers: Mapping[str, str], message: str = "") -> float | None:
    """Seconds to wait: `retry-after-ms`, `retry-after` (RFC 9110, 10.2.3), limits that ran out, or what the text says.

    A date is measured against the answer's own `date` header, so that nobody's clock matters.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        number = span(headers.get(name, ""))
        if number is not None:
            return _sane(number / 1000)
    asked = headers.get("retry-after", "")
    if asked:
        number = span(asked)
        return _sane(number if number is not None else _until(asked, headers))
    spent = [when for left, when in _RESETS if headers.get(left, "").strip() == "0"]
    known = [wait for when in spent if (wait := _reset(headers.get(when, ""), headers)) is not None]
    if known:
        return max(known)
    return _from_text(message)


def _sane(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or seconds > LONGEST:
        return None
    return max(0.0, seconds)


def _moment(text: str) -> float | None:
    """Unix seconds of an HTTP date or of ISO 8601 (which Anthropic uses)."""
    for parse in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if moment.tzinfo is not None:
            return moment.timestamp()
    return None


def _until(text: str, headers: Mapping[str, str]) -> float | None:
    then, now = _moment(text), _moment(headers.get("date", ""))
    return None if then is None or now is None else then - now


def _reset(text: str, headers: Mapping[str, str]) -> float | None:
    number = span(text)
    if number is None:
        return _sane(_until(text, headers))
    if number > LONGEST:  # OpenRouter gives Unix milliseconds, others Unix seconds
        now = _moment(headers.get("date", ""))
        return None if now is None else _sane(number / (1000 if number > LONGEST * 10_000 else 1) - now)
    return _sane(number)


def _from_text(message: str) -> float | None:
    found = _SAID.search(message[:4000])
    if found is None:
        return None
    words = re.sub(r"\s+", "", found[1].lower())
    for long, unit in (("milliseconds?", "ms"), ("seconds?", "s"), ("minutes?", "m"), ("hours?", "h")):
        words = re.sub(rf"(?<=\d){long}", unit, words)
    return _sane(span(words))
