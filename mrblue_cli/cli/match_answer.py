"""What `mrblue match` found, before it becomes a table, JSON, CSV or a page; and how people are called in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import msgspec

from mrblue_cli.app.match import Case, Lists
from mrblue_cli.app.match_floor import Balanced, Couple, Dance, Paired, Rotated
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.matcher.criteria.base import listed
from mrblue_cli.matcher.model import Leads, Pair, Role
from mrblue_cli.matcher.scoring import reason

HONESTY = (
    "The score says how well stated facts fit, not chemistry: questionnaires did not predict who is drawn to whom "
    "(Joel, Eastwick & Finkel 2017)."
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One of the results, by mode."""

    case: Case
    mode: Mode
    top: int
    lists: Lists | None = None
    paired: Paired | None = None
    rotated: Rotated | None = None
    balanced: Balanced | None = None
    pair: Pair | None = None

    @cached_property
    def _shared(self) -> frozenset[str]:
        """Names that several people have."""
        counts = Counter(self.case.community.names)
        return frozenset(name for name, count in counts.items() if count > 1)

    def called(self, row: int) -> str:
        """A person in a table: the name, with the id where the name alone would not tell."""
        community = self.case.community
        name, identity = community.names[row], community.ids[row]
        if not name:
            return clean(identity)
        return clean(f"{name} ({identity})" if name in self._shared and name != identity else name)

    def full(self, row: int) -> str:
        """A person with their id."""
        name, identity = self.case.community.names[row], self.case.community.ids[row]
        return clean(f"{name} ({identity})" if name and name != identity else identity)

    def couples(self, dance: Dance) -> list[Couple]:
        """The couples of a dance as a person looks them up: by the name of who leads."""
        return sorted(dance.couples, key=lambda couple: [name.casefold() for name in self.names(couple)])

    def names(self, couple: Couple) -> tuple[str, str]:
        """Who leads and who follows; a star marks two who may swap."""
        leader = couple.left if couple.leader is None else couple.leader
        follower = couple.right if leader == couple.left else couple.left
        star = "*" if couple.leader is None else ""
        return f"{self.called(leader)}{star}", f"{self.called(follower)}{star}"

    @property
    def tonight(self) -> str:
        """Who of those who dance both roles leads tonight, where roles were fixed."""
        if self.balanced is None or not self.balanced.chosen:
            return ""
        found = []
        for role, word in ((Role.LEADER, "lead"), (Role.FOLLOWER, "follow")):
            names = [self.called(row) for row in self.balanced.chosen if self.balanced.roles[row] is role]
            if names:
                found.append(f"{listed(names)} {word}{'s' if len(names) == 1 else ''}")
        return f"of those who dance both, {'; '.join(found)}"

    def leader(self, pair: Pair) -> str:
        """Who leads, as a table says it."""
        if pair.leads in {Leads.A, Leads.B}:
            return self.called(self.case.community.rows[pair.a if pair.leads is Leads.A else pair.b])
        return "either" if pair.leads is Leads.EITHER else "nobody can"


def reason_of(pair: Pair) -> str:
    """The reason in one line, beside a column that says who leads: the role is told only where it costs points."""
    role = pair.breakdown["role"]
    if role.score != 100:
        return clean(reason(pair))
    quiet = {**pair.breakdown, "role": msgspec.structs.replace(role, brief="")}
    return clean(reason(msgspec.structs.replace(pair, breakdown=quiet)))


def nobody(people: int) -> str:
    """Why there is no pair at all."""
    if people == 0:
        return "There is nobody who takes part."
    if people == 1:
        return "One person alone has nobody to dance with."
    return (
        "Nobody here can dance with anybody: there is no leader for a follower, or those who could must not meet "
        "(blocked, --strict)."
    )


def clean(text: str) -> str:
    """Names come from files: nothing that a terminal would obey, nothing that breaks a line."""
    return "".join(character if character.isprintable() else "�" for character in text)


def many(count: int, what: str) -> str:
    """`1 person`, `2 people`, `3 pairs`."""
    plural = {"person": "people"}.get(what, f"{what}s")
    return f"{count:,} {what if count == 1 else plural}"


def two(value: float | None) -> str:
    """A score as it is printed: the rounded number that also makes the label."""
    return "-" if value is None else f"{value:.2f}"
