"""Who danced with whom as a graph: what the history criteria share. PURE.

Dancing is mutual: two people danced together if either says so, as often as the one says who says more. People outside
the community are left out. Somebody with no such contact has no history: unknown, not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import Role, User

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Bools = npt.NDArray[np.bool_]
Contacts = tuple[dict[int, float], ...]
"""[people] row of each person danced with -> times."""
_CELLS = 1 << 22
"""Most numbers in one dense block of rows."""


def rows_of(community: Community, a: User, b: User) -> tuple[int, int]:
    """Where two people are. Raises `UsageError` for somebody who is not there."""
    for user in (a, b):
        if user.id not in community.rows:
            raise UsageError(f"{user.id} is not in this community", hint="score the two out of their file")
    return community.rows[a.id], community.rows[b.id]


def contacts(community: Community) -> Contacts:
    """The graph in its plain form, kept."""

    def make() -> Contacts:
        met: tuple[dict[int, float], ...] = tuple({} for _ in range(len(community)))
        for row in range(len(community)):
            counts = community.history_counts.row(row).tolist()
            for other, times in zip(community.history.row(row).tolist(), counts, strict=True):
                if other != row:
                    most = max(times, met[row].get(other, 0.0))
                    met[row][other] = met[other][row] = most
        return tuple(dict(sorted(known.items())) for known in met)

    return community.derived("contacts", make)


def graph(community: Community) -> csr_array:
    """[people, people] times danced together, symmetric, sorted, nothing on the diagonal; kept."""

    def make() -> csr_array:
        from scipy.sparse import csr_array

        n = len(community)
        owner = np.repeat(np.arange(n, dtype=np.int64), community.history.sizes)
        other, times = community.history.values.astype(np.int64), community.history_counts.values.astype(np.float64)
        apart = owner != other
        one_sided = csr_array((times[apart], (owner[apart], other[apart])), shape=(n, n))
        both = csr_array(one_sided.maximum(one_sided.T))
        both.sort_indices()
        return both

    return community.derived("contact graph", make)


def degrees(community: Community) -> Floats:
    """[people] how many people each one danced with."""
    return np.asarray(np.diff(graph(community).indptr), dtype=np.float64)


def ones(community: Community) -> csr_array:
    """The graph with each contact counted once, kept."""

    def make() -> csr_array:
        plain = graph(community).copy()
        plain.data = np.ones_like(plain.data)
        return plain

    return community.derived("contact ones", make)


def unmet(met: Contacts, community: Community, a: User, b: User) -> Score | None:
    """The unknown score when either danced with nobody here."""
    lacking = [called(user) for user in (a, b) if not met[community.rows[user.id]]]
    return Score(None, f"nobody is known to have danced with {listed(lacking)}") if lacking else None


def known_fast(community: Community, left: Ints, right: Ints) -> Bools:
    """[n] whether both danced with somebody here."""
    some = degrees(community) > 0
    return np.asarray(some[left] & some[right])


def shared(community: Community, met: Contacts, a: int, b: int) -> list[str]:
    """Names of those whom both danced with."""
    return [community.names[row] or community.ids[row] for row in sorted(met[a].keys() & met[b].keys())]


def some_of(names: list[str], most: int = 3) -> str:
    """A few names in words."""
    return listed(names[:most] + ([f"{len(names) - most} more"] if len(names) > most else []))


def picked(left: Ints, right: Ints, people: int, block: Callable[[Ints], Any]) -> Floats:
    """[n] entries (left[i], right[i]) of a matrix of which `block(rows)` gives whole rows, sparse or dense."""
    found = np.zeros(len(left))
    wanted, at = np.unique(left, return_inverse=True)
    order = np.argsort(at, kind="stable")
    step = max(1, _CELLS // max(1, people))
    for start in range(0, len(wanted), step):
        first, last = np.searchsorted(at[order], (start, start + step))
        mine = order[first:last]
        rows = block(wanted[start : start + step])
        dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
        found[mine] = dense[at[mine] - start, right[mine]]
    return found


class Dense:
    """A table over the people who have a history, for criteria that need everybody against everybody."""

    def __init__(self, community: Community, table: Floats) -> None:
        """`table`: [members, members], members in the order of rows."""
        self._table = table
        self._place = np.cumsum(degrees(community) > 0) - 1

    def at(self, left: Ints, right: Ints) -> Floats:
        """[n] values; of people without a history: of somebody else, so mask them."""
        if not len(self._table):
            return np.zeros(len(left))
        return np.asarray(self._table[self._place[left], self._place[right]])


def members(community: Community, entry: str, most: int) -> Ints:
    """Rows of those who have a history. Raises `UsageError` for more than `most`."""
    rows = np.flatnonzero(degrees(community) > 0)
    if len(rows) > most:
        raise UsageError(
            f"{entry} compares everybody who danced with everybody: {len(rows):,} people are more than {most:,}",
            hint="use hist.rcf or hist.adamic, which have no such limit",
        )
    return rows


def danced(name: str, *others: str, times: float = 1.0, roles: Role = Role.BOTH) -> User:
    """A person for the worked examples."""
    return User(id=name, roles=roles, history=tuple((other, times) for other in sorted(others)))
