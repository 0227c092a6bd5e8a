"""The compiled search: best first through the trees of the index, exact. PURE. Imports numba: load it only to use it.

Reference section 5. Nodes wait in a queue by falling bound, then by their smallest row. A bound is summed in the very
order of a score, from parts that are each no smaller than the part of any pair below the node; rounding is monotone,
so a bound is never below such a score, not even by the last bit. That is what makes ties come out by the smallest id
without looking at all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

from mrblue_cli.matcher.criteria.geo import ABROAD, EARTH_KM, HALF_KM, NEAR_KM, SAME_CITY, SAME_COUNTRY
from mrblue_cli.matcher.topk.tables import (
    AGE, AGE_MAX, AGE_MIN, AGED, CITY, CITY_HIGH, CITY_LOW, COS, COUNTRY, COUNTRY_HIGH, COUNTRY_LOW, EXTRA, FEWEST,
    FIRST, FLAGS, FOLLOWER_LEVEL, GROUP, HOUR_BITS, LAST, LEADER_LEVEL, LEAF, LEVEL_MAX, LEVEL_MIN, LEVELLED, LOCATED,
    LON, LOW_ROW, MAX_KM, MUSIC_BITS, NAMED, NODE_FLAGS, NODE_GROUP, PHI, PLACED, ROW, SPOT, STYLE_ALL, STYLE_BITS, STYLED,
    STYLES, TIMED, TUNED, X,
)  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
UNKNOWN = 50.0
_RADIAN = math.pi / 180
_SLACK_KM = 1e-6
"""Far above the rounding of coordinates and chords (1e-11 km), far below what matters."""
NODES, LOOKED, SCORED = 0, 1, 2
"""Counters: nodes opened, people looked at, pairs scored in full."""


def compiled(function: F) -> F:
    """Compiled, without the interpreter's lock, kept on disk where there is a place for it."""
    try:
        made = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to keep it in: it is compiled again in each process
        made = njit(nogil=True)(function)
    return made  # type: ignore[no-any-return]


@njit(inline="never")
def _ones(word: Any) -> Any:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def _decay(km: Any) -> Any:
    return 100.0 * math.exp2(-max(0.0, km - NEAR_KM) / HALF_KM)


@njit
def _km(point: Any, a: Any, b: Any) -> Any:
    half = math.sin((point[b, PHI] - point[a, PHI]) / 2)
    turn = math.sin((point[b, LON] - point[a, LON]) * _RADIAN / 2)
    half = half * half + point[a, COS] * point[b, COS] * (turn * turn)
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


@njit
def _least_km(point: Any, box: Any, q: Any, node: Any) -> Any:
    """No more than the distance to anybody in the box: an arc is no shorter than its chord."""
    chord = 0.0
    for axis in range(3):
        at = point[q, X + axis]
        off = max(box[node, axis] - at, at - box[node, axis + 3])
        if off > 0:
            chord += off * off
    return EARTH_KM * math.sqrt(chord) - _SLACK_KM


@njit
def _by_name(facts: Any, q: Any, p: Any) -> Any:
    if facts[q, COUNTRY] != facts[p, COUNTRY]:
        return ABROAD
    return SAME_CITY if facts[q, CITY] == facts[p, CITY] and facts[q, CITY] >= 0 else SAME_COUNTRY


@njit
def _hours_at_most(bits: Any, q: Any, others: Any, other: Any, session: Any) -> Any:
    common = 0
    for word in range(HOUR_BITS, HOUR_BITS + 3):
        common += _ones(bits[q, word] & others[other, word])
    return 100.0 * min(1.0, 60 * common / session)


@njit
def _minutes(start: Any, hours: Any, a: Any, b: Any) -> Any:
    """Minutes in common: both lists are sorted, so one walk over the two will do."""
    i, j, common = start[a], start[b], 0
    while i < start[a + 1] and j < start[b + 1]:
        low, high = max(hours[i], hours[j]), min(hours[i + 1], hours[j + 1])
        if high > low:
            common += high - low
        if hours[i + 1] < hours[j + 1]:
            i += 2
        else:
            j += 2
    return common


@njit
def _common(start: Any, tags: Any, a: Any, b: Any) -> Any:
    """Tags in common, by walking two sorted lists."""
    i, j, common = start[a], start[b], 0
    while i < start[a + 1] and j < start[b + 1]:
        if tags[i] == tags[j]:
            common += 1
        step = tags[i] <= tags[j]
        if tags[j] <= tags[i]:
            j += 1
        if step:
            i += 1
    return common


@njit
def _ruzicka(start: Any, tags: Any, weights: Any, a: Any, b: Any) -> Any:
    i, j, least, most = start[a], start[b], 0.0, 0.0
    while i < start[a + 1] or j < start[b + 1]:
        if j == start[b + 1] or (i < start[a + 1] and tags[i] < tags[j]):
            most += weights[i]
            i += 1
        elif i == start[a + 1] or tags[j] < tags[i]:
            most += weights[j]
            j += 1
        else:
            least += min(weights[i], weights[j])
            most += max(weights[i], weights[j])
            i += 1
            j += 1
    return 100.0 * least / most


@njit
def _music_at_most(start: Any, tags: Any, weights: Any, row: Any, union: Any) -> Any:
    """The share of one's own weights whose tags may be there: the larger weights are at least one's own."""
    hit, total = 0.0, 0.0
    for at in range(start[row], start[row + 1]):
        total += weights[at]
        if union >> np.uint64(tags[at] % 64) & np.uint64(1):
            hit += weights[at]
    return min(100.0, 100.0 * hit / total * (1 + 1e-9))


@njit
def _wishes_met(t: Any, a: Any, b: Any, km: Any) -> Any:
    """Whether nothing that a asked for is known to be missing in b."""
    if km > t.asked[a, MAX_KM]:
        return False
    if not _level_met(t, a, t.group_facts[t.facts[a, GROUP], 0], t.group_facts[t.facts[b, GROUP]]):
        return False
    if t.asks_age[a] and t.asks_age[b] and t.ages[a, AGE] == t.ages[a, AGE] and t.ages[b, AGE] == t.ages[b, AGE]:
        return t.ages[a, AGE_MIN] <= t.ages[b, AGE] <= t.ages[a, AGE_MAX]
    return True


@njit
def _level_met(t: Any, a: Any, roles: Any, other: Any) -> Any:
    """Whether some known level of the other, in a role in which the two could dance, is in the range asked for."""
    low, high = t.asked[a, LEVEL_MIN], t.asked[a, LEVEL_MAX]
    if low != low and high != high:
        return True
    known, inside = False, False
    ours, theirs = int(roles), int(other[0])
    for mine, role, column in ((2, 1, 1), (1, 2, 2)):
        level = other[column]
        if ours & mine and theirs & role and level == level:
            known = True
            inside = inside or ((low != low or low <= level) and (high != high or level <= high))
    return inside or not known


@njit
def _push(bounds: Any, lows: Any, nodes: Any, size: Any, bound: Any, low: Any, node: Any) -> Any:
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if bounds[above] > bound or (bounds[above] == bound and lows[above] <= low):
            break
        bounds[at], lows[at], nodes[at] = bounds[above], lows[above], nodes[above]
        at = above
    bounds[at], lows[at], nodes[at] = bound, low, node


@njit
def _sink(bounds: Any, lows: Any, nodes: Any, size: Any) -> Any:
    """Takes the first away: the last of `size` entries sinks from the top; the new size is one less."""
    size -= 1
    bound, low, node = bounds[size], lows[size], nodes[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and (
            bounds[other] > bounds[below] or (bounds[other] == bounds[below] and lows[other] < lows[below])
        ):
            below = other
        if bound > bounds[below] or (bound == bounds[below] and low <= lows[below]):
            break
        bounds[at], lows[at], nodes[at] = bounds[below], lows[below], nodes[below]
        at = below
    bounds[at], lows[at], nodes[at] = bound, low, node


@njit
def _keep(scores: Any, rows: Any, size: Any, score: Any, row: Any) -> Any:
    """Into the heap of the best, the worst on top; the new size. The caller saw that it belongs there."""
    if size < len(scores):
        at = size
        size += 1
        while at > 0:
            above = (at - 1) >> 1
            if scores[above] < score or (scores[above] == score and rows[above] > row):
                break
            scores[at], rows[at] = scores[above], rows[above]
            at = above
    else:
        at = 0
        while True:
            below = 2 * at + 1
            if below >= size:
                break
            other = below + 1
            if other < size and (
                scores[other] < scores[below] or (scores[other] == scores[below] and rows[other] > rows[below])
            ):
                below = other
            if score < scores[below] or (score == scores[below] and row > rows[below]):
                break
            scores[at], rows[at] = scores[below], rows[below]
            at = below
    scores[at], rows[at] = score, row
    return size


@njit
def _place_at_most(t: Any, q: Any, node: Any, shared: Any) -> Any:
    if not shared & (PLACED | NAMED):
        return UNKNOWN
    first = t.node_facts[node, FIRST]
    if shared & PLACED:
        if t.node_facts[node, SPOT] >= 0:
            return _decay(_km(t.point, q, t.node_facts[node, SPOT]))
        return _decay(_least_km(t.point, t.node_box, q, node))
    country, city = t.facts[q, COUNTRY], t.facts[q, CITY]
    if country < t.node_facts[node, COUNTRY_LOW] or country > t.node_facts[node, COUNTRY_HIGH]:
        return ABROAD
    if city >= 0 and t.node_facts[node, CITY_LOW] <= city <= t.node_facts[node, CITY_HIGH]:
        return SAME_CITY
    return SAME_COUNTRY


@njit
def _pattern(t: Any, q: Any, group: Any, flags: Any) -> Any:
    """What is known of a pair, as a row of `shares`."""
    shared = t.facts[q, FLAGS] & flags
    level = t.level[t.facts[q, GROUP], group]
    return (
        (LEVELLED if level == level else 0)
        | (LOCATED if shared & (PLACED | NAMED) else 0)
        | (shared & (STYLED | TIMED | TUNED | AGED))
    )


@njit
def _base(t: Any, q: Any, group: Any, pattern: Any) -> Any:
    mine = t.facts[q, GROUP]
    level = t.level[mine, group]
    if level != level:
        level = UNKNOWN
    return (t.start[pattern] + t.shares[pattern, 0] * t.role[mine, group]) + t.shares[pattern, 1] * level


@njit
def _style(common: Any, ours: Any, theirs: Any) -> Any:
    return 100.0 * common / max(ours + theirs - common, 1)


@njit
def _style_at_most(t: Any, q: Any, node: Any) -> Any:
    mine, ours = t.bits[q, STYLE_BITS], t.facts[q, STYLES]
    common = min(_ones(mine & t.node_bits[node, STYLE_BITS]) + t.facts[q, EXTRA], ours)
    alien = _ones(t.node_bits[node, STYLE_ALL] & ~mine)
    return 100.0 * common / max(ours + max(t.node_facts[node, FEWEST] - common, 0, alien), 1)


@njit
def _age_at_most(t: Any, q: Any, node: Any) -> Any:
    fits = t.ages[q, AGE_MIN] <= t.node_ages[node, 1] and t.node_ages[node, 0] <= t.ages[q, AGE_MAX]
    asked = t.node_ages[node, 2] <= t.ages[q, AGE] <= t.node_ages[node, 3]
    return 100.0 if fits and asked else 0.0


@njit
def _bound(t: Any, q: Any, row: Any, node: Any) -> Any:
    """No less than the score with anybody below the node."""
    group, flags = t.node_facts[node, NODE_GROUP], t.node_facts[node, NODE_FLAGS]
    pattern = _pattern(t, q, group, flags)
    place = _place_at_most(t, q, node, t.facts[q, FLAGS] & flags)
    style = _style_at_most(t, q, node) if pattern & STYLED else UNKNOWN
    time = _hours_at_most(t.bits, q, t.node_bits, node, t.settings[0]) if pattern & TIMED else UNKNOWN
    music, age = UNKNOWN, UNKNOWN
    if pattern & TUNED:
        music = _music_at_most(t.music_start, t.music_tags, t.music_weights, row, t.node_bits[node, MUSIC_BITS])
    if pattern & AGED:
        age = _age_at_most(t, q, node)
    share = t.shares[pattern]
    total = _base(t, q, group, pattern) + share[2] * place
    return (((total + share[3] * style) + share[4] * time) + share[5] * music) + share[6] * age


@njit
def _allowed(t: Any, q: Any, p: Any, row: Any, other: Any) -> Any:
    low, high = t.blocked_start[row], t.blocked_start[row + 1]
    while low < high:
        middle = (low + high) >> 1
        if t.blocked[middle] == other:
            return False
        if t.blocked[middle] < other:
            low = middle + 1
        else:
            high = middle
    if t.settings[2] == 0:
        return True
    # Without coordinates no distance is known, and a distance that is not known breaks no wish.
    km = _km(t.point, q, p) if t.facts[q, FLAGS] & t.facts[p, FLAGS] & PLACED else np.nan
    return _wishes_met(t, q, p, km) and _wishes_met(t, p, q, km)


@njit
def _leaf(t: Any, q: Any, row: Any, node: Any, scores: Any, rows: Any, size: Any, counters: Any) -> Any:
    """Scores the people of a leaf that can still matter; the new size of the heap of the best."""
    group, flags = t.node_facts[node, NODE_GROUP], t.node_facts[node, NODE_FLAGS]
    shared = t.facts[q, FLAGS] & flags
    pattern = _pattern(t, q, group, flags)
    share = t.shares[pattern]
    base = _base(t, q, group, pattern)
    near = base + share[2] * _place_at_most(t, q, node, shared)
    mine, ours, session = t.bits[q, STYLE_BITS], t.facts[q, STYLES], t.settings[0]
    wide, extra = t.settings[1] > 0, t.facts[q, EXTRA]
    style, time, music, age = UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN
    most_music = 100.0 if pattern & TUNED else UNKNOWN
    most_age = 100.0 if pattern & AGED else UNKNOWN
    for p in range(t.node_facts[node, FIRST], t.node_facts[node, LAST]):
        if p == q:
            continue
        other = t.facts[p, ROW]
        counters[LOOKED] += 1
        # Bit masks before distances: style, then hours, then the distance, and the rest only for who is left.
        if pattern & STYLED:
            theirs = t.facts[p, STYLES]
            common = _ones(mine & t.bits[p, STYLE_BITS])
            if wide:
                common = min(common + extra, ours, theirs)
            style = _style(common, ours, theirs)
        if pattern & TIMED:
            time = _hours_at_most(t.bits, q, t.bits, p, session)
        bound = (((near + share[3] * style) + share[4] * time) + share[5] * most_music) + share[6] * most_age
        if size == len(scores) and (bound < scores[0] or (bound == scores[0] and other > rows[0])):
            continue
        if pattern & TIMED:
            time = 100.0 * min(1.0, _minutes(t.hour_start, t.hours, row, other) / session)
        if wide and pattern & STYLED:
            style = _style(_common(t.style_start, t.style_tags, row, other), ours, t.facts[p, STYLES])
        bound = (((near + share[3] * style) + share[4] * time) + share[5] * most_music) + share[6] * most_age
        if size == len(scores) and (bound < scores[0] or (bound == scores[0] and other > rows[0])):
            continue
        place = UNKNOWN
        if shared & PLACED:
            place = _decay(_km(t.point, q, p))
        elif shared & NAMED:
            place = _by_name(t.facts, q, p)
        if pattern & TUNED:
            music = _ruzicka(t.music_start, t.music_tags, t.music_weights, row, other)
        if pattern & AGED:
            fits = t.ages[q, AGE_MIN] <= t.ages[p, AGE] <= t.ages[q, AGE_MAX]
            age = 100.0 if fits and t.ages[p, AGE_MIN] <= t.ages[q, AGE] <= t.ages[p, AGE_MAX] else 0.0
        counters[SCORED] += 1
        total = ((base + share[2] * place) + share[3] * style) + share[4] * time
        total = (total + share[5] * music) + share[6] * age
        if size == len(scores) and (total < scores[0] or (total == scores[0] and other > rows[0])):
            continue
        if _allowed(t, q, p, row, other):
            size = _keep(scores, rows, size, total, other)
    return size


@njit
def _useful(t: Any, q: Any, node: Any) -> Any:
    """Whether q's own hard wish for a distance leaves anybody below the node."""
    limit = t.asked[q, MAX_KM]
    if limit != limit or not t.facts[q, FLAGS] & t.node_facts[node, NODE_FLAGS] & PLACED:
        return True
    return _least_km(t.point, t.node_box, q, node) <= limit


@compiled
def search(
    t: Any, queries: Any, found_rows: Any, found_scores: Any, bounds: Any, lows: Any, nodes: Any, counters: Any
) -> Any:
    """The best for each row of `queries`, into `found_*` [len(queries), k], -1 and NaN where there are fewer.

    `bounds`, `lows`, `nodes`: room for the queue, as long as there are nodes. `counters` [3] is added to.
    """
    k = found_rows.shape[1]
    strict = t.settings[2] > 0
    for index in range(len(queries)):
        row = queries[index]
        q = t.place_of[row]
        mine = t.facts[q, GROUP]
        scores, rows = found_scores[index], found_rows[index]
        size, waiting, turn = 0, 0, 0
        while True:
            # Groups join the queue when one of them could hold something better than all that waits.
            while (
                turn < t.order.shape[1]
                and t.order[mine, turn] >= 0
                and (waiting == 0 or t.order_bound[mine, turn] >= bounds[0])
                and (size < k or t.order_bound[mine, turn] >= scores[0])
            ):
                group = t.order[mine, turn]
                turn += 1
                if strict and not _level_met(t, q, t.group_facts[mine, 0], t.group_facts[group]):
                    continue
                for at in range(t.root_start[group], t.root_start[group + 1]):
                    node = t.roots[at]
                    bound = _bound(t, q, row, node)
                    if (size < k or bound >= scores[0]) and (not strict or _useful(t, q, node)):
                        _push(bounds, lows, nodes, waiting, bound, t.node_facts[node, LOW_ROW], node)
                        waiting += 1
            if waiting == 0 or (
                size == k and (bounds[0] < scores[0] or (bounds[0] == scores[0] and lows[0] > rows[0]))
            ):
                break
            node = nodes[0]
            _sink(bounds, lows, nodes, waiting)
            waiting -= 1
            counters[NODES] += 1
            if t.node_facts[node, LEAF]:
                size = _leaf(t, q, row, node, scores, rows, size, counters)
                continue
            for child in range(t.node_facts[node, FIRST], t.node_facts[node, LAST]):
                bound, low = _bound(t, q, row, child), t.node_facts[child, LOW_ROW]
                if size == k and (bound < scores[0] or (bound == scores[0] and low > rows[0])):
                    continue
                if not strict or _useful(t, q, child):
                    _push(bounds, lows, nodes, waiting, bound, low, child)
                    waiting += 1
        _sorted(scores, rows, size)


@njit
def _sorted(scores: Any, rows: Any, size: Any) -> Any:
    """The heap, best first; nothing where there are fewer than k."""
    for last in range(size - 1, 0, -1):
        score, row = scores[0], rows[0]
        at = 0
        moved, moved_row = scores[last], rows[last]
        while True:
            below = 2 * at + 1
            if below >= last:
                break
            other = below + 1
            if other < last and (
                scores[other] < scores[below] or (scores[other] == scores[below] and rows[other] > rows[below])
            ):
                below = other
            if moved < scores[below] or (moved == scores[below] and moved_row > rows[below]):
                break
            scores[at], rows[at] = scores[below], rows[below]
            at = below
        scores[at], rows[at] = moved, moved_row
        scores[last], rows[last] = score, row
    for at in range(size, len(scores)):
        scores[at], rows[at] = np.nan, -1
