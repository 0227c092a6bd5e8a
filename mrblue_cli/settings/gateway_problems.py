"""What is wrong with a gateway's configuration, or worth knowing: collected, so that one look shows all of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mrblue_cli.core.errors import ConfigError

MOST = 20
"""Problems listed at once."""
_SHOWN = 40
_NEAR = 0.6
# Beginnings that providers give their keys, and runs of letters and digits too long to be a name.
_SECRET = re.compile(r"(?i)\b(sk|gsk|xai|pk|rk|mrb|hf|key|co)[-_][a-z0-9]|AIza|bearer\s|eyJ|[A-Za-z0-9_+/=]{28,}")


class Problem(msgspec.Struct, frozen=True):
    """Something that makes the configuration unusable."""

    path: str
    """Where: `providers[1].models[0].max_tokens`, or the name of an environment variable."""
    text: str
    hint: str = ""

    def line(self) -> str:
        """All of it in one line."""
        return f"{f'{self.path}: ' if self.path else ''}{self.text}{f' ({self.hint})' if self.hint else ''}"


class Note(msgspec.Struct, frozen=True):
    """Something that works, but perhaps not as meant."""

    path: str
    text: str
    warning: bool = False
    """True: something that was asked for will not work."""

    def line(self) -> str:
        """All of it in one line."""
        return f"{f'{self.path}: ' if self.path else ''}{self.text}"


class GatewayConfigError(ConfigError):
    """The configuration is refused whole; `problems` lists every reason found."""

    def __init__(self, where: str, problems: Iterable[Problem], *, hint: str = "") -> None:
        self.where = where
        """The file; empty: none."""
        self.problems = tuple(problems)
        first = f"{where}: " if where else ""
        if len(self.problems) == 1:
            only = self.problems[0]
            what = f"{first}{f'{only.path}: ' if only.path else ''}{only.text}"
            hint = only.hint or hint
        else:
            shown = [f"\n    {problem.line()}" for problem in self.problems[:MOST]]
            more = len(self.problems) - MOST
            tail = f"\n    … and {more} more" if more > 0 else ""
            what = f"{first}{len(self.problems)} things are wrong{''.join(shown)}{tail}"
        super().__init__(what, hint=hint or "correct them; every option is explained in docs/gateway.md")


class Findings:
    """Collects problems and notes while a configuration is read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[Note] = []

    def problem(self, path: str, text: str, hint: str = "") -> None:
        """Something is wrong at `path`; reading goes on."""
        self.problems.append(Problem(path, text, hint))

    def note(self, path: str, text: str, *, warning: bool = False) -> None:
        """Something worth knowing."""
        self.notes.append(Note(path, text, warning))

    def raise_any(self, file: Path | None) -> None:
        """Raise `GatewayConfigError` when there is a problem."""
        if self.problems:
            raise GatewayConfigError(str(file) if file else "", self.problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest valid name, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=_NEAR)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known here: {', '.join(names)}" if names else ""


def looks_secret(text: str) -> bool:
    """Whether a text may be a key, so that it is neither taken from a file nor shown."""
    return _SECRET.search(text) is not None


def safe_name(key: str) -> str:
    """A key's name for an error message: it may be a secret in the wrong place, or move the cursor."""
    if looks_secret(key) or not key.isprintable() or len(key) > 2 * _SHOWN:
        return "a key"
    return key or "''"


def shown(value: object) -> str:
    """A value for an error message: short, printable, and never a secret."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) and looks_secret(value):
        return "a text that looks like a secret"
    try:
        text = repr(str(value)) if isinstance(value, str) else str(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number beyond all bounds"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
