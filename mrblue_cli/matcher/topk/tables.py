"""The columns of the index for exact top-k, as the compiled search reads them. PURE.

People stand in tree order: those of one group together, in it those of whom the same things are known, in it near ones
side by side, in it alike tastes side by side. Nodes cover runs of people (leaves) or runs of nodes. Every array is
read-only, so that one compiled form serves arrays of this process and shared ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Floats, Ints, Words

Small = npt.NDArray[np.int32]

# Columns of `numbers`: unit vector, latitude in radians and its cosine, longitude in degrees, age, wished ages, sum of
# weights of music tags.
X, Y, Z, PHI, COS, LON, AGE, AGE_MIN, AGE_MAX, MUSIC = range(10)
# Columns of `node_numbers`: least x, y, z and most x, y, z, least and most age, least AGE_MIN, most AGE_MAX, least
# MUSIC.
YOUNGEST, OLDEST, LEAST_ASKED, MOST_ASKED, LEAST_MUSIC = range(6, 11)
# Columns of `bits` and `node_bits`: style tags (64 at most, folded if there are more), hours of the week, music tags.
STYLE_BITS, HOUR_BITS, MUSIC_BITS, STYLE_ALL = 0, 1, 4, 5
# Columns of `facts`.
ROW, STYLES, EXTRA, CITY, COUNTRY, GROUP, FLAGS = range(7)
# Columns of `node_facts`. Where all people below a node agree, the last three name one of them (-1: they do not): the
# place in tree order of somebody at their coordinates, the row of somebody with their free time, with their music.
FIRST, LAST, LEAF, LOW_ROW, FEWEST, CITY_LOW, COUNTRY_LOW, CITY_HIGH, COUNTRY_HIGH = range(9)
NODE_GROUP, NODE_FLAGS = 9, 10
SPOT, SAME_HOURS, SAME_MUSIC = 11, 12, 13
# Columns of `asked`, for --strict.
MAX_KM, LEVEL_MIN, LEVEL_MAX = range(3)
# The column of `shares` after the weights.
START = 7
# What is known of a person; of a pair, both with the same bit: that criterion is known. PLACED and NAMED: either does.
PLACED, NAMED, STYLED, TIMED, TUNED, AGED = 1, 2, 4, 8, 16, 32
# What is known of a pair, as rows of `shares`: bit 0 the level, bit 1 the location, then as above.
LEVELLED, LOCATED = 1, 2
PATTERNS = 64


class Tables(NamedTuple):
    """Everything that a search reads. n people, m nodes, g groups."""

    numbers: Floats
    """[n, 10] NaN: unknown; open ends of ages infinite."""
    bits: Words
    """[n, 5]"""
    facts: Small
    """[n, 7] EXTRA: tags beyond the bits they set, where several tags share a bit."""
    asked: Floats
    """[n, 3] wishes; [0, 3] unless wishes exclude."""
    asks_age: npt.NDArray[np.bool_]
    """[n]"""
    place_of: Small
    """[n] place in tree order of each row."""
    node_numbers: Floats
    """[m, 11]"""
    node_bits: Words
    """[m, 6] union of the bits; STYLE_ALL: tags that everybody has."""
    node_facts: Small
    """[m, 14] FEWEST: least number of style tags."""
    root_start: Small
    """[g + 1] of each group, the first node of its run of roots."""
    group_facts: Floats
    """[g, 3] roles, leader level, follower level."""
    order: Small
    """[g, g] groups that can dance with a group, by falling bound; -1 after the last."""
    order_bound: Floats
    """[g, g] their bounds."""
    between: Floats
    """[g, g, 2] scores of role and level; NaN unknown."""
    shares: Floats
    """[64, 8] by what is known of a pair: weights of role, level, location, style, schedule, music and age; what the
    sum begins with, which is 50 when all weight lies on unknowns, else 0."""
    style_start: Ints
    """[n + 1] by row, codes of style tags."""
    style_tags: Ints
    hour_start: Ints
    """[n + 1] by row, free minutes."""
    hours: Ints
    music_start: Ints
    """[n + 1] by row, codes and weights of music tags."""
    music_tags: Ints
    music_weights: Floats
    blocked_start: Ints
    """[n + 1] by row, rows that must not meet it, whoever asked for it, ascending."""
    blocked: Ints
    settings: Floats
    """Minutes of a session; 1 if style tags share bits; 1 if wishes exclude."""


def frozen(array: npt.NDArray[Any], dtype: type) -> npt.NDArray[Any]:
    """In this type, in row order, read-only."""
    made: npt.NDArray[Any] = np.array(array, dtype=dtype, order="C", copy=None)
    if made.flags.writeable:
        made = made.view()
        made.flags.writeable = False
    return made
