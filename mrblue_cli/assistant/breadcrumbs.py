"""What the person did last: the newest fifty steps in one small file, secrets taken out before they are written."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrblue_cli.assistant.redact import redact

KEPT = 50
_MAX_TEXT = 4_000
_LATEST = 253_000_000_000.0
"""The year 9987: later than that no calendar here can show."""


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    """One step."""

    place: str
    """The working directory."""
    action: str
    """What was done: `command` (by the shell hook), `run` (by `mrblue run`)."""
    time: float
    """Seconds since 1970, when it ended."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """`command`, `status`, and where known `seconds`, `branch`, `output` (its last lines)."""

    @property
    def command(self) -> str:
        """What was typed."""
        return str(self.metadata.get("command", ""))

    @property
    def status(self) -> int:
        """The exit status; 0 when it is not known."""
        value = self.metadata.get("status", 0)
        return value if isinstance(value, int) else 0

    @property
    def failed(self) -> bool:
        """Neither done nor interrupted by the person (130 is Ctrl-C, 148 is Ctrl-Z)."""
        return self.status not in {0, 130, 148}


class Breadcrumbs:
    """The file. Readers never see half a line; two shells that write at once both leave their step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def latest(self) -> tuple[Breadcrumb, ...]:
        """What is kept, oldest first; damaged lines are left out."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ()
        found = (_parsed(line) for line in text.split("\n"))
        return tuple(crumb for crumb in found if crumb is not None)[-KEPT:]

    def last_failed(self) -> Breadcrumb | None:
        """The newest step that failed, also when others went well after it."""
        for crumb in reversed(self.latest()):
            if crumb.failed:
                return crumb
        return None

    def add(self, crumb: Breadcrumb) -> None:
        """Append a step, redacted; keeps the newest fifty. Raises `OSError` when the file cannot be written."""
        clean = {
            name: _cut(redact(value)) if isinstance(value, str) else value for name, value in crumb.metadata.items()
        }
        row = {"place": redact(crumb.place), "action": crumb.action, "time": round(crumb.time, 3), "metadata": clean}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self._path.with_suffix(".lock")):
            lines = [json.dumps(_row(kept), ensure_ascii=False) for kept in self.latest()[-(KEPT - 1) :]]
            lines.append(json.dumps(row, ensure_ascii=False))
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name, suffix=".new")
            try:
                # Names of files need not be Unicode: what cannot be written becomes a question mark.
                with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                    file.write("\n".join(lines) + "\n")
                Path(temporary).replace(self._path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise

    def clear(self) -> None:
        """Forget everything."""
        self._path.unlink(missing_ok=True)


def _row(crumb: Breadcrumb) -> dict[str, Any]:
    return {"place": crumb.place, "action": crumb.action, "time": crumb.time, "metadata": dict(crumb.metadata)}


def _parsed(line: str) -> Breadcrumb | None:
    try:
        row = json.loads(line)
        metadata = row["metadata"]
        if not isinstance(metadata, dict):
            return None
        time = float(row["time"])
        if not 0 <= time < _LATEST:
            return None
        return Breadcrumb(str(row["place"]), str(row["action"]), time, metadata)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _cut(text: str) -> str:
    """The end of a long text: that is where errors stand."""
    return text if len(text) <= _MAX_TEXT else text[-_MAX_TEXT:]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, where the platform has advisory locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
