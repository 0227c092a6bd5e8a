"""Everybody's best partners: the exact search in chunks, over threads or a Ray cluster, kept while it runs."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from mrblue_cli.app.match_state import Keeper, Part, Plan, kept, pieces
from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import topk
from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.topk.base import Found
from mrblue_cli.matcher.topk.search import Search, prepare

Progress = Callable[[int, int], None]
"""People done, people in all."""
Chunks = Iterable[tuple[int, Ints]]
_CHUNKS_PER_WORKER = 16
_LEAST, _MOST = 16, 4096
"""Rows a chunk: enough to outweigh its overhead, few enough to stop within a second or two."""
_PAIRS_PER_CHUNK = 20_000_000
"""Of the arrays engine, which compares everybody: some seconds."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A search that can start, and what getting ready took."""

    search: Search
    index_seconds: float
    compile_seconds: float
    """Loading the compiled search; on the first run, or after an update, compiling it."""
    compiled_now: bool
    """Whether it had to be compiled. It is kept in `compiled_folder()` for the next time."""


def best(
    community: Community,
    recipe: Recipe,
    k: int,
    *,
    rows: Ints | None = None,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    state: Path | None = None,
    resume: bool = False,
    on_finished: Callable[[Path], None] | None = None,
    on_progress: Progress | None = None,
) -> Found:
    """The best k of each row (of everybody by default), by falling unrounded score, ties by smaller id.

    `workers`: threads, or processes of a Ray cluster on this machine; as many as there are cores by default. `state`: a
    folder in which finished chunks are kept until the search is done; `resume` goes on there. `on_finished` takes the
    file of a search that is done, which stays until the caller removes it. `on_progress` is called in this thread.
    Raises `UsageError`, `MissingPart` without Ray, and `KeyboardInterrupt` after keeping what is done.
    """
    if k < 1:
        raise UsageError(f"the best {k} of somebody are nobody", hint="ask for 1 or more, for example --top 5")
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers do nothing", hint="give 1 or more, or leave --workers out")
    if resume and state is None:
        raise UsageError("nothing was kept that could be gone on with", hint="leave --resume out")
    asked = np.arange(len(community), dtype=np.int64) if rows is None else np.asarray(rows, dtype=np.int64)
    ready = make_ready(community, recipe, queries=len(asked), compile_now=engine == "local")
    # Positions, so that rows asked about twice get two answers.
    order = _order(ready.search, asked)
    crew = workers or cores()
    plan = Plan(digest="", people=len(asked), k=k, chunk=_chunk(len(asked), len(community), ready.search.engine, crew))
    if engine == "ray":
        from mrblue_cli.app.match_ray import spread

        def run(chunks: Chunks) -> Iterator[Part]:
            return spread(ready.search, chunks, k, address=ray_address, workers=workers)
    else:

        def run(chunks: Chunks) -> Iterator[Part]:
            return _threads(ready.search, chunks, k, crew)

    if state is None:
        return _collected(asked[order], order, plan, [], run, None, on_progress)
    from mrblue_cli.matcher.topk.identity import search_digest

    plan = msgspec.structs.replace(plan, digest=search_digest(community, recipe, asked, k, ready.search.engine))
    plan, parts = kept(state, plan) if resume else (plan, [])
    return _collected(asked[order], order, plan, parts, run, Keeper(state, plan, parts, on_finished), on_progress)


def _order(search: Search, asked: Ints) -> Ints:
    """Positions of `asked` in the order in which the search likes them."""
    wanted = search.order(asked)
    if np.array_equal(wanted, asked):
        return np.arange(len(asked), dtype=np.int64)
    # The k-th time that a row comes in one order is the k-th time in the other.
    back = np.empty(len(asked), dtype=np.int64)
    back[np.argsort(wanted, kind="stable")] = np.argsort(asked, kind="stable")
    return back


def _chunk(rows: int, people: int, engine: str, crew: int) -> int:
    most = _MOST if engine == "compiled" else max(1, _PAIRS_PER_CHUNK // max(1, people))
    return max(1, min(most, max(_LEAST, rows // (crew * _CHUNKS_PER_WORKER))))


def _collected(
    rows: Ints,
    order: Ints,
    plan: Plan,
    parts: list[Part],
    run: Callable[[Chunks], Iterator[Part]],
    keeper: Keeper | None,
    on_progress: Progress | None,
) -> Found:
    """All chunks in their place. What comes in before an interrupt is kept before it goes on its way."""
    found = Found(
        rows=np.full((plan.people, plan.k), -1, dtype=np.int64), scores=np.full((plan.people, plan.k), np.nan)
    )
    numbers = set()
    for number, best_rows, scores in parts:
        there = order[number * plan.chunk : (number + 1) * plan.chunk]
        found.rows[there], found.scores[there] = best_rows, scores
        numbers.add(number)
    done = sum(plan.size(number) for number in numbers)
    finished = False
    try:
        if on_progress is not None:
            on_progress(done, plan.people)
        for part in run(pieces(rows, plan, set(numbers))):
            number, best_rows, scores = part
            if number in numbers:
                continue
            numbers.add(number)
            if keeper is not None:
                keeper.add(part)
            there = order[number * plan.chunk : (number + 1) * plan.chunk]
            found.rows[there], found.scores[there] = best_rows, scores
            done += len(there)
            if on_progress is not None:
                on_progress(done, plan.people)
        finished = True
    finally:
        if keeper is not None:
            keeper.close(finished=finished)
    return found


def _threads(search: Search, chunks: Chunks, k: int, workers: int) -> Iterator[Part]:
    """Chunks as they are found. The compiled search runs without the interpreter's lock.

    On an interrupt those that are under way are still found and handed out, then it goes on its way.
    """
    # A result leaves its queue only when it was taken: an interrupt in between gives it twice, but never loses it.
    results: deque[Part | BaseException] = deque()
    there = threading.Semaphore(0)

    def find(number: int, rows: Ints) -> None:
        try:
            found = search.find(rows, k)
            results.append((number, found.rows, found.scores))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            results.append(error)
        there.release()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="match")
    try:
        handed = [pool.submit(find, number, rows) for number, rows in chunks]
        for _ in handed:
            there.acquire()
            yield _part(results[0])
            results.popleft()
    except KeyboardInterrupt:
        pool.shutdown(wait=True, cancel_futures=True)
        while results:
            yield _part(results.popleft())
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _part(result: Part | BaseException) -> Part:
    if isinstance(result, BaseException):
        raise result
    return result


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def make_ready(community: Community, recipe: Recipe, *, queries: int | None = None, compile_now: bool = True) -> Ready:
    """Builds the index and compiles the search where that pays; `compile_now` False leaves compiling to others."""
    began = time.perf_counter()
    search = prepare(community, recipe, queries=queries)
    built = time.perf_counter()
    if search.engine != "compiled" or not compile_now:
        return Ready(search=search, index_seconds=built - began, compile_seconds=0.0, compiled_now=False)
    compiled_folder()
    # Nobody is looked for: the first call compiles, or loads what was compiled before, in one thread.
    search.find(np.zeros(0, dtype=np.int64), 1)
    from mrblue_cli.matcher.topk.kernel import was_compiled

    return Ready(
        search=search,
        index_seconds=built - began,
        compile_seconds=time.perf_counter() - built,
        compiled_now=was_compiled(),
    )


def compiled_folder() -> Path | None:
    """Where compiled code is kept: `numba` in mrblue's cache folder, unless NUMBA_CACHE_DIR names another place; there
    below a digest of its sources, because numba itself looks at the date of one file only.

    None where it cannot be made: then the code is kept next to its source, or else compiled in each process. Call
    before the compiled search is loaded.
    """
    import numba

    from mrblue_cli.settings.places import place

    options: Any = numba.config
    if options.CACHE_DIR:
        return Path(options.CACHE_DIR)
    matcher = Path(str(topk.__file__)).parent.parent
    sources = hashlib.blake2b(digest_size=6)
    for path in sorted((*matcher.glob("topk/*.py"), *matcher.glob("criteria/geo*.py"))):
        sources.update(path.read_bytes())
    folder = place("cache") / "numba" / sources.hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    options.CACHE_DIR = str(folder)
    return folder
