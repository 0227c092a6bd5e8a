"""Rotations: seconds of `rot.exact`, and how much less `rot.repeat` brings on the same random floors.

Two kinds of floors: random scores of 41 to 100 in hundredths, and the baseline's scores of generated people who dance
one role. Everybody can dance with everybody of the other role.

    python -m bench.match_rotation
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.report import arguments, show
from mrblue_cli.app.match_files import load
from mrblue_cli.matcher.generate import people
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor, floor_of
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.methods import rotate

SIZES = ((20, 5), (60, 8), (200, 10))
FLOORS = {20: 20, 60: 10, 200: 2}
"""How many of each size."""
DUAL = ((20, 5), (60, 8))
"""People who all dance both roles, and tandas."""


def main() -> None:
    """Print the table, and write it as JSON on request."""
    options = arguments(__doc__ or "").parse_args()
    rotate(couples(4, seed=0), 2, "exact")  # loads the solver
    rows: list[tuple[str, str, str]] = []
    figures: dict[str, object] = {}
    for (size, tandas), kind in itertools.product(SIZES, KINDS):
        exact, repeat, gaps = [], [], []
        for seed in range(FLOORS[size]):
            floor = KINDS[kind](size, seed)
            best = timed(lambda floor=floor, tandas=tandas: rotate(floor, tandas, "exact"), exact)
            greedy = timed(lambda floor=floor, tandas=tandas: rotate(floor, tandas, "repeat"), repeat)
            gaps.append(100 * (1 - total(floor, greedy) / total(floor, best)))
        name = f"{size} couples x {tandas} tandas, {kind}"
        goal = "2 s" if size == 60 else ""
        rows += [
            (f"{name}, rot.exact", f"p50 {statistics.median(exact):.2f} s", goal),
            (f"{name}, rot.repeat", f"p50 {statistics.median(repeat):.2f} s", ""),
            (f"{name}, repeat below exact", f"mean {statistics.mean(gaps):.3f} % max {max(gaps):.3f} %", "0.05 %"),
        ]
        figures[name] = {"exact_s": exact, "repeat_s": repeat, "gap_percent": gaps}
    for size, tandas in DUAL:
        seconds: list[float] = []
        for seed in range(3):
            floor = everybody_both(size, seed=seed)
            timed(lambda floor=floor, tandas=tandas: rotate(floor, tandas, "vizing"), seconds)
        name = f"{size} people of both roles x {tandas} tandas"
        rows.append((f"{name}, rot.vizing", f"p50 {statistics.median(seconds):.2f} s", ""))
        figures[name] = {"vizing_s": seconds}
    show("Rotation", rows, figures, options.json)


def timed(make: Callable[[], Rotation], seconds: list[float]) -> Rotation:
    """The rotation, its time appended."""
    began = time.perf_counter()
    made = make()
    seconds.append(time.perf_counter() - began)
    return made


def total(floor: Floor, rotation: Rotation) -> float:
    """The sum of all scores."""
    return float(sum(floor.scores[pair] for tanda in rotation.tandas for pair in tanda.pairs))


def couples(size: int, seed: int) -> Floor:
    """As many leaders as followers."""
    return random_floor([Role.LEADER.value] * size + [Role.FOLLOWER.value] * size, seed)


def dancers(size: int, seed: int) -> Floor:
    """Generated people: the first leaders and the first followers that come up."""
    found: dict[str, list[dict[str, object]]] = {"leader": [], "follower": []}
    for person in people(20 * size, seed):
        if len(person["roles"]) == 1 and len(found[person["roles"][0]]) < size:
            found[person["roles"][0]].append({**person, "active": True, "blocked": []})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "users.json"
        file.write_text(json.dumps([*found["leader"], *found["follower"]]))
        return floor_of(load(file, week=dt.date(2026, 11, 16)).community, make_recipe())


KINDS: dict[str, Callable[[int, int], Floor]] = {"random scores": couples, "generated people": dancers}


def everybody_both(size: int, seed: int) -> Floor:
    """Everybody dances both roles."""
    return random_floor([Role.BOTH.value] * size, seed)


def random_floor(roles: list[int], seed: int) -> Floor:
    """Random scores for these people."""
    n = len(roles)
    draw = np.random.default_rng(seed).integers(4100, 10001, (n, n)) / 100
    scores = np.triu(draw, 1)
    scores += scores.T
    np.fill_diagonal(scores, np.nan)
    floor = Floor(
        ids=tuple(f"p{row:04d}" for row in range(n)),
        roles=np.full(n, Role.BOTH.value, dtype=np.uint8),
        scores=scores,
        views=scores,
    )
    return floor.with_roles(np.array(roles, dtype=np.uint8))


if __name__ == "__main__":
    main()
