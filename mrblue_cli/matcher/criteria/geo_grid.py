"""The globe cut into cells of nearly equal size, and how many rings of cells lie between two places. PURE.

A discrete global grid in the sense of Sahr et al. (2003), on a cube: each of its six faces takes the places for which
its axis is the longest component of the unit vector (ties: x before y before z), and is cut into n by n cells by equal
angles along its two other axes. n is odd, so that a pole, and the point at 0 degrees, lie in the middle of a cell.
Neighbours share an edge or a corner, also across the cube's edges, where the cells of two faces meet one to one. Two
cells are r rings apart when r is the least number of steps from neighbour to neighbour.

A cell is written as a point of the cube's surface in half cells: (x, y, z), the face's axis at +n or -n, the others
even numbers between.
"""

from __future__ import annotations

import math

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.criteria.geo_distance import EARTH_KM

CELL_KM = 10.0
"""Width of a cell in the middle of a face; 7 km by the corners."""
_QUARTER_KM = math.pi / 2 * EARTH_KM
_NUDGE = 1e-7
"""Of a cell. Borders are moved off the round coordinates that people write, so that rounding decides no cell."""


def cells_per_face(cell_km: float = CELL_KM) -> int:
    """The odd n for cells of about this width."""
    return 2 * max(0, round((_QUARTER_KM / cell_km - 1) / 2)) + 1


def cells(lat: Floats, lon: Floats, n: int) -> Ints:
    """[m, 3] the cell of each place in degrees; that of (0, 0) where NaN."""
    phi, turn = np.radians(np.nan_to_num(lat)), np.radians(np.nan_to_num(lon))
    point = np.stack((np.cos(phi) * np.cos(turn), np.cos(phi) * np.sin(turn), np.sin(phi)), axis=1)
    axis = np.argmax(np.abs(point), axis=1)[:, None]
    longest = np.take_along_axis(point, axis, axis=1)
    share = np.arctan(point / np.abs(longest)) * (2 / np.pi) + 0.5
    place = np.clip(np.floor(share * n + _NUDGE), 0, n - 1).astype(np.int64)
    found: Ints = 2 * place + 1 - n
    np.put_along_axis(found, axis, np.where(longest > 0, n, -n), axis=1)
    return found


def rings(p: tuple[int, int, int], q: tuple[int, int, int], n: int) -> int:
    """Rings between two cells of one face or of neighbouring faces; n, the least that it can be, of opposite faces."""
    one, other = (next(axis for axis in range(3) if abs(cell[axis]) == n) for cell in (p, q))
    if one == other:
        return max(abs(i - j) for i, j in zip(p, q, strict=True)) // 2
    third = 3 - one - other
    # Half cells from the edge between the two faces: how deep each lies beyond it.
    depth, deep = abs(p[one] - q[one]), abs(p[other] - q[other])
    ways = [max(depth + deep, abs(p[third] - q[third]))]
    for end in (n, -n):
        # Around the corner, over the face at this end of the edge.
        c, d = abs(end - p[third]), abs(end - q[third])
        ways.append(max(depth + c, deep + d))
    return min(ways) // 2


def rings_fast(p: Ints, q: Ints, n: int) -> Ints:
    """[m] `rings` of many."""
    one, other = (np.argmax(np.abs(cell) == n, axis=1) for cell in (p, q))
    row = np.arange(len(p))
    third = (3 - one - other) % 3
    apart = np.abs(p - q)
    depth, deep, along = apart[row, one], apart[row, other], apart[row, third]
    ways = np.maximum(depth + deep, along)
    for end in (n, -n):
        c, d = np.abs(end - p[row, third]), np.abs(end - q[row, third])
        ways = np.minimum(ways, np.maximum(depth + c, deep + d))
    return np.asarray(np.where(one == other, apart.max(axis=1, initial=0), ways) // 2)
