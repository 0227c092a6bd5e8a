"""The exact search over a Ray cluster: the index is shared once, chunks of people go to whoever is free.

Each chunk is found by the same compiled code from the same arrays, so the result is that of one machine to the bit.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from mrblue_cli.app.match_search import Chunks, compiled_folder
from mrblue_cli.app.match_state import Part
from mrblue_cli.core.errors import ConnectError, MissingPart
from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.topk.search import Search

_WAITING_PER_CORE = 2
"""Chunks handed out for each core: one to work on, one to go on with."""


def spread(search: Search, chunks: Chunks, k: int, *, address: str | None, workers: int | None) -> Iterator[Part]:
    """Chunks as they are found. `address` of a cluster, or none: one is started here with so many workers.

    Raises `MissingPart` without Ray, `ConnectError` when the cluster does not answer. A cluster started here ends with
    the search; on an interrupt what is done by then is still handed out.
    """
    ray = _ray()
    started = not ray.is_initialized()
    if started:
        _start(ray, address, workers)
    try:
        yield from _found(ray, search, chunks, k)
    finally:
        if started:
            ray.shutdown()


def _ray() -> Any:
    with warnings.catch_warnings():
        # Ray warns of its own future; a person who looks for partners can do nothing about it.
        warnings.simplefilter("ignore")
        try:
            import ray
        except ImportError as error:
            raise MissingPart(
                "Ray is not installed, which --engine ray needs.",
                hint="install it with: pipx install 'mrblue-cli[ray]' (Python 3.13 or older)",
            ) from error
    return ray


def _start(ray: Any, address: str | None, workers: int | None) -> None:
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": False}
    if address is not None:
        options |= {"address": address}
    else:
        options |= {"num_cpus": workers, "include_dashboard": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = address or "on this machine"
        raise ConnectError(
            f"the Ray cluster {where} does not answer: {str(error).splitlines()[0]}",
            hint="see that it runs (ray status), or leave --ray-address out to start one here",
        ) from error


def _found(ray: Any, search: Search, chunks: Chunks, k: int) -> Iterator[Part]:
    shared = ray.put(search)
    task = ray.remote(_find)
    left = iter(chunks)
    room = max(1, int(ray.cluster_resources().get("CPU", 1))) * _WAITING_PER_CORE
    waiting = [task.remote(shared, number, rows, k) for number, rows in islice(left, room)]
    try:
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            waiting += [task.remote(shared, number, rows, k) for number, rows in islice(left, 1)]
            yield ray.get(done[0])
    except KeyboardInterrupt:
        done, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=0) if waiting else ([], [])
        yield from ray.get(done)
        for chunk in waiting:
            ray.cancel(chunk)
        raise


def _find(search: Search, number: int, rows: Ints, k: int) -> Part:
    """What a worker does."""
    if search.engine == "compiled":
        compiled_folder()
    found = search.find(rows, k)
    return number, found.rows, found.scores
