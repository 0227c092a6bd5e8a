"""How well two levels go together: one function of two levels for each entry of the family. PURE.

Each takes (leader's leader_level, follower's follower_level), floats or arrays, and gives 0..100; NaN stays NaN. All
but `stretch` see only how far apart the two are, so that it does not matter which of the two leads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Compare = Callable[..., Any]
"""`compare(leader, follower, **parameters)` on floats or on arrays of levels: 0..100."""
KNOTS = (0.0, 1.0, 2.0, 3.0, 4.0)
SCORES = (100.0, 90.0, 70.0, 50.0, 30.0)
SPAN = 9.0
"""From the lowest level, 1, to the highest, 10."""


def gap(leader: Any, follower: Any) -> Any:
    """How many levels apart."""
    return np.abs(np.subtract(leader, follower))


def table(leader: Any, follower: Any) -> Any:
    """Rule 4: 100, 90, 70, 50, 30 for 0, 1, 2, 3, 4 and more levels apart, linear between."""
    return np.interp(gap(leader, follower), KNOTS, SCORES)


def linear(leader: Any, follower: Any, *, span: float = SPAN) -> Any:
    """100 for the same level, falling evenly to 0 at `span` levels apart (Gower 1971)."""
    return 100.0 * np.maximum(0.0, 1.0 - gap(leader, follower) / span)


def gauss(leader: Any, follower: Any, *, spread: float = 2.0) -> Any:
    """A bell over the levels between: kind to small gaps, hard on large ones (Scholkopf & Smola 2002)."""
    return 100.0 * np.exp(-0.5 * (gap(leader, follower) / spread) ** 2)


def laplace(leader: Any, follower: Any, *, tolerance: float = 3.0) -> Any:
    """Every further level costs the same share of what is left (Shepard 1987)."""
    return 100.0 * np.exp(-gap(leader, follower) / tolerance)


def epan(leader: Any, follower: Any, *, reach: float = 5.0) -> Any:
    """A parabola that meets 0 at `reach` levels apart (Epanechnikov 1969)."""
    return 100.0 * np.maximum(0.0, 1.0 - (gap(leader, follower) / reach) ** 2)


def elo(leader: Any, follower: Any, *, points: float = 100.0) -> Any:
    """How open a contest between the two would be, a level being worth `points` rating points (Elo 1978).

    The stronger is expected to score E = 1 / (1 + 10^(-gap * points / 400)), at least one half; then 1 - |2E - 1| is
    2 (1 - E).
    """
    return 200.0 / (1.0 + np.power(10.0, gap(leader, follower) * points / 400.0))


def trueskill(leader: Any, follower: Any, *, spread: float = 1.0, beta: float = 2.0) -> Any:
    """The chance of a draw between two skills that are not surely known, against two known equals (Herbrich et al.
    2006).

    A level that somebody gives is a mean with a spread of `spread` levels; a dance varies by `beta` levels around it.
    Two people of the same level stay under 100, since neither level is certain.
    """
    sure = 2.0 * beta**2
    whole = sure + 2.0 * spread**2
    return 100.0 * np.sqrt(sure / whole) * np.exp(-0.5 * gap(leader, follower) ** 2 / whole)


def stretch(own: Any, other: Any, *, above: float = 1.0, spread: float = 2.0) -> Any:
    """How much somebody grows with a partner: most with one `above` levels above their own (Vygotsky 1978).

    Takes one's own level first, whoever leads.
    """
    return 100.0 * np.exp(-0.5 * ((np.subtract(other, own) - above) / spread) ** 2)
