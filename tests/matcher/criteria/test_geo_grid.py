"""The grid of cells: every place has one, neighbours are near, and rings are steps."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.criteria import geo_grid as grid

N = 5


def all_cells(n):
    found = []
    for axis in range(3):
        for face in (n, -n):
            for i in range(1 - n, n, 2):
                for j in range(1 - n, n, 2):
                    cell = [i, j]
                    cell.insert(axis, face)
                    found.append(tuple(cell))
    return found


def corners(cell, n):
    axis = next(k for k in range(3) if abs(cell[k]) == n)
    first, second = (k for k in range(3) if k != axis)
    for i in (-1, 1):
        for j in (-1, 1):
            corner = list(cell)
            corner[first] += i
            corner[second] += j
            yield tuple(corner)


def steps(n):
    """Steps between all cells by walking the surface: the definition, with no formula."""
    cells = all_cells(n)
    at = {}
    for cell in cells:
        for corner in corners(cell, n):
            at.setdefault(corner, set()).add(cell)
    near = {cell: set().union(*(at[corner] for corner in corners(cell, n))) - {cell} for cell in cells}
    found = {}
    for start in cells:
        away, queue = {start: 0}, deque([start])
        while queue:
            here = queue.popleft()
            for there in near[here] - away.keys():
                away[there] = away[here] + 1
                queue.append(there)
        found |= {(start, there): distance for there, distance in away.items()}
    return found


def opposite(p, q, n):
    return any(abs(i) == n and i == -j for i, j in zip(p, q, strict=True))


def test_rings_are_the_fewest_steps_between_neighbours():
    walked = steps(N)
    pairs = list(walked)
    fast = grid.rings_fast(np.array([p for p, _ in pairs]), np.array([q for _, q in pairs]), N)
    for (p, q), found in zip(pairs, fast.tolist(), strict=True):
        assert found == grid.rings(p, q, N)
        if opposite(p, q, N):
            assert found == N <= walked[p, q]
        else:
            assert found == walked[p, q]


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([1, 5, 1001]))
def test_every_place_lies_in_one_cell_near_its_middle(lat, lon, n):
    (cell,) = grid.cells(np.array([lat]), np.array([lon]), n)
    assert np.count_nonzero(np.abs(cell) == n) == 1
    assert ((np.abs(cell) < n) | (np.abs(cell) == n)).all()
    assert not ((cell + n + 1) % 2)[np.abs(cell) < n].any()
    point = np.array([
        np.cos(np.radians(lat)) * np.cos(np.radians(lon)),
        np.cos(np.radians(lat)) * np.sin(np.radians(lon)),
        np.sin(np.radians(lat)),
    ])  # fmt: skip
    axis = int(np.argmax(np.abs(cell) == n))
    middle = np.tan(cell / n * np.pi / 4)
    middle[axis] = np.sign(cell[axis])
    middle /= np.linalg.norm(middle)
    # The furthest corner of a cell is 0.71 widths away from its middle.
    width = np.pi / 2 / n
    assert np.arccos(np.clip(point @ middle, -1, 1)) <= 0.72 * width + 1e-7


def test_poles_and_the_zero_point_lie_in_the_middle_of_a_cell():
    lat, lon = np.array([90, 90, 90, -90, -90, 0, 0, 0.0]), np.array([0, 135, -180, 10, -45, 0, 180, -180.0])
    n = grid.cells_per_face()
    found = [tuple(cell) for cell in grid.cells(lat, lon, n).tolist()]
    assert found[0] == found[1] == found[2] == (0, 0, n)
    assert found[3] == found[4] == (0, 0, -n)
    assert found[5:] == [(n, 0, 0), (-n, 0, 0), (-n, 0, 0)]


@pytest.mark.parametrize("turn", [0.0, 44.97, 89.5, 179.97, -135.02])
@pytest.mark.parametrize("lat", [0.0, 35.2, -35.3, 80.0])
def test_a_step_on_the_ground_is_at_most_two_rings(turn, lat):
    # 7 km, less than the smallest cell is wide, also across the cube's edges and by its corners.
    n = grid.cells_per_face(10.0)
    east = 7 / 111.195 / np.cos(np.radians(lat))
    lats, lons = np.array([lat, lat, lat + 7 / 111.195]), np.array([turn, turn + east, turn])
    here, beside, above = (tuple(cell) for cell in grid.cells(lats, lons, n).tolist())
    assert grid.rings(here, beside, n) <= 2
    assert grid.rings(here, above, n) <= 2


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=33))
def test_a_place_has_one_cell_alone_and_among_others(drawn):
    lat, lon = np.array(drawn).T
    together = grid.cells(lat, lon, 1001)
    alone = [grid.cells(lat[k : k + 1], lon[k : k + 1], 1001)[0].tolist() for k in range(len(lat))]
    assert together.tolist() == alone


def test_cells_are_about_as_wide_as_asked():
    assert grid.cells_per_face(10.0) == 1001
    assert grid.cells_per_face(1e9) == 1
    assert all(grid.cells_per_face(km) % 2 for km in (0.5, 1, 3, 7, 50, 5000))


def test_an_unknown_place_warns_nobody():
    assert grid.cells(np.array([np.nan]), np.array([np.nan]), 7).tolist() == [[7, 0, 0]]
