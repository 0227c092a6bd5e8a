"""Whether two searches are the same one: a digest of people, recipe, and what is asked. PURE."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Ints, Ragged
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.recipe import Recipe

_NUMBERS = (
    *("leader_level", "follower_level", "lat", "lon", "age", "age_min", "age_max"),
    *("max_km", "level_min", "level_max", "lead_share"),
)


def search_digest(community: Community, recipe: Recipe, rows: Ints, k: int, engine: str) -> str:
    """64 hexadecimal digits. Equal for equal people in any order of input; anything that a score reads changes it."""
    made = hashlib.blake2b(digest_size=32)
    names = (community.city_names, community.country_names, community.region_names)
    texts = (community.ids, *(book.names for book in (*names, community.style_names, community.music_names)))
    made.update(msgspec.json.encode([engine, k, recipe, [len(column) for column in texts]], order="deterministic"))
    for column in texts:
        # A length before each name: no two lists of names make the same text.
        made.update("".join(f"{len(name)}:{name}" for name in column).encode("utf-8", "surrogatepass"))
    arrays: list[npt.NDArray[Any]] = [
        community.roles,
        community.asks_age,
        community.city,
        community.country,
        community.region,
        rows,
    ]
    arrays += [community.number(name) for name in _NUMBERS]
    ragged: tuple[Ragged, ...] = (
        *(community.style_tags, community.music_tags, community.music_weights, community.hours),
        *(community.blocked, community.partners, community.history, community.history_counts),
    )
    for part in ragged:
        arrays += [part.start, part.values]
    for array in arrays:
        made.update(f"|{array.dtype}{array.shape}".encode())
        made.update(np.ascontiguousarray(array).view(np.uint8).data)
    return made.hexdigest()
