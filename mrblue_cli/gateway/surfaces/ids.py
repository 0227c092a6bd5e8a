"""Ids of one surface from the id of another: the same chat answer always gets the same ids, without randomness."""

from __future__ import annotations

import re

OURS = "mrb_"
"""Marks ids of responses and their items that we made: no provider has them stored."""

_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_PREFIX = re.compile(r"^(?:chatcmpl|msg|resp|gen|cmpl)[-_]")


def seed(chat_id: object) -> str:
    """The telling part of a chat completion's id, safe inside another id; never empty."""
    name = chat_id if isinstance(chat_id, str) else ""
    return _ODD.sub("", _PREFIX.sub("", name))[:80] or "0"
