"""The knowledge base: entries, search, and the words a recogniser should expect."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mrblue_cli.core.errors import ConfigError, UsageError
from mrblue_cli.knowledge.compiled import Index, build, common_terms
from mrblue_cli.knowledge.detect import spoken_families
from mrblue_cli.knowledge.model import Entry, SearchResult
from mrblue_cli.knowledge.places import bundled_folder
from mrblue_cli.knowledge.retrieval import search
from mrblue_cli.knowledge.store import read, stamp, write

if TYPE_CHECKING:
    from mrblue_cli.knowledge.loader import Loaded


class KnowledgeBase:
    """Immutable once built; safe to share between threads."""

    def __init__(self, entries: Iterable[Entry] = (), *, index: Index | None = None) -> None:
        self._index = build(entries) if index is None else index

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._index.size

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, by id."""
        return tuple(self._index.entry(number) for number in range(self._index.size))

    @property
    def categories(self) -> dict[str, int]:
        """Category to number of entries."""
        counts = Counter(self._index.category(number) for number in range(self._index.size))
        return dict(sorted(counts.items()))

    def entry(self, entry_id: str) -> Entry:
        """The entry with this id; raises `UsageError`."""
        for number in range(self._index.size):
            if self._index.name(number) == entry_id:
                return self._index.entry(number)
        import difflib

        near = difflib.get_close_matches(entry_id, [self._index.name(n) for n in range(self._index.size)], 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "list them with: mrblue kb list"
        raise UsageError(f"no entry '{entry_id}' in the knowledge base", hint=hint)

    def search(self, text: str, *, top: int = 3) -> SearchResult:
        """Find what fits a pasted or spoken text, also a partial one."""
        return search(self._index, text, top=top)

    def vocabulary(self) -> tuple[str, ...]:
        """Phrases and words to expect in speech: how people put the families of errors, then what the base talks of."""
        return (*spoken_families(), *common_terms(self._index))


def load_base(user_folders: Iterable[Path] = (), *, cache: Path | None = None) -> KnowledgeBase:
    """The bundled entries and the user's own; theirs win by id.

    `cache` is a folder in which the compiled index is kept for later processes. Raises `ConfigError` with the first
    fault of an entry.
    """
    folders = (bundled_folder(), *user_folders)
    if cache is None:
        return KnowledgeBase(_merged(folders))
    wanted = stamp(folders)
    path = cache / f"index-{zlib.crc32(chr(10).join(map(str, folders)).encode()):08x}.bin"
    index = read(path, wanted)
    if index is None:
        index = build(_merged(folders))
        write(path, wanted, index)
    return KnowledgeBase(index=index)


def _merged(folders: Iterable[Path]) -> list[Entry]:
    from mrblue_cli.knowledge.loader import load_folder  # YAML is read only when an index has to be built

    merged: dict[str, Entry] = {}
    for folder in folders:
        loaded = load_folder(folder)
        _refuse_faults(loaded, folder)
        merged.update({entry.id: entry for entry in loaded.entries})
    return [entry for _, entry in sorted(merged.items())]


def _refuse_faults(loaded: Loaded, folder: Path) -> None:
    errors = [fault for fault in loaded.faults if fault.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConfigError(f"{errors[0]}{more}", hint=f"see all of them with: mrblue kb lint {folder}")
