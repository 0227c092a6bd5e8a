"""The recogniser's prompt: which words to expect. Built with care, since it can hurt as well.

A prompt full of camel case teaches the decoder to run words together ("NosePaceLiftOnDevice"); one that is too long
slows every pass. So: plain spoken phrases first, as a person would say them, then few identifiers, bounded in length.
`bench/stt_words.py` measures words with and without it.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_CHARS = 600
_NAMES = (
    "EADDRINUSE", "EACCES", "npm", "CORS", "Docker daemon", "PostgreSQL", "JWT", "nginx", "kubectl",
    "ModuleNotFoundError",
)  # fmt: skip


def recogniser_prompt(phrases: Iterable[str], *, limit: int = MAX_CHARS) -> str:
    """A prompt of whole phrases, at most `limit` characters; the decoder weighs its end most, names stand there."""
    tail = f"{', '.join(_NAMES)}."
    taken: list[str] = []
    used = len(tail)
    for phrase in phrases:
        clean = " ".join(phrase.replace("_", " ").split())
        if " " not in clean or clean in taken:
            continue
        if used + len(clean) + 2 > limit:
            break
        taken.append(clean)
        used += len(clean) + 2
    return f"{', '.join(taken)}. {tail}" if taken else tail
