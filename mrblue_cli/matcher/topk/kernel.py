"""The compiled search: best first through the trees of the index, exact. PURE. Imports numba: load it only to use it.

Reference section 5. Nodes wait in a queue by falling bound, then by their smallest row. A bound is summed in the very
order of a score, from parts that are each no smaller than the part of any pair below the node; rounding is monotone,
so a bound is never below such a score, not even by the last bit. That is what makes ties come out by the smallest id
without looking at all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.options import DefaultOptions

from mrblue_cli.matcher.criteria.geo import ABROAD, EARTH_KM, HALF_KM, NEAR_KM, SAME_CITY, SAME_COUNTRY
from mrblue_cli.matcher.criteria.geo_distance import STEPS
from mrblue_cli.matcher.topk import tables as c

F = TypeVar("F", bound=Callable[..., Any])
UNKNOWN = 50.0
_RADIAN = math.pi / 180
_SLACK_KM = 1e-6
"""Far above the rounding of coordinates, chords (1e-11 km) and distances (1e-9 km), far below what matters."""
NODES, LOOKED, SCORED = 0, 1, 2
"""Counters: nodes opened, people looked at, pairs scored in full."""


_njit: Any = njit
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
if hasattr(DefaultOptions, "_nrt"):
    # No array is made here, so none needs its references counted: that alone took four fifths of the time. The name
    # of the option says that it may go; without it the search is slower and as right.
    _OPTIONS["_nrt"] = False


def _part(function: F) -> F:
    """A piece of the search."""
    return cast("F", _njit(**_OPTIONS)(function))


def _inlined(function: F) -> F:
    """A piece that is called with a dozen arrays: handing them over costs more than what is done with them."""
    return cast("F", _njit(forceinline=True, **_OPTIONS)(function))


def _kept(function: F) -> F:
    """The whole, kept on disk where there is a place for it."""
    try:
        made = _njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder to keep it in: it is compiled again in each process
        made = _njit(**_OPTIONS)(function)
    return cast("F", made)


@_inlined
def _ones(word: Any) -> Any:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@_inlined
def _decay(km: Any) -> Any:
    return 100.0 * math.exp2(-max(0.0, km - NEAR_KM) / HALF_KM)


@_part
def _km(numbers: Any, a: Any, b: Any) -> Any:
    half = math.sin((numbers[b, c.PHI] - numbers[a, c.PHI]) / 2)
    turn = math.sin((numbers[b, c.LON] - numbers[a, c.LON]) * _RADIAN / 2)
    half = half * half + numbers[a, c.COS] * numbers[b, c.COS] * (turn * turn)
    return math.floor(2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half))) * STEPS + 0.5) / STEPS


@_inlined
def _least_km(numbers: Any, box: Any, q: Any, node: Any) -> Any:
    """No more than the distance to anybody in the box: an arc is no shorter than its chord."""
    chord = 0.0
    for axis in range(3):
        at = numbers[q, c.X + axis]
        off = max(box[node, axis] - at, at - box[node, axis + 3])
        if off > 0:
            chord += off * off
    return EARTH_KM * math.sqrt(chord) - _SLACK_KM


@_part
def _chord_km(numbers: Any, a: Any, b: Any) -> Any:
    """A little less than the distance of two people, without a sine: far apart by a good deal less."""
    x, y, z = numbers[a, c.X] - numbers[b, c.X], numbers[a, c.Y] - numbers[b, c.Y], numbers[a, c.Z] - numbers[b, c.Z]
    return EARTH_KM * math.sqrt(x * x + y * y + z * z) - _SLACK_KM


@_part
def _by_name(facts: Any, q: Any, p: Any) -> Any:
    if facts[q, c.COUNTRY] != facts[p, c.COUNTRY]:
        return ABROAD
    return SAME_CITY if facts[q, c.CITY] == facts[p, c.CITY] and facts[q, c.CITY] >= 0 else SAME_COUNTRY


@_inlined
def _hours_at_most(bits: Any, q: Any, others: Any, other: Any, session: Any) -> Any:
    common = 0
    for word in range(c.HOUR_BITS, c.HOUR_BITS + 3):
        common += _ones(bits[q, word] & others[other, word])
    return 100.0 * min(1.0, 60 * common / session)


@_part
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


@_part
def _schedule(start: Any, hours: Any, a: Any, b: Any, session: Any) -> Any:
    return 100.0 * min(1.0, _minutes(start, hours, a, b) / session)


@_part
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


@_part
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
    return 100.0 * (least / most)


@_part
def _music_at_most(start: Any, tags: Any, weights: Any, row: Any, own: Any, union: Any, theirs: Any) -> Any:
    """Of one's own weights those whose tags may be there, over all that both must have. `theirs`: least sum."""
    hit = 0.0
    for at in range(start[row], start[row + 1]):
        if union >> np.uint64(tags[at] % 64) & np.uint64(1):
            hit += weights[at]
    return min(100.0, 100.0 * hit / max(own, own + theirs - hit) * (1 + 1e-9))


@_part
def _wishes_met(t: Any, a: Any, b: Any, km: Any) -> Any:
    """Whether nothing that a asked for is known to be missing in b."""
    if km > t.asked[a, c.MAX_KM]:
        return False
    if not _level_met(t, a, t.group_facts[t.facts[a, c.GROUP], 0], t.group_facts[t.facts[b, c.GROUP]]):
        return False
    if (
        t.asks_age[a]
        and t.asks_age[b]
        and t.numbers[a, c.AGE] == t.numbers[a, c.AGE]
        and t.numbers[b, c.AGE] == t.numbers[b, c.AGE]
    ):
        return t.numbers[a, c.AGE_MIN] <= t.numbers[b, c.AGE] <= t.numbers[a, c.AGE_MAX]
    return True


@_part
def _level_met(t: Any, a: Any, roles: Any, other: Any) -> Any:
    """Whether some known level of the other, in a role in which the two could dance, is in the range asked for."""
    low, high = t.asked[a, c.LEVEL_MIN], t.asked[a, c.LEVEL_MAX]
    if math.isnan(low) and math.isnan(high):
        return True
    known, inside = False, False
    ours, theirs = int(roles), int(other[0])
    for mine, role, column in ((2, 1, 1), (1, 2, 2)):
        level = other[column]
        if ours & mine and theirs & role and not math.isnan(level):
            known = True
            above = math.isnan(low) or low <= level
            inside = inside or (above and (math.isnan(high) or level <= high))
    return inside or not known


@_part
def _after(score: Any, row: Any, other: Any, other_row: Any) -> Any:
    """Whether the first entry comes after the second: a lower score, or the same with a larger row."""
    return score < other or (score == other and row > other_row)


@_part
def _push(bounds: Any, lows: Any, nodes: Any, size: Any, bound: Any, low: Any, node: Any) -> Any:
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if not _after(bounds[above], lows[above], bound, low):
            break
        bounds[at], lows[at], nodes[at] = bounds[above], lows[above], nodes[above]
        at = above
    bounds[at], lows[at], nodes[at] = bound, low, node


@_part
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
        if other < size and _after(bounds[below], lows[below], bounds[other], lows[other]):
            below = other
        if not _after(bound, low, bounds[below], lows[below]):
            break
        bounds[at], lows[at], nodes[at] = bounds[below], lows[below], nodes[below]
        at = below
    bounds[at], lows[at], nodes[at] = bound, low, node


@_part
def _settle(scores: Any, rows: Any, size: Any, score: Any, row: Any) -> Any:
    """Puts an entry in the place of the first of a heap of the best, the worst on top: it sinks to where it belongs."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and _after(scores[other], rows[other], scores[below], rows[below]):
            below = other
        if _after(score, row, scores[below], rows[below]):
            break
        scores[at], rows[at] = scores[below], rows[below]
        at = below
    scores[at], rows[at] = score, row


@_part
def _keep(scores: Any, rows: Any, size: Any, score: Any, row: Any) -> Any:
    """Into the heap of the best; the new size. The caller saw that it belongs there."""
    if size == len(scores):
        _settle(scores, rows, size, score, row)
        return size
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if _after(scores[above], rows[above], score, row):
            break
        scores[at], rows[at] = scores[above], rows[above]
        at = above
    scores[at], rows[at] = score, row
    return size + 1


@_part
def _sorted(scores: Any, rows: Any, size: Any) -> Any:
    """The heap, best first; nothing where there are fewer than k."""
    for last in range(size - 1, 0, -1):
        score, row = scores[0], rows[0]
        _settle(scores, rows, last, scores[last], rows[last])
        scores[last], rows[last] = score, row
    for at in range(size, len(scores)):
        scores[at], rows[at] = np.nan, -1


@_inlined
def _place_at_most(numbers: Any, facts: Any, node_numbers: Any, node_facts: Any, q: Any, node: Any) -> Any:
    shared = facts[q, c.FLAGS] & node_facts[node, c.NODE_FLAGS]
    if shared & c.PLACED:
        if node_facts[node, c.SPOT] >= 0:
            return _decay(_km(numbers, q, node_facts[node, c.SPOT]))
        return _decay(_least_km(numbers, node_numbers, q, node))
    if not shared & c.NAMED:
        return UNKNOWN
    country, city = facts[q, c.COUNTRY], facts[q, c.CITY]
    if country < node_facts[node, c.COUNTRY_LOW] or country > node_facts[node, c.COUNTRY_HIGH]:
        return ABROAD
    if city >= 0 and node_facts[node, c.CITY_LOW] <= city <= node_facts[node, c.CITY_HIGH]:
        return SAME_CITY
    return SAME_COUNTRY


@_inlined
def _pattern(facts: Any, node_facts: Any, between: Any, q: Any, node: Any) -> Any:
    """What is known of a pair, as a row of `shares`."""
    shared = facts[q, c.FLAGS] & node_facts[node, c.NODE_FLAGS]
    level = between[facts[q, c.GROUP], node_facts[node, c.NODE_GROUP], 1]
    known = shared & (c.STYLED | c.TIMED | c.TUNED | c.AGED)
    return known | (0 if math.isnan(level) else c.LEVELLED) | (c.LOCATED if shared & (c.PLACED | c.NAMED) else 0)


@_inlined
def _base(between: Any, shares: Any, mine: Any, group: Any, pattern: Any) -> Any:
    level = between[mine, group, 1]
    if math.isnan(level):
        level = UNKNOWN
    return (shares[pattern, c.START] + shares[pattern, 0] * between[mine, group, 0]) + shares[pattern, 1] * level


@_inlined
def _summed(shares: Any, pattern: Any, total: Any, style: Any, time: Any, music: Any, age: Any) -> Any:
    """Role, level and location with the rest: the order of the plain form."""
    total = (total + shares[pattern, 3] * style) + shares[pattern, 4] * time
    return (total + shares[pattern, 5] * music) + shares[pattern, 6] * age


@_part
def _style(common: Any, ours: Any, theirs: Any) -> Any:
    # Rounded as the plain form rounds it: else equal sums of a third and of two thirds would be no tie here.
    return 100.0 * (common / max(ours + theirs - common, 1))


@_inlined
def _style_at_most(bits: Any, facts: Any, node_bits: Any, node_facts: Any, q: Any, node: Any) -> Any:
    mine, ours = bits[q, c.STYLE_BITS], facts[q, c.STYLES]
    common = min(_ones(mine & node_bits[node, c.STYLE_BITS]) + facts[q, c.EXTRA], ours)
    alien = _ones(node_bits[node, c.STYLE_ALL] & ~mine)
    return 100.0 * (common / max(ours + max(node_facts[node, c.FEWEST] - common, 0, alien), 1))


@_part
def _age_at_most(numbers: Any, node_numbers: Any, q: Any, node: Any) -> Any:
    fits = (
        numbers[q, c.AGE_MIN] <= node_numbers[node, c.OLDEST]
        and node_numbers[node, c.YOUNGEST] <= numbers[q, c.AGE_MAX]
    )
    asked = node_numbers[node, c.LEAST_ASKED] <= numbers[q, c.AGE] <= node_numbers[node, c.MOST_ASKED]
    return 100.0 if fits and asked else 0.0


@_inlined
def _bound(
    numbers: Any, bits: Any, facts: Any, node_numbers: Any, node_bits: Any, node_facts: Any, between: Any, shares: Any,
    music_start: Any, music_tags: Any, music_weights: Any, hour_start: Any, hours: Any, session: Any,
    q: Any, row: Any, node: Any,
) -> Any:  # fmt: skip
    """No less than the score with anybody below the node."""
    pattern = _pattern(facts, node_facts, between, q, node)
    style, time, music, age = UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN
    if pattern & c.STYLED:
        style = _style_at_most(bits, facts, node_bits, node_facts, q, node)
    if pattern & c.TIMED:
        time = _hours_at_most(bits, q, node_bits, node, session)
        same = node_facts[node, c.SAME_HOURS]
        if time > 0 and same >= 0:
            time = _schedule(hour_start, hours, row, same, session)
    if pattern & c.TUNED:
        same = node_facts[node, c.SAME_MUSIC]
        if same >= 0:
            music = _ruzicka(music_start, music_tags, music_weights, row, same)
        else:
            union, least = node_bits[node, c.MUSIC_BITS], node_numbers[node, c.LEAST_MUSIC]
            music = _music_at_most(music_start, music_tags, music_weights, row, numbers[q, c.MUSIC], union, least)
    if pattern & c.AGED:
        age = _age_at_most(numbers, node_numbers, q, node)
    total = _base(between, shares, facts[q, c.GROUP], node_facts[node, c.NODE_GROUP], pattern)
    total += shares[pattern, 2] * _place_at_most(numbers, facts, node_numbers, node_facts, q, node)
    return _summed(shares, pattern, total, style, time, music, age)


@_part
def _blocks(start: Any, blocked: Any, row: Any, other: Any) -> Any:
    """Whether one of the two does not want to meet the other."""
    low, high = start[row], start[row + 1]
    while low < high:
        middle = (low + high) >> 1
        if blocked[middle] == other:
            return True
        if blocked[middle] < other:
            low = middle + 1
        else:
            high = middle
    return False


@_part
def _granted(t: Any, q: Any, p: Any) -> Any:
    """Whether hard wishes let the two dance."""
    # Without coordinates no distance is known, and a distance that is not known breaks no wish.
    km = _km(t.numbers, q, p) if t.facts[q, c.FLAGS] & t.facts[p, c.FLAGS] & c.PLACED else np.nan
    return _wishes_met(t, q, p, km) and _wishes_met(t, p, q, km)


@_part
def _leaf(  # noqa: C901, PLR0912, PLR0915 - one loop over people; handing its arrays on costs more than a step
    numbers: Any, bits: Any, facts: Any, node_numbers: Any, node_facts: Any, between: Any, shares: Any,
    music_start: Any, music_tags: Any, music_weights: Any, hour_start: Any, hours: Any, style_start: Any,
    style_tags: Any, session: Any, wide: Any, strict: Any, t: Any,
    q: Any, row: Any, node: Any, scores: Any, rows: Any, size: Any, counters: Any,
) -> Any:  # fmt: skip
    """Scores the people of a leaf that can still matter; the new size of the heap of the best."""
    shared = facts[q, c.FLAGS] & node_facts[node, c.NODE_FLAGS]
    pattern = _pattern(facts, node_facts, between, q, node)
    base = _base(between, shares, facts[q, c.GROUP], node_facts[node, c.NODE_GROUP], pattern)
    near = base + shares[pattern, 2] * _place_at_most(numbers, facts, node_numbers, node_facts, q, node)
    mine, ours, extra = bits[q, c.STYLE_BITS], facts[q, c.STYLES], facts[q, c.EXTRA]
    style, time, music, age = UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN
    most_music = UNKNOWN
    most_age = 100.0 if pattern & c.AGED else UNKNOWN
    full = size == len(scores)
    for p in range(node_facts[node, c.FIRST], node_facts[node, c.LAST]):
        if p == q:
            continue
        other = facts[p, c.ROW]
        counters[LOOKED] += 1
        # Bit masks before distances: style, then hours, then the distance, and the rest only for who is left.
        if pattern & c.STYLED:
            theirs = facts[p, c.STYLES]
            common = _ones(mine & bits[p, c.STYLE_BITS])
            if wide:
                common = min(common + extra, ours, theirs)
            style = _style(common, ours, theirs)
        if pattern & c.TIMED:
            time = _hours_at_most(bits, q, bits, p, session)
        if pattern & c.TUNED:
            own, theirs, union = numbers[q, c.MUSIC], numbers[p, c.MUSIC], bits[p, c.MUSIC_BITS]
            most_music = _music_at_most(music_start, music_tags, music_weights, row, own, union, theirs)
        if full:
            bound = _summed(shares, pattern, near, style, time, most_music, most_age)
            if _after(bound, other, scores[0], rows[0]):
                continue
        if pattern & c.TIMED:
            time = _schedule(hour_start, hours, row, other, session)
        if wide and pattern & c.STYLED:
            style = _style(_common(style_start, style_tags, row, other), ours, facts[p, c.STYLES])
        place = UNKNOWN
        if shared & c.PLACED:
            # Within 5 km an arc exceeds its chord by less than a millimetre: who is clearly nearer needs no sine.
            km = _chord_km(numbers, q, p)
            place = 100.0 if km < NEAR_KM - 3 * _SLACK_KM else _decay(km)
            if full:
                bound = base + shares[pattern, 2] * place
                bound = _summed(shares, pattern, bound, style, time, most_music, most_age)
                if _after(bound, other, scores[0], rows[0]):
                    continue
            if km >= NEAR_KM - 3 * _SLACK_KM:
                place = _decay(_km(numbers, q, p))
        elif shared & c.NAMED:
            place = _by_name(facts, q, p)
        if pattern & c.TUNED:
            music = _ruzicka(music_start, music_tags, music_weights, row, other)
        if pattern & c.AGED:
            fits = numbers[q, c.AGE_MIN] <= numbers[p, c.AGE] <= numbers[q, c.AGE_MAX]
            age = 100.0 if fits and numbers[p, c.AGE_MIN] <= numbers[q, c.AGE] <= numbers[p, c.AGE_MAX] else 0.0
        counters[SCORED] += 1
        total = _summed(shares, pattern, base + shares[pattern, 2] * place, style, time, music, age)
        if full and _after(total, other, scores[0], rows[0]):
            continue
        if _blocks(t.blocked_start, t.blocked, row, other) or (strict and not _granted(t, q, p)):
            continue
        size = _keep(scores, rows, size, total, other)
        full = size == len(scores)
    return size


@_part
def _useful(t: Any, q: Any, node: Any) -> Any:
    """Whether q's own hard wish for a distance leaves anybody below the node."""
    limit = t.asked[q, c.MAX_KM]
    if math.isnan(limit) or not t.facts[q, c.FLAGS] & t.node_facts[node, c.NODE_FLAGS] & c.PLACED:
        return True
    return _least_km(t.numbers, t.node_numbers, q, node) <= limit


@_kept
def search(
    t: Any, queries: Any, found_rows: Any, found_scores: Any, bounds: Any, lows: Any, nodes: Any, counters: Any
) -> Any:
    """The best for each row of `queries`, into `found_*` [len(queries), k], -1 and NaN where there are fewer.

    `bounds`, `lows`, `nodes`: room for the queue, as long as there are nodes. `counters` [3] is added to.
    """
    # Read out once: each read of a field counts a reference, which costs more than the search.
    numbers, bits, facts, between, shares = t.numbers, t.bits, t.facts, t.between, t.shares
    node_numbers, node_bits, node_facts = t.node_numbers, t.node_bits, t.node_facts
    root_start, order, order_bound = t.root_start, t.order, t.order_bound
    hour_start, hours, style_start, style_tags = t.hour_start, t.hours, t.style_start, t.style_tags
    music_start, music_tags, music_weights = t.music_start, t.music_tags, t.music_weights
    session, wide, strict = t.settings[0], t.settings[1] > 0, t.settings[2] > 0
    k = found_rows.shape[1]
    for index in range(len(queries)):
        row = queries[index]
        q = t.place_of[row]
        mine = facts[q, c.GROUP]
        scores, rows = found_scores[index], found_rows[index]
        size, waiting, turn = 0, 0, 0
        while True:
            if (
                turn < len(order)
                and order[mine, turn] >= 0
                and (waiting == 0 or order_bound[mine, turn] >= bounds[0])
                and (size < k or order_bound[mine, turn] >= scores[0])
            ):
                # A group joins the queue when one of it could be no worse than all that waits.
                group = order[mine, turn]
                turn += 1
                if strict and not _level_met(t, q, t.group_facts[mine, 0], t.group_facts[group]):
                    continue
                first, last = root_start[group], root_start[group + 1]
            else:
                if waiting == 0 or (size == k and _after(bounds[0], lows[0], scores[0], rows[0])):
                    break
                node = nodes[0]
                _sink(bounds, lows, nodes, waiting)
                waiting -= 1
                counters[NODES] += 1
                first, last = node_facts[node, c.FIRST], node_facts[node, c.LAST]
                if node_facts[node, c.LEAF]:
                    size = _leaf(
                        numbers, bits, facts, node_numbers, node_facts, between, shares,
                        music_start, music_tags, music_weights, hour_start, hours, style_start,
                        style_tags, session, wide, strict, t, q, row, node, scores, rows, size, counters,
                    )  # fmt: skip
                    continue
            for child in range(first, last):
                bound = _bound(
                    numbers, bits, facts, node_numbers, node_bits, node_facts, between, shares,
                    music_start, music_tags, music_weights, hour_start, hours, session, q, row, child,
                )  # fmt: skip
                low = node_facts[child, c.LOW_ROW]
                if size == k and _after(bound, low, scores[0], rows[0]):
                    continue
                if not strict or _useful(t, q, child):
                    _push(bounds, lows, nodes, waiting, bound, low, child)
                    waiting += 1
        _sorted(scores, rows, size)


def was_compiled() -> bool:
    """Whether this process had to compile the search, instead of loading what was kept."""
    kept: Any = search
    return not kept.stats.cache_hits
