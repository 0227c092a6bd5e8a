"""What to tell the server about a reply that was cut off. Pure rules; source: OpenAI Realtime guide, interruption and
truncation, and reports of clients that got it wrong (named where they matter)."""

from __future__ import annotations

from dataclasses import dataclass

TAIL_MS = 100
"""Servers were seen to hold up to 85 ms less audio than they sent (pipecat#2106): stay this far from the end."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Truncate the item's audio at `audio_end_ms`; `heard_ms` is what was really played."""

    audio_end_ms: int
    heard_ms: int


def plan_cut(*, played_ms: int, received_ms: int, generation_finished: bool) -> Cut | None:
    """Decide the truncation of one stream of reply audio.

    None when there is nothing to cut: no audio was received, or all of it was played and no more is coming. A needless
    truncation makes the model repeat itself (openai-agents-python#2370), one beyond the end is refused (#4122), one at
    zero is valid when audio was received and none was played (#4457).
    """
    if received_ms <= 0:
        return None
    heard = min(max(0, played_ms), received_ms)
    if heard >= received_ms and generation_finished:
        return None
    end = min(heard, max(0, received_ms - TAIL_MS))
    return Cut(audio_end_ms=end, heard_ms=heard)


def heard_text(text: str, *, played_ms: int, received_ms: int) -> str:
    """Estimate the words that were heard: the share of the text that matches the share of audio played.

    Cuts at the end of a whole word, so that no half word stands in the transcript. Longer playing never hears less.
    """
    if received_ms <= 0 or played_ms <= 0:
        return ""
    if played_ms >= received_ms:
        return text.rstrip()
    limit = len(text) * played_ms // received_ms
    if limit >= len(text):
        return text.rstrip()
    while limit > 0 and not text[limit].isspace():
        limit -= 1
    return text[:limit].rstrip()
