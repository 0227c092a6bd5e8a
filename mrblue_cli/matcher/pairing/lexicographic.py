"""Full assignments whose counts of classes are best in strict order: first class 0, then class 1, and so on. PURE.

Burkard & Rendl 1991 turn such an order into one assignment with enormous weights. Here a few classes at a time get
weights that a float holds exactly; the prices of each optimum then tell which cells any equally good assignment may
use, and the next classes are settled among those only.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Floats, Ints

Cells = npt.NDArray[np.bool_]
_BITS = 48
"""Of the 53 that a float counts exactly; the rest is room for sums along a path."""


def assign(classes: Ints, *, fewest: bool) -> Ints:
    """[N] the column of each row.

    `classes` [N, N] is the class of each cell. `fewest`: as few cells of class 0 as possible, then of class 1, …;
    else as many of class 0 as possible, then of class 1, …
    """
    size = len(classes)
    columns = np.full(size, -1, dtype=np.int64)
    rows_left, columns_left = np.arange(size), np.arange(size)
    open_cells = np.ones((size, size), dtype=np.bool_)
    done = -1
    while len(rows_left):
        rows_left, columns_left, open_cells = _forced(columns, rows_left, columns_left, open_cells)
        here = classes[np.ix_(rows_left, columns_left)]
        present = np.unique(here[open_cells & (here > done)])
        if not len(present):
            break
        if fewest and len(present) > 1:
            open_cells, present = _skip(here, open_cells, present, done)
        chunk = present[: max(1, int(_BITS / math.log2(len(here) + 1)))]
        weight = _weights(here, chunk) if fewest else -_weights(here, chunk)
        open_cells &= _tight(np.where(open_cells, weight, np.inf))
        done = int(chunk[-1])
    if len(rows_left):
        columns[rows_left] = columns_left[first(open_cells)]
    return columns


def _weights(classes: Ints, chunk: Ints) -> Floats:
    """One cell of a class outweighs as many as there can be of all later classes of the chunk."""
    weight = np.zeros(classes.shape)
    for place, value in enumerate(chunk[::-1].tolist()):
        weight[classes == value] = float((len(classes) + 1) ** place)
    return weight


def _forced(columns: Ints, rows_left: Ints, columns_left: Ints, open_cells: Cells) -> tuple[Ints, Ints, Cells]:
    """Settles the rows and columns that have only one open cell, and hands back what is left."""
    while len(rows_left):
        cells = {(int(row), int(np.argmax(open_cells[row]))) for row in np.flatnonzero(open_cells.sum(axis=1) == 1)} | {
            (int(np.argmax(open_cells[:, column])), int(column))
            for column in np.flatnonzero(open_cells.sum(axis=0) == 1)
        }
        if not cells:
            break
        for row, column in cells:
            columns[rows_left[row]] = columns_left[column]
        keep_rows = np.setdiff1d(np.arange(len(rows_left)), [row for row, _ in cells])
        keep_columns = np.setdiff1d(np.arange(len(columns_left)), [column for _, column in cells])
        rows_left, columns_left = rows_left[keep_rows], columns_left[keep_columns]
        open_cells = open_cells[np.ix_(keep_rows, keep_columns)]
    return rows_left, columns_left, open_cells


def _skip(classes: Ints, open_cells: Cells, present: Ints, done: int) -> tuple[Cells, Ints]:
    """Closes the cells of all first classes that can be done without."""
    low, high = 0, len(present) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _is_full(open_cells & ((classes <= done) | (classes >= present[middle]))):
            low = middle
        else:
            high = middle - 1
    return open_cells & ((classes <= done) | (classes >= present[low])), present[low:]


def first(open_cells: Cells) -> Ints:
    """[n] a column for each row so that most rows have one, -1 for none (Hopcroft & Karp 1973, as scipy has it)."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    return np.asarray(maximum_bipartite_matching(csr_matrix(open_cells), perm_type="column"), dtype=np.int64)


def _is_full(open_cells: Cells) -> bool:
    return bool((first(open_cells) >= 0).all())


def _tight(cost: Floats) -> Cells:
    """The cells that an assignment of least cost may use, and of which every full assignment costs the least.

    `cost` [N, N] holds whole numbers, and infinity for closed cells. A full assignment is known to exist.
    """
    from scipy.optimize import linear_sum_assignment

    _, columns = linear_sum_assignment(cost)
    own = cost[np.arange(len(cost)), columns]
    # Row prices u with u[i] <= u[k] + cost[i, column of k] - own cost of k: shortest ways in the exchange graph, found
    # by repeating until nothing changes (the graph has no negative cycle, for the assignment is the best).
    step = cost[:, columns] - own[None, :]
    row_price = np.zeros(len(cost))
    while True:
        shorter = np.minimum(row_price, (step + row_price[None, :]).min(axis=1))
        if (shorter == row_price).all():
            break
        row_price = shorter
    column_price = np.empty(len(cost))
    column_price[columns] = own - row_price
    return np.asarray(cost - row_price[:, None] - column_price[None, :] < 0.5)
