"""What the Claude models accept, told from their names: each family since 4.6 took something away.

Source: Anthropic's migration guide and its pages on adaptive thinking, effort, structured outputs (November 2026).
"""

from __future__ import annotations

import re

import msgspec

_VERSION = re.compile(r"claude-(?:[a-z]+-)*?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)")
_OLD = re.compile(r"claude-(?:v|instant)")


class Claude(msgspec.Struct, frozen=True, kw_only=True):
    """One model's ways."""

    prefill: bool
    """A last assistant message is continued. Since 4.6 it is answered with 400."""
    adaptive: bool
    """Thinks as much as it finds right (`thinking.type: adaptive`) and takes an effort; since 4.6."""
    budget: bool
    """Thinks within a budget of tokens; 3.7 to 4.5, and 4.6 as a thing of the past."""
    sampling: bool
    """Takes temperature and top_p; not since Opus 4.7."""
    one_sampler: bool
    """Takes either temperature or top_p, not both; since 4.1."""
    schema: bool
    """Holds to a JSON schema by itself (`output_config.format`); since 4.5."""
    extra_effort: bool
    """Knows the effort `xhigh`."""
    output: int
    """Tokens to ask for when nobody says how many; the API insists on a number."""


def version(model: str) -> tuple[int, int]:
    """(major, minor) in a name such as claude-3-5-sonnet-20241022, claude-opus-4-1 or claude-sonnet-4-20250514.

    A name without a number is taken for the newest: what new models refuse, old ones can do without.
    """
    found = _VERSION.search(model.lower())
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return (1, 0) if _OLD.search(model.lower()) else (99, 0)


def claude(model: str) -> Claude:
    """The model's ways."""
    at = version(model)
    return Claude(
        prefill=at < (4, 6),
        adaptive=at >= (4, 6),
        budget=(3, 7) <= at < (4, 6),
        sampling=at < (4, 7),
        one_sampler=at >= (4, 1),
        schema=at >= (4, 5),
        extra_effort=at >= (4, 7),
        output=4096 if at < (3, 5) else 8192,
    )
