"""Builds the index of exact top-k: groups, trees, and what groups are worth to each other. PURE. numpy alone.

Reference section 5. A group is everybody with the same roles and levels; within it people are told apart by what is
known of them, so that all below a root lack the same things and a bound can count an unknown for what it counts.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from mrblue_cli.matcher import registry
from mrblue_cli.matcher.columns import Floats, Ints, Ragged, Words
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import level, role
from mrblue_cli.matcher.recipe import Choice, Recipe
from mrblue_cli.matcher.topk.tables import (
    AGED,
    LEVELLED,
    LOCATED,
    NAMED,
    PATTERNS,
    PLACED,
    START,
    STYLED,
    TIMED,
    TUNED,
    Tables,
    frozen,
)  # fmt: skip

SLOTS = ("role", "level", "location", "style", "schedule", "music", "age")
"""In the order of summation."""
_FORMS = {
    "role": ("role.orient",),
    "location": ("geo.half",),
    "style": ("set.jaccard",),
    "schedule": ("time.enough",),
    "music": ("taste.ruzicka",),
    "age": ("age.window",),
}
_KNOWN = {"level": LEVELLED, "location": LOCATED, "style": STYLED, "schedule": TIMED, "music": TUNED, "age": AGED}
"""Bit of each slot in a row of `shares`; the role is always known."""
LEAF = 16
FANOUT = 4
CELL_DEGREES = 0.08
"""About 9 km: people within it are ordered by taste, because 5 km cost nothing and 10 km cost 2 points of 100."""
MOST_GROUPS = 1500
"""Half steps give 440. More would make the tables between groups larger than the people."""
_MINUTES = 3 * 64 * 60
"""What the hour masks hold; a week has 10,080."""


class Trees(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes by level, leaves first, and the roots."""

    starts: list[Ints]
    """Per level, the first person (leaves) or first node of the level below."""
    roots: Ints
    """Node of each segment, in the order of segments."""
    segments: Ints
    """First person of each segment."""


def supports(community: Community, recipe: Recipe) -> bool:
    """Whether this recipe can be bounded by groups: each criterion with weight is one of those of section 5."""
    if recipe.aggregate != "agg.mean" or not len(community):
        return False
    for choice in recipe.choices:
        if choice.weight > 0 and choice.entry not in _allowed(choice.slot):
            return False
    if _choice(recipe, "style").parameters.get("of", "styles") != "styles":
        return False
    minutes = community.hours.values
    if len(minutes) and (minutes.min() < 0 or minutes.max() > _MINUTES):
        return False
    return len(_groups(community)[0]) <= MOST_GROUPS


def _allowed(slot: str) -> tuple[str, ...]:
    return tuple(level.COMPARES) if slot == "level" else _FORMS.get(slot, ())


def _choice(recipe: Recipe, slot: str) -> Choice:
    return next((choice for choice in recipe.choices if choice.slot == slot), Choice(slot=slot, entry="", weight=0.0))


def _groups(community: Community) -> tuple[Ints, Ints]:
    """[groups] a row of each group, and [n] the group of each row. All unknown levels are one level."""
    key = community.roles.astype(np.int64)
    for levels in (community.leader_level, community.follower_level):
        codes = np.unique(levels, return_inverse=True, equal_nan=True)[1].ravel()
        key = key * (int(codes.max()) + 1) + codes
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), group.ravel().astype(np.int64)


def build(community: Community, recipe: Recipe) -> Tables:
    """The index of one community for one recipe. Call `supports` first."""
    n = len(community)
    first, group = _groups(community)
    flags = _flags(community, recipe)
    style_bits, extra, wide = _style_bits(community)
    hours = _hour_bits(community.hours)
    music = _folded(community.music_tags)
    order = _tree_order(community, group * PATTERNS + flags, flags, style_bits, hours)
    numbers = _numbers(community)[order]
    bits = np.column_stack([style_bits, hours, music])[order]
    facts = np.column_stack(
        [np.arange(n), community.style_tags.sizes, extra, community.city, community.country, group, flags]
    )[order]
    asked = np.column_stack([community.number(name) for name in ("max_km", "level_min", "level_max")])
    place_of = np.empty(n, dtype=np.int32)
    place_of[order] = np.arange(n, dtype=np.int32)
    trees = _trees(facts[:, 5] * PATTERNS + facts[:, 6])
    alike = np.column_stack([_alike([community.hours]), _alike([community.music_tags, community.music_weights])])
    nodes = _nodes(trees, numbers, bits, facts, alike[order])
    # Roots stand once more after all nodes, by group, so that those of a group are one run.
    root_start = len(nodes["node_bits"]) + np.searchsorted(facts[trees.segments, 5], np.arange(len(first) + 1))
    nodes = {name: np.concatenate([column, column[trees.roots]]) for name, column in nodes.items()}
    shares = _shares(recipe)
    blocked = _blocked(community)
    members = np.column_stack([community.roles, community.leader_level, community.follower_level])[first]
    session = float(_choice(recipe, "schedule").parameters.get("session_minutes", 120.0))
    made: dict[str, Any] = {
        "numbers": numbers, "bits": bits, "facts": facts, "asked": asked[order if recipe.strict else order[:0]],
        "asks_age": community.asks_age[order], "place_of": place_of, **nodes,
        "root_start": root_start, "group_facts": members, "shares": shares,
        **_between(community, recipe, first, shares),
        "style_start": community.style_tags.start, "style_tags": community.style_tags.values,
        "hour_start": community.hours.start, "hours": community.hours.values,
        "music_start": community.music_tags.start, "music_tags": community.music_tags.values,
        "music_weights": community.music_weights.values,
        "blocked_start": blocked.start, "blocked": blocked.values,
        "settings": np.array([session, float(wide), float(recipe.strict)]),
    }  # fmt: skip
    return Tables(**{name: frozen(array, _TYPES.get(name, np.float64)) for name, array in made.items()})


_TYPES: dict[str, type] = {
    **dict.fromkeys(("bits", "node_bits"), np.uint64),
    **dict.fromkeys(("facts", "place_of", "node_facts", "root_start", "order"), np.int32),
    **dict.fromkeys(
        ("style_start", "style_tags", "hour_start", "hours", "music_start", "music_tags", "blocked_start", "blocked"),
        np.int64,
    ),
    "asks_age": np.bool_,
}


def _flags(community: Community, recipe: Recipe) -> Ints:
    """What is known of each person. What has no weight tells nobody apart, except where people live."""
    known = {
        PLACED: ~(np.isnan(community.lat) | np.isnan(community.lon)),
        NAMED: community.country >= 0,
        STYLED: (community.style_tags.sizes > 0) & (recipe.weight("style") > 0),
        TIMED: (community.hours.sizes > 0) & (recipe.weight("schedule") > 0),
        TUNED: (community.music_tags.sizes > 0) & (recipe.weight("music") > 0),
        AGED: community.asks_age & ~np.isnan(community.age) & (recipe.weight("age") > 0),
    }
    return np.asarray(sum(there.astype(np.int64) * bit for bit, there in known.items()))


def _style_bits(community: Community) -> tuple[Words, Ints, bool]:
    """[n] tags as bits, [n] how many tags found their bit taken, and whether tags share bits at all.

    Frequent tags get the high bits, so that sorting by the mask puts alike tastes side by side.
    """
    tags = community.style_tags.values.astype(np.int64)
    often = np.bincount(tags, minlength=len(community.style_names))
    rank = np.empty(len(often), dtype=np.int64)
    rank[np.argsort(-often, kind="stable")] = np.arange(len(often))
    masks = _folded(Ragged(community.style_tags.start, 63 - np.minimum(rank, 63)[tags] if len(tags) else tags))
    return masks, community.style_tags.sizes - np.bitwise_count(masks), len(often) > 64


def _folded(ragged: Ragged) -> Words:
    """[n] codes as bits, 64 apart sharing one."""
    owner = np.repeat(np.arange(len(ragged.start) - 1), ragged.sizes)
    masks = np.zeros(len(ragged.start) - 1, dtype=np.uint64)
    np.bitwise_or.at(masks, owner, np.uint64(1) << (ragged.values.astype(np.int64) % 64).astype(np.uint64))
    return masks


def _hour_bits(hours: Ragged) -> Words:
    """[n, 3] hours of the week that somebody's free time touches, as bits."""
    found = np.zeros((len(hours.start) - 1, 3), dtype=np.uint64)
    owner = np.repeat(np.arange(len(hours.start) - 1), hours.sizes // 2)
    values = hours.values.astype(np.int64)
    first, last = values[::2] // 60, (values[1::2] - 1) // 60
    for word in range(3):
        low, high = np.maximum(first - 64 * word, 0), np.minimum(last - 64 * word, 63)
        there = low <= high
        shift = np.where(there, 63 - (high - low), 0).astype(np.uint64)
        ones = (np.uint64(0xFFFFFFFFFFFFFFFF) >> shift) << np.where(there, low, 0).astype(np.uint64)
        np.bitwise_or.at(found[:, word], owner, np.where(there, ones, np.uint64(0)))
    return found


def _spread(values: Ints) -> Ints:
    """The bits of numbers below 2^16, each followed by a zero."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | (values << shift)) & mask
    return values


def _tree_order(community: Community, segment: Ints, flags: Ints, style_bits: Words, hours: Words) -> Ints:
    """[n] rows in tree order: segment, cell on a Z-shaped curve (or country and city), tags, hours, row."""
    lat, lon = np.nan_to_num(community.lat), np.nan_to_num(community.lon)
    north = ((lat + 90) / CELL_DEGREES).astype(np.int64)
    # Cells of one row are as wide as they are high.
    east = ((lon + 180) * np.cos(np.radians((north + 0.5) * CELL_DEGREES - 90)) / CELL_DEGREES).astype(np.int64)
    cell = _spread(np.clip(north, 0, 65535)) | (_spread(np.clip(east, 0, 65535)) << 1)
    named = np.unique(
        (community.country + 1) * (int(community.city.max()) + 2) + community.city + 1, return_inverse=True
    )
    cell = np.where(flags & PLACED, cell, named[1].ravel())
    return np.lexsort((hours[:, 0], hours[:, 1], style_bits, cell, segment))


def _numbers(community: Community) -> Floats:
    """[n, 10] unit vectors for bounds; what the exact distance reads, with the plain form's cosine; ages; music."""
    phi, turn = np.radians(community.lat), np.radians(community.lon)
    cosine = np.array([math.cos(value) for value in phi.tolist()])
    low = np.nan_to_num(community.number("age_min"), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
    high = np.nan_to_num(community.number("age_max"), nan=np.inf, neginf=-np.inf, posinf=np.inf)
    vector = cosine * np.cos(turn), cosine * np.sin(turn), np.sin(phi)
    owner = np.repeat(np.arange(len(community)), community.music_weights.sizes)
    music = np.bincount(owner, weights=community.music_weights.values, minlength=len(community))
    return np.column_stack([*vector, phi, cosine, community.lon, community.age, low, high, music])


def _pieces(owner: Ints, size: int) -> Ints:
    """Starts of pieces of at most `size`, none across two owners; `owner` is sorted."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    offset = np.arange(len(owner)) - np.repeat(starts, np.diff(np.r_[starts, len(owner)]))
    return np.flatnonzero(offset % size == 0)


def _trees(segment: Ints) -> Trees:
    """Runs of people, runs of runs, up to one root for each segment."""
    segments = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    roots = np.full(len(segments), -1, dtype=np.int64)
    starts = [_pieces(segment, LEAF)]
    owner = np.searchsorted(segments, starts[0], side="right") - 1
    below = 0
    while True:
        count = np.bincount(owner, minlength=len(segments))
        single = count[owner] == 1
        roots[owner[single]] = below + np.flatnonzero(single)
        if single.all():
            return Trees(starts=starts, roots=roots, segments=segments)
        # A level holds only what still has no root; its nodes point below.
        kept = np.flatnonzero(~single)
        pieces = _pieces(owner[kept], FANOUT)
        below, offset = below + len(owner), below
        starts.append(offset + kept[pieces])
        owner = owner[kept[pieces]]


def _alike(columns: list[Ragged]) -> Ints:
    """[n] for each row the first one that has the very same values in all columns."""
    first = columns[0]
    key = first.sizes.astype(np.uint64)
    within = np.arange(len(first.values), dtype=np.int64) - np.repeat(first.start[:-1], first.sizes)
    for column in columns:
        words = np.ascontiguousarray(column.values).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        words = (words ^ (words >> np.uint64(29))) * (2 * within.astype(np.uint64) + np.uint64(0xBF58476D1CE4E5B9))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words ^ (words >> np.uint64(32)), dtype=np.uint64)])
        key = key * np.uint64(0x94D049BB133111EB) + np.diff(sums[first.start])
    _, found, code = np.unique(key, return_index=True, return_inverse=True)
    mine = found[code.ravel()]
    # Equal keys are a guess: who differs from the first of the key stands alone.
    same = first.sizes == first.sizes[mine]
    owner = np.repeat(np.arange(len(same)), first.sizes)[np.repeat(same, first.sizes)]
    place = within[np.repeat(same, first.sizes)]
    for column in columns:
        differs = column.values[first.start[owner] + place] != column.values[first.start[mine[owner]] + place]
        same[owner[differs]] = False
    return np.where(same, mine, np.arange(len(same)))


def _nodes(trees: Trees, numbers: Floats, bits: Words, facts: Ints, alike: Ints) -> dict[str, Any]:
    """Columns of all nodes, leaves first. `alike` [n, 2]: by whose row free time and music go."""
    leaves = trees.starts[0]
    last = np.r_[leaves[1:], len(facts)]
    lower = np.column_stack([numbers[:, :3], np.nan_to_num(numbers[:, 6], nan=np.inf), numbers[:, [7, 9]]])
    upper = np.column_stack([numbers[:, :3], np.nan_to_num(numbers[:, 6], nan=-np.inf), numbers[:, 8]])
    lower, upper = np.minimum.reduceat(lower, leaves), np.maximum.reduceat(upper, leaves)
    places = numbers[:, [3, 5]]
    one_place = (np.minimum.reduceat(places, leaves) == np.maximum.reduceat(places, leaves)).all(axis=1)
    agreed = np.minimum.reduceat(alike, leaves) == np.maximum.reduceat(alike, leaves)
    level = _Level(
        first=leaves,
        last=last,
        low=np.minimum.reduceat(facts[:, [0, 1, 3, 4]], leaves),
        high=np.maximum.reduceat(facts[:, [3, 4]], leaves),
        segment=facts[leaves, 5:7],
        same=np.column_stack([np.where(one_place, leaves, -1), np.where(agreed, alike[leaves], -1)]),
        lower=lower,
        upper=upper,
        masks=np.column_stack([np.bitwise_or.reduceat(bits, leaves), np.bitwise_and.reduceat(bits[:, 0], leaves)]),
    )
    levels, below = [level], 0
    for starts in trees.starts[1:]:
        levels.append(_above(levels[-1], starts - below, below, places))
        below += len(levels[-2].first)
    facts_of = [
        np.column_stack([one.first, one.last, np.full(len(one.first), one is level), one.low, one.high, one.segment])
        for one in levels
    ]
    return {
        "node_facts": np.column_stack([np.concatenate(facts_of), np.concatenate([one.same for one in levels])]),
        "node_numbers": np.concatenate([one.numbers() for one in levels]),
        "node_bits": np.concatenate([one.masks for one in levels]),
    }  # fmt: skip


class _Level(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes of one height."""

    first: Ints
    last: Ints
    low: Ints
    """[nodes, 4] least row, number of style tags, city, country."""
    high: Ints
    """[nodes, 2] highest city, country."""
    segment: Ints
    """[nodes, 2] group, flags."""
    same: Ints
    """[nodes, 3] SPOT, SAME_HOURS, SAME_MUSIC."""
    lower: Floats
    """[nodes, 6] least x, y, z, age, AGE_MIN, MUSIC."""
    upper: Floats
    """[nodes, 5] most x, y, z, age, AGE_MAX."""
    masks: Words

    def numbers(self) -> Floats:
        """[nodes, 11] as `Tables.node_numbers`."""
        low, high = self.lower, self.upper
        return np.column_stack([low[:, :3], high[:, :3], low[:, 3], high[:, 3], low[:, 4], high[:, 4], low[:, 5]])


def _above(under: _Level, starts: Ints, offset: int, places: Floats) -> _Level:
    """One level from the level below. `starts` are positions in it, `offset` is its first node.

    Nodes of that level that are roots stand between the others; a node ends where its segment ends.
    """
    key = under.segment[:, 0] * PATTERNS + under.segment[:, 1]
    ends = np.minimum(starts + FANOUT, np.searchsorted(key, key[starts], side="right"))
    # Pairs of start and end: every second result is that of a node, the others lie between and are dropped.
    cuts = np.column_stack([starts, ends]).ravel()

    def over(values: Any, reduce: Any) -> Any:
        return reduce.reduceat(np.concatenate([values, values[-1:]]), cuts)[::2]

    # All below agree if each node agrees within, and these agree with each other.
    held = np.where(under.same[:, :1] >= 0, places[np.maximum(under.same[:, 0], 0)], np.nan)
    one_place = (over(held, np.minimum) == over(held, np.maximum)).all(axis=1)
    agreed = over(under.same[:, 1:], np.minimum) == over(under.same[:, 1:], np.maximum)
    same = np.where(np.column_stack([one_place, agreed]), under.same[starts], -1)
    return _Level(
        first=starts + offset,
        last=ends + offset,
        low=over(under.low, np.minimum),
        high=over(under.high, np.maximum),
        segment=under.segment[starts],
        same=same,
        lower=over(under.lower, np.minimum),
        upper=over(under.upper, np.maximum),
        masks=np.column_stack([over(under.masks[:, :5], np.bitwise_or), over(under.masks[:, 5], np.bitwise_and)]),
    )


def _shares(recipe: Recipe) -> Floats:
    """[64, 8] weights, and what a sum begins with, by what is known of a pair, as `scoring` forms them."""
    weights = [recipe.weight(slot) for slot in SLOTS]
    shares = np.zeros((PATTERNS, len(SLOTS) + 1))
    for pattern in range(PATTERNS):
        if recipe.missing == "half":
            shares[pattern, :START] = weights
            continue
        known = [slot == "role" or pattern & _KNOWN[slot] > 0 for slot in SLOTS]
        total = 0.0
        for weight, there in zip(weights, known, strict=True):
            total += weight if there else 0.0
        if total:
            shares[pattern, :START] = [
                weight / total if there else 0.0 for weight, there in zip(weights, known, strict=True)
            ]
        else:
            shares[pattern, START] = 50.0
    return shares


def _between(community: Community, recipe: Recipe, first: Ints, shares: Floats) -> dict[str, Any]:
    """What groups are worth to each other, from one person of each: all of a group have the same roles and levels."""
    count = len(first)
    left, right = np.repeat(first, count), np.tile(first, count)
    values = {}
    for slot in ("role", "level"):
        choice = _choice(recipe, slot)
        # Without weight any form would do; the number counts nothing.
        entry = registry.find(
            choice.entry if choice.weight > 0 else {"role": "role.orient", "level": "level.table"}[slot]
        )
        parameters = choice.parameters if choice.weight > 0 else {}
        assert entry.fast is not None  # noqa: S101 - each criterion has one
        values[slot] = entry.fast(community, left, right, **parameters).reshape(count, count)
    able = role.orientations(community, left, right).reshape(count, count) > 0
    bound = np.where(able, _most(values["role"], values["level"], shares, recipe), -np.inf)
    order = np.argsort(-bound, axis=1, kind="stable")
    bound = np.take_along_axis(bound, order, axis=1)
    return {
        "order": np.where(np.isfinite(bound), order, -1),
        "order_bound": bound,
        "between": np.stack(list(values.values()), axis=2),
    }


def _most(roles: Floats, levels: Floats, shares: Floats, recipe: Recipe) -> Floats:
    """[g, g] the most that two groups' people can score with each other, whatever else is known of them."""
    rest = LOCATED | STYLED | TIMED | TUNED | AGED
    # Counting an unknown as 50 gives most when all is known; sharing its weight may give most with something unknown.
    patterns = (
        [rest] if recipe.missing == "half" else [pattern for pattern in range(PATTERNS) if not pattern & LEVELLED]
    )
    unknown = np.isnan(levels)
    full = np.where(unknown, 50.0, levels)
    most = np.full(roles.shape, -np.inf)
    for pattern in patterns:
        # One row of `shares` where the level is known, the other where it is not.
        known, lacking = shares[pattern | LEVELLED], shares[pattern]
        begin = np.where(unknown, lacking[START], known[START])
        total = (begin + np.where(unknown, lacking[0], known[0]) * roles) + np.where(
            unknown, lacking[1], known[1]
        ) * full
        for slot in range(2, len(SLOTS)):
            total = total + np.where(unknown, lacking[slot], known[slot]) * 100.0
        most = np.maximum(most, total)
    return most


def _blocked(community: Community) -> Ragged:
    """By row, everybody who must not meet it, whoever asked, ascending."""
    owner = np.repeat(np.arange(len(community), dtype=np.int64), community.blocked.sizes)
    other = community.blocked.values.astype(np.int64)
    pairs = np.unique(np.column_stack([np.r_[owner, other], np.r_[other, owner]]), axis=0)
    return Ragged(np.searchsorted(pairs[:, 0], np.arange(len(community) + 1)), pairs[:, 1])
