"""The knowledge base: entries, search, and the words a recogniser should expect."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from mrblue_cli.core.errors import ConfigError, UsageError
from mrblue_cli.knowledge.index import Index, common_terms
from mrblue_cli.knowledge.loader import Loaded, bundled_folder, load_folder
from mrblue_cli.knowledge.model import Entry, SearchResult
from mrblue_cli.knowledge.retrieval import search


class KnowledgeBase:
    """Immutable once built; safe to share between threads."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._index = Index(entries)
        self._by_id = {entry.id: entry for entry in self._index.entries}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, by id."""
        return self._index.entries

    @property
    def categories(self) -> dict[str, int]:
        """Category to number of entries."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.category] = counts.get(entry.category, 0) + 1
        return dict(sorted(counts.items()))

    def entry(self, entry_id: str) -> Entry:
        """The entry with this id; raises `UsageError`."""
        try:
            return self._by_id[entry_id]
        except KeyError:
            near = search(self._index, entry_id.replace("/", " ").replace("-", " "), top=1).hits
            hint = f"did you mean {near[0].entry.id}?" if near else "list them with: mrblue kb list"
            raise UsageError(f"no entry '{entry_id}' in the knowledge base", hint=hint) from None

    def search(self, text: str, *, top: int = 3) -> SearchResult:
        """Find what fits a pasted or spoken text, also a partial one."""
        return search(self._index, text, top=top)

    def vocabulary(self) -> tuple[str, ...]:
        """Phrases and words to expect in speech, the most useful first: a spoken form of every category in turn."""
        by_category: dict[str, list[str]] = {}
        for entry in self.entries:
            spoken = min(entry.spoken, key=len, default="")
            by_category.setdefault(entry.category, []).append(spoken.replace("{", "").replace("}", ""))
        rounds = zip_longest(*(sorted(phrases, key=len) for phrases in by_category.values()), fillvalue="")
        phrases = dict.fromkeys(phrase for turn in rounds for phrase in turn if phrase)
        return (*phrases, *common_terms(self._index))


def load_base(user_folders: Iterable[Path] = ()) -> KnowledgeBase:
    """Load the bundled entries and the user's own; theirs win by id. Raises `ConfigError` with the first fault."""
    merged: dict[str, Entry] = {}
    for folder in (bundled_folder(), *user_folders):
        loaded = load_folder(folder)
        _refuse_faults(loaded, folder)
        merged.update({entry.id: entry for entry in loaded.entries})
    return KnowledgeBase(entry for _, entry in sorted(merged.items()))


def _refuse_faults(loaded: Loaded, folder: Path) -> None:
    errors = [fault for fault in loaded.faults if fault.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConfigError(f"{errors[0]}{more}", hint=f"see all of them with: mrblue kb lint {folder}")
