"""What a score is made of: which algorithm fills each slot, with which weight. PURE. Reference section 1."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.criteria.time import SESSION_MINUTES

Missing = Literal["half", "drop"]
"""An unknown criterion counts 50, or its weight is shared among the known ones (Gower 1971)."""


class Slot(msgspec.Struct, frozen=True):
    """One place in the score."""

    families: tuple[str, ...]
    """Families of the catalogue that may fill it."""
    entry: str
    """What fills it unless told otherwise."""
    weight: float
    always: bool = True
    """Shown in every breakdown, also with weight 0."""
    parameters: Mapping[str, Any] = {}


SLOTS: dict[str, Slot] = {
    "role": Slot(("role",), "role.orient", 0.40),
    "level": Slot(("level",), "level.table", 0.30),
    "location": Slot(("geo",), "geo.half", 0.15),
    "style": Slot(("set",), "set.jaccard", 0.10, parameters={"of": "styles"}),
    "schedule": Slot(("time",), "time.enough", 0.05),
    "music": Slot(("taste", "set"), "taste.ruzicka", 0.0, parameters={"of": "music"}),
    "age": Slot(("age",), "age.window", 0.0),
    # What people ask of each other; a hard filter with --strict. A formula of the project, not an entry of the
    # catalogue.
    "wishes": Slot((), "wishes", 0.0, always=False),
    # Leaders and followers who never change roles share no partners: hist.adamic would be 0 for nearly every pair.
    "history": Slot(("hist",), "hist.rcf", 0.0, always=False),
    "preference": Slot(("pref",), "pref.recon", 0.0, always=False),
    "mixed": Slot(("mix",), "mix.gower", 0.0, always=False),
}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One slot as filled."""

    slot: str
    entry: str
    weight: float
    """After rescaling: the weights of a recipe sum to 1."""
    parameters: Mapping[str, Any] = {}


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How to score. Made by `make_recipe`."""

    choices: tuple[Choice, ...]
    """In the order of `SLOTS`, which is the order of summation."""
    missing: Missing = "half"
    fuse: str = "two.harmonic"
    """How two directed views become one score."""
    aggregate: str = "agg.mean"
    strict: bool = False
    """Wishes exclude."""

    def weight(self, slot: str) -> float:
        """The weight of a slot; 0 for one that is not there."""
        return next((choice.weight for choice in self.choices if choice.slot == slot), 0.0)


def make_recipe(
    weights: Mapping[str, float] | None = None,
    entries: Mapping[str, str] | None = None,
    *,
    missing: Missing = "half",
    fuse: str = "two.harmonic",
    aggregate: str = "agg.mean",
    strict: bool = False,
    session_minutes: float = SESSION_MINUTES,
    has_history: bool = True,
) -> Recipe:
    """The baseline with these weights and entries in place of its own, weights rescaled to sum to 1.

    `weights` and `entries` go by slot. Raises `UsageError` that names what is wrong and what would do.
    """
    given, chosen = dict(weights or {}), dict(entries or {})
    for slot in (*given, *chosen):
        if slot not in SLOTS:
            raise UsageError(f"there is no criterion '{slot}'", hint=_nearest(slot, SLOTS))
    raw = {slot: float(given.get(slot, spec.weight)) for slot, spec in SLOTS.items()}
    for slot, weight in raw.items():
        if not math.isfinite(weight) or weight < 0:
            raise UsageError(f"the weight of {slot} is {weight:g}", hint="weights are 0 or more, for example music=0.1")
    if not 0 < session_minutes < math.inf:
        raise UsageError(
            f"a session of {session_minutes:g} minutes", hint="a session has more than 0 minutes: 120, say"
        )
    total = sum(raw.values())
    if not 0 < total < math.inf:
        raise UsageError("all weights are 0", hint="give at least one criterion weight, for example --weight level=1")
    if fuse not in {entry.name for entry in registry.family("two")}:
        raise UsageError(f"there is no way to fuse two views named '{fuse}'", hint="see: mrblue match algorithms two")
    aggregator = _aggregator(aggregate)
    if missing == "drop" and aggregate != "agg.mean":
        raise UsageError(f"--missing drop goes with agg.mean, not with {aggregate}", hint="leave one of the two out")
    if aggregator.needs_history and not has_history:
        raise UsageError(f"{aggregate} learns from who danced with whom", hint="give people a 'history' in the file")
    choices = []
    for slot, spec in SLOTS.items():
        entry = chosen.get(slot, spec.entry)
        if raw[slot] == 0 and not spec.always and slot not in chosen:
            continue
        parameters = _parameters(slot, entry, spec, session_minutes, has_history=has_history)
        choices.append(Choice(slot=slot, entry=entry, weight=raw[slot] / total, parameters=parameters))
    return Recipe(choices=tuple(choices), missing=missing, fuse=fuse, aggregate=aggregate, strict=strict)


def _aggregator(name: str) -> registry.Entry:
    for entry in registry.family("agg"):
        if entry.name == name:
            return entry
    raise UsageError(f"there is no aggregation named '{name}'", hint="see: mrblue match algorithms agg")


def _parameters(slot: str, name: str, spec: Slot, session_minutes: float, *, has_history: bool) -> dict[str, Any]:
    if not spec.families:
        if name != spec.entry:
            raise UsageError(f"{slot} has one formula, not '{name}'", hint=f"leave --{slot} out")
        return {}
    try:
        entry = registry.find(name)
    except KeyError:
        known = [other.name for family in spec.families for other in registry.family(family)]
        raise UsageError(f"there is no algorithm named '{name}'", hint=_nearest(name, known)) from None
    if entry.family not in spec.families:
        raise UsageError(
            f"{name} cannot fill {slot}", hint=f"it takes {' or '.join(f'{family}.*' for family in spec.families)}"
        )
    if entry.needs_history and not has_history:
        raise UsageError(f"{name} needs to know who danced with whom", hint="give people a 'history' in the file")
    wanted = {**spec.parameters, "session_minutes": session_minutes}
    return {key: value for key, value in wanted.items() if key in entry.parameters}


def _nearest(word: str, known: Mapping[str, Any] | list[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}? see: mrblue match algorithms" if near else f"there are: {', '.join(known)}"
