"""Everybody's best in chunks: the same however it is cut, spread, interrupted and gone on with."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.app import match_search
from mrblue_cli.app.match_search import best, cores, make_ready
from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk.base import Found
from mrblue_cli.matcher.topk.search import prepare
from tests.matcher.topk.crowds import crowd
from tests.program import environment, python

RECIPE = make_recipe()
SMALL = crowd(150, seed=11)
LARGE = crowd(3100, seed=12)
"""Enough for the compiled search."""


def equal(found, other):
    np.testing.assert_array_equal(found.rows, other.rows)
    np.testing.assert_array_equal(found.scores, other.scores)


def whole(community, k, rows=None, engine="auto"):
    asked = np.arange(len(community), dtype=np.int64) if rows is None else rows
    return prepare(community, RECIPE, engine=engine).find(asked, k)


class Stop:
    """Interrupts after so many reports."""

    def __init__(self, reports):
        self.left = reports
        self.seen = []

    def __call__(self, done, total):
        self.seen.append((done, total))
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2, 5, None])
@pytest.mark.parametrize("community", [SMALL, LARGE], ids=["arrays", "compiled"])
def test_any_number_of_workers_finds_the_same(community, workers):
    seen = []
    found = best(community, RECIPE, 4, workers=workers, on_progress=lambda done, total: seen.append((done, total)))
    equal(found, whole(community, 4))
    assert seen[0] == (0, len(community))
    assert seen[-1] == (len(community), len(community))
    assert seen == sorted(seen)
    assert len(seen) > 4


def test_some_rows_in_any_order_and_twice():
    rows = np.array([7, 140, 3, 7, 7, 0, 140], dtype=np.int64)
    equal(best(SMALL, RECIPE, 5, rows=rows), whole(SMALL, 5, rows))
    many = np.random.default_rng(0).integers(0, len(LARGE), 4000)
    equal(best(LARGE, RECIPE, 3, rows=many), whole(LARGE, 3, many))


def test_nobody_and_more_than_there_are():
    assert best(SMALL, RECIPE, 3, rows=np.array([], dtype=np.int64)).rows.shape == (0, 3)
    assert best(crowd(0), RECIPE, 3).rows.shape == (0, 3)
    assert best(crowd(1), RECIPE, 3).rows.tolist() == [[-1, -1, -1]]
    assert best(crowd(2, seed=1), RECIPE, 9).rows.shape == (2, 9)


@settings(max_examples=15)
@given(stops=st.lists(st.integers(1, 9), min_size=1, max_size=4), community=st.sampled_from((SMALL, LARGE)))
def test_interrupts_at_any_chunk_change_nothing(tmp_path_factory, stops, community):
    state = tmp_path_factory.mktemp("state")
    before = 0
    for turn, reports in enumerate(stops):
        stop = Stop(reports)
        try:
            best(community, RECIPE, 4, workers=2, state=state, resume=turn > 0, on_progress=stop)
        except KeyboardInterrupt:
            # What was done stays done.
            assert stop.seen[0][0] == before
            before = stop.seen[-1][0]
        else:
            before = 0
    seen = []
    found = best(community, RECIPE, 4, state=state, resume=True, on_progress=lambda *done: seen.append(done))
    assert seen[0][0] == before
    equal(found, whole(community, 4))
    assert list(state.iterdir()) == []


def test_a_real_ctrl_c_keeps_what_is_under_way(tmp_path):
    """The signal comes while the main thread waits; both workers are in the middle of a chunk."""
    busy, handed_out, go_on = threading.Barrier(3), threading.Event(), threading.Event()

    class Slow:
        engine = "arrays"

        def find(self, rows, k):
            if rows[0] < 2:
                busy.wait(timeout=20)
                go_on.wait(timeout=20)
            return Found(rows=np.tile(rows[:, None], k), scores=np.ones((len(rows), k)))

    def interrupt():
        handed_out.wait(timeout=20)
        busy.wait(timeout=20)
        os.kill(os.getpid(), signal.SIGINT)
        go_on.set()

    def chunks():
        yield from ((number, np.array([number])) for number in range(40))
        handed_out.set()

    threading.Thread(target=interrupt, daemon=True).start()
    parts = []
    with pytest.raises(KeyboardInterrupt):
        parts.extend(match_search._threads(Slow(), chunks(), 1, 2))
    assert {0, 1} <= {number for number, _, _ in parts}


@pytest.mark.parametrize("workers", [1, 3])
def test_what_goes_wrong_in_a_thread_is_raised_here(workers):
    class Broken:
        engine = "arrays"

        def find(self, rows, k):
            if rows[0] == 5:
                raise UsageError("five")
            return Found(rows=np.zeros((1, k), dtype=np.int64), scores=np.ones((1, k)))

    with pytest.raises(UsageError, match="five"):
        list(match_search._threads(Broken(), [(number, np.array([number])) for number in range(20)], 1, workers))


def test_going_on_with_another_search_is_refused(tmp_path):
    def begin(**options):
        return best(SMALL, RECIPE, 4, **{"state": tmp_path, "on_progress": Stop(3), **options})

    with pytest.raises(KeyboardInterrupt):
        begin()
    others = (crowd(151, seed=11), RECIPE, 4), (SMALL, make_recipe({"music": 1}), 4), (SMALL, RECIPE, 5)
    for community, recipe, k in others:
        with pytest.raises(UsageError, match="other people, another recipe or another number"):
            best(community, recipe, k, state=tmp_path, resume=True)
    with pytest.raises(UsageError, match="other people"):
        begin(rows=np.array([1, 2], dtype=np.int64), resume=True)
    equal(begin(resume=True, on_progress=None), whole(SMALL, 4))


def test_a_damaged_file_is_refused_and_beginning_anew_helps(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        best(SMALL, RECIPE, 4, state=tmp_path, on_progress=Stop(4))
    path = next(tmp_path.glob("*.part"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputFileError, match="damaged in chunk"):
        best(SMALL, RECIPE, 4, state=tmp_path, resume=True)
    equal(best(SMALL, RECIPE, 4, state=tmp_path), whole(SMALL, 4))


def test_what_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(UsageError, match="best 0"):
        best(SMALL, RECIPE, 0)
    with pytest.raises(UsageError, match="0 workers"):
        best(SMALL, RECIPE, 1, workers=0)
    with pytest.raises(UsageError, match="nothing was kept"):
        best(SMALL, RECIPE, 1, resume=True)


def test_cores_are_those_of_this_process():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_getting_ready_says_what_it_took():
    ready = make_ready(LARGE, RECIPE)
    assert ready.search.engine == "compiled"
    assert ready.index_seconds > 0
    assert ready.compile_seconds > 0
    small = make_ready(SMALL, RECIPE)
    assert (small.search.engine, small.compile_seconds, small.compiled_now) == ("arrays", 0.0, False)


_WHERE = """
import sys
from mrblue_cli.app.match_search import compiled_folder
print(compiled_folder())
print("mrblue_cli.matcher.topk.kernel" in sys.modules)
"""


def test_compiled_code_is_kept_in_the_cache_folder(tmp_path):
    run = python(_WHERE, env=environment(XDG_CACHE_HOME=str(tmp_path), NUMBA_CACHE_DIR=None))
    folder, loaded = run.stdout.splitlines()
    assert folder.startswith(str(tmp_path / "mrblue" / "numba"))
    assert loaded == "False"
    run = python(_WHERE, env=environment(NUMBA_CACHE_DIR=str(tmp_path / "other")))
    assert run.stdout.splitlines()[0] == str(tmp_path / "other")
    (tmp_path / "file").write_text("")
    run = python(_WHERE, env=environment(XDG_CACHE_HOME=str(tmp_path / "file"), NUMBA_CACHE_DIR=None))
    assert run.stdout.splitlines()[0] == "None", run.stderr


def test_a_small_search_loads_no_compiler():
    code = (
        "import sys; from mrblue_cli.app.match_search import best; from mrblue_cli.matcher.recipe import make_recipe;"
        "from tests.matcher.topk.crowds import crowd; best(crowd(20), make_recipe(), 3);"
        "print([name for name in ('numba', 'scipy', 'ray') if name in sys.modules])"
    )
    assert python(code).stdout.strip() == "[]"
