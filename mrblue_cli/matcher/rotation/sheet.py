"""From pairs to the sheet that hangs on the wall: order of tandas, couples, who leads, who sits out, the note. PURE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation, Tanda
from mrblue_cli.matcher.rotation.leading import share_the_lead
from mrblue_cli.matcher.rotation.room import Couples, Mask, Pairs, leading

_MOST_NAMED = 5
_GROUPS = {Role.LEADER.value: "leaders", Role.FOLLOWER.value: "followers", Role.BOTH.value: "people of both roles"}


def arrange(classes: Sequence[Pairs], floor: Floor) -> list[Pairs]:
    """Tandas that may come in any order, in the one order we give them.

    The strongest comes first; each next one is that in which the fewest of those who just sat out sit out again, among
    equals the stronger, then the one with the smaller rows. Pairs are rows of the floor.
    """
    left = sorted((sorted(pairs) for pairs in classes), key=lambda pairs: (-total(pairs, floor), pairs))
    everyone = {row for pairs in left for pair in pairs for row in pair}
    done: list[Pairs] = []
    waiting: set[int] = set()
    while left:
        again = [len(waiting - {row for pair in pairs for row in pair}) for pairs in left]
        done.append(left.pop(again.index(min(again))))
        waiting = everyone - {row for pair in done[-1] for row in pair}
    return done


def total(pairs: Pairs, floor: Floor) -> float:
    """The sum of scores, added in one order."""
    return float(sum(floor.scores[a, b] for a, b in sorted(pairs)))


def sheet(floor: Floor, plan: Sequence[Pairs], couples: Couples, tandas: int, notes: Sequence[str] = ()) -> Rotation:
    """The rotation. `plan`: for each tanda the pairs that change, as rows of the floor; `tandas`: how many were wanted.

    An empty plan with couples means that nobody else can dance: the couples do, in every tanda.
    """
    if not plan and couples:
        plan = [[] for _ in range(tandas)]
    may = leading(floor)
    led = share_the_lead(plan, may)
    made = []
    for number, pairs in enumerate(led):
        danced = sorted([*pairs, *(_turn(may, couple, number) for couple in couples)])
        busy = {row for pair in danced for row in pair}
        made.append(Tanda(pairs=tuple(danced), sits_out=tuple(row for row in range(len(floor)) if row not in busy)))
    said = [_early(len(made), tandas), *notes, uneven(floor, plan, couples)]
    return Rotation(tandas=tuple(made), note="; ".join(part for part in said if part))


def _turn(may: Mask, couple: tuple[int, int], number: int) -> tuple[int, int]:
    """Who leads in a couple kept together: by role or level, in turns if either may, the smaller row first."""
    a, b = couple
    return (a, b) if may[a, b] and (not may[b, a] or number % 2 == 0) else (b, a)


def _early(made: int, tandas: int) -> str:
    if made >= tandas:
        return ""
    if made == 0:
        return "nobody here can dance with anybody else"
    return f"stops after {made} of {tandas} tandas: more would bring nobody a new partner"


def sit_outs(floor: Floor, plan: Sequence[Pairs], couples: Couples) -> dict[int, int]:
    """How often each person who is not in a couple kept together sits out."""
    kept = {row for pair in couples for row in pair}
    danced = Counter(row for pairs in plan for pair in pairs for row in pair)
    return {row: len(plan) - danced[row] for row in range(len(floor)) if row not in kept}


def uneven(floor: Floor, plan: Sequence[Pairs], couples: Couples) -> str:
    """Who sits out more often than once above the luckiest of the same role; empty if nobody does."""
    counts = sit_outs(floor, plan, couples)
    parts = []
    for role, group in _GROUPS.items():
        rows = [row for row in counts if floor.roles[row] == role]
        least = min((counts[row] for row in rows), default=0)
        most = sorted((row for row in rows if counts[row] > least + 1), key=lambda row: (-counts[row], row))
        if most:
            named = ", ".join(f"{floor.ids[row]} {counts[row]} times" for row in most[:_MOST_NAMED])
            more = f" and {len(most) - _MOST_NAMED} more" if len(most) > _MOST_NAMED else ""
            parts.append(f"{named}{more}, other {group} {_span(counts, rows, least)}")
    return "sit-outs are uneven, for want of possible partners: " + "; ".join(parts) if parts else ""


def _span(counts: dict[int, int], rows: list[int], least: int) -> str:
    top = max(counts[row] for row in rows if counts[row] <= least + 1)
    return f"{least}" if top == least else f"{least} or {top}"
