"""What can be told while the words are still arriving: the error's type, candidates, how sure we are."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.assistant.spanish_errors import in_english
from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.base import KnowledgeBase
from mrblue_cli.knowledge.detect import detect
from mrblue_cli.knowledge.model import Hit, for_platform

_SURE = 0.8


@dataclass(frozen=True, slots=True)
class Reasoned:
    """What is new since the last words: thoughts to add, hits to show (best first; None: unchanged)."""

    thoughts: tuple[Thought, ...]
    hits: tuple[Hit, ...] | None


class Reasoner:
    """Follows one person's words, item by item, and never repeats itself."""

    def __init__(self, base: KnowledgeBase, *, top: int = 3, platform: str | None = None) -> None:
        self._base = base
        self._platform = platform
        self._top = top
        self._item = ""
        self._told: set[str] = set()
        self._shown: tuple[tuple[str, int], ...] = ()
        self._words = 0

    def hear(self, item_id: str, text: str, *, final: bool) -> Reasoned:
        """Take the whole text of an item so far."""
        if item_id != self._item:
            self._item, self._told, self._shown, self._words = item_id, set(), (), 0
        count = len(text.split())
        if not final and count - self._words < 2:
            return Reasoned((), None)
        self._words = count
        thoughts: list[Thought] = []
        if final:
            thoughts.append(
                Thought(
                    "understanding", tell("heard 1 word") if count == 1 else tell("heard {count} words", count=count)
                )
            )
        text = in_english(text)
        kind = detect(text)
        if kind is not None:
            thoughts.append(Thought("analysing", tell("type: {kind}", kind=kind.name), 0.9 if final else 0.7))
        result = self._base.search(text, top=self._top)
        if result.confident and (final or result.hits[0].confidence >= _SURE):
            thoughts.append(self._candidates(result.hits))
        elif final:
            thoughts.append(Thought("analysing", self._unsure(result.hits), 0.0))
        # Half a sentence may look like another error: until it is whole, only the sure ones are shown.
        shown_from = 0.0 if final else _SURE
        hits = tuple(
            for_platform(hit, self._platform)
            for hit in result.hits
            if result.confident and hit.confidence >= shown_from
        )
        shown = tuple((hit.entry.id, round(hit.confidence * 100)) for hit in hits)
        changed = shown != self._shown
        self._shown = shown
        fresh = tuple(thought for thought in thoughts if thought.text not in self._told)
        self._told.update(thought.text for thought in fresh)
        return Reasoned(fresh, hits if (changed or final) and hits else None)

    @staticmethod
    def _candidates(hits: tuple[Hit, ...]) -> Thought:
        count = len(hits)
        best = hits[0]
        share, title = f"{best.confidence:.0%}", best.entry.title
        if count == 1:
            text = tell("1 candidate, best {share}: {title}", share=share, title=title)
        else:
            text = tell("{count} candidates, best {share}: {title}", count=count, share=share, title=title)
        return Thought("analysing", text, best.confidence)

    @staticmethod
    def _unsure(hits: tuple[Hit, ...]) -> str:
        if not hits:
            return tell("no entry fits well enough")
        return tell("no entry fits well enough, best {share}", share=f"{hits[0].confidence:.0%}")
