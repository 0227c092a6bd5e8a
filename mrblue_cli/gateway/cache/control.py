"""The client's word on caching: the request's `cache-control` header (RFC 9111, section 5.2.1). PURE."""

from __future__ import annotations

import msgspec


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a request allows."""

    read: bool = True
    """False: `no-cache`, a fresh answer is wanted (and may be kept)."""
    write: bool = True
    """False: `no-store`, nothing of this exchange is kept. We do not look it up either."""
    max_age: float | None = None
    """Seconds an answer may be old."""
    only_if_cached: bool = False
    """A kept answer or none."""

    def accepts(self, stored_at: float, now: float) -> bool:
        """Whether an answer of that time (Unix seconds) is young enough."""
        return self.max_age is None or now - stored_at <= self.max_age


PLAIN = Control()


def read_control(header: str) -> Control:
    """Parse the header. Unknown directives are ignored, an unreadable or doubled `max-age` is strict."""
    if not header:
        return PLAIN
    read, write, only, max_age = True, True, False, None
    for directive in header.split(","):
        name, _, value = directive.partition("=")
        match name.strip().lower():
            case "no-cache":
                read = False
            case "no-store":
                write = False
            case "only-if-cached":
                only = True
            case "max-age":
                seconds = _seconds(value)
                max_age = seconds if max_age is None else min(max_age, seconds)
    return Control(read=read, write=write, max_age=max_age, only_if_cached=only)


def _seconds(value: str) -> float:
    """Delta-seconds, quoted or not. What cannot be read counts as 0: then nothing is young enough."""
    digits = value.strip().strip('"')
    return float(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0.0
