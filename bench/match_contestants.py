"""What the exact top-k is measured against: a plain loop, arrays for all pairs, and SQL. One score, three ways."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria.geo import EARTH_KM
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk.scan import Scan

Lists = list[list[tuple[int, float]]]
"""For each person asked about (row, score), best first."""
SLOT = 15
"""Minutes: what the SQL's bits of the week stand for. The made-up people's evenings begin and end on them."""
_TABLE = (100.0, 90.0, 70.0, 50.0, 30.0)


class Loop:
    """What one writes first: for each person, for each other person, a score; then sort."""

    name = "plain Python loop"

    def __init__(self, community: Community) -> None:
        people = [community.user(row) for row in range(len(community))]
        self.people = [
            (
                int(user.roles),
                user.leader_level,
                user.follower_level,
                None if user.place.lat is None else math.radians(user.place.lat),
                user.place.lon,
                user.place.country,
                user.place.city.casefold(),
                frozenset(user.styles),
                user.hours,
                user.id,
                user.blocked,
            )
            for user in people
        ]

    def find(self, rows: list[int], k: int) -> Lists:
        """The best k of each row."""
        found = []
        for row in rows:
            ranked = []
            for other in range(len(self.people)):
                score = self.score(row, other) if other != row else None
                if score is not None:
                    ranked.append((-score, other))
            found.append([(other, -score) for score, other in sorted(ranked)[:k]])
        return found

    def score(self, row: int, other: int) -> float | None:
        """One pair; None: they cannot dance."""
        roles, lead, follow, phi, lon, country, city, styles, hours, name, blocked = self.people[row]
        roles2, lead2, follow2, phi2, lon2, country2, city2, styles2, hours2, name2, blocked2 = self.people[other]
        ways = [roles & 1 and roles2 & 2, roles2 & 1 and roles & 2]
        if not any(ways) or name in blocked2 or name2 in blocked:
            return None
        total = 0.40 * (80.0 if all(ways) else 100.0)
        level = -1.0
        if ways[0] and lead is not None and follow2 is not None:
            level = _level(abs(lead - follow2))
        if ways[1] and lead2 is not None and follow is not None:
            level = max(level, _level(abs(lead2 - follow)))
        total += 0.30 * (level if level >= 0 else 50.0)
        place = 50.0
        if phi is not None and phi2 is not None:
            half = math.sin((phi2 - phi) / 2) ** 2
            half += math.cos(phi) * math.cos(phi2) * math.sin(math.radians(lon2 - lon) / 2) ** 2
            km = 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
            place = 100.0 * 2.0 ** (-max(0.0, km - 5.0) / 25.0)
        elif country and country2:
            place = 0.0 if country != country2 else 100.0 if city and city == city2 else 40.0
        total += 0.15 * place
        total += 0.10 * (100.0 * len(styles & styles2) / len(styles | styles2) if styles and styles2 else 50.0)
        if not hours or not hours2:
            return total + 0.05 * 50.0
        minutes = sum(max(0, min(e, f) - max(s, t)) for s, e in hours for t, f in hours2)
        return total + 0.05 * 100.0 * min(1.0, minutes / 120.0)


def _level(apart: float) -> float:
    step = min(4, int(apart))
    return _TABLE[step] + (apart - step) * (_TABLE[min(4, step + 1)] - _TABLE[step]) if step < 4 else 30.0


class AllPairs:
    """numpy, everybody with everybody in blocks: the engine that any recipe can use."""

    name = "numpy, all pairs"

    def __init__(self, community: Community) -> None:
        self.scan = Scan(community, make_recipe())

    def find(self, rows: list[int], k: int) -> Lists:
        """The best k of each row."""
        found = self.scan.find(np.array(rows, dtype=np.int64), k)
        return [
            [(row, score) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(found.rows.tolist(), found.scores.tolist(), strict=True)
        ]


_SQL = """
with scored as (
  select a.row as one, b.row as other,
    0.40 * (case when a.leads and b.follows and b.leads and a.follows then 80.0 else 100.0 end)
    + 0.30 * coalesce(greatest(
        case when a.leads and b.follows then level_score(abs(a.lead_level - b.follow_level)) end,
        case when b.leads and a.follows then level_score(abs(b.lead_level - a.follow_level)) end), 50.0)
    + 0.15 * coalesce(
        case when a.phi is not null and b.phi is not null
             then 100.0 * pow(2.0, -greatest(0.0, km(a.phi, a.lon, b.phi, b.lon) - 5.0) / 25.0) end,
        case when a.country <> b.country then 0.0 when a.city = b.city then 100.0
             when a.country = b.country then 40.0 end, 50.0)
    + 0.10 * coalesce(100.0 * bit_count(a.tags & b.tags) / nullif(
        case when a.tags = 0 or b.tags = 0 then 0 else bit_count(a.tags | b.tags) end, 0), 50.0)
    + 0.05 * case when a.free is not null and b.free is not null
                  then 100.0 * least(1.0, {slot} * bit_count(a.free & b.free) / 120.0) else 50.0 end as score
  from people a cross join people b
  where a.row in (select row from asked) and a.row <> b.row
    and ((a.leads and b.follows) or (b.leads and a.follows))
    and not exists (select 1 from blocked x where x.one = a.row and x.other = b.row)
)
select one, other, score from scored
qualify row_number() over (partition by one order by score desc, other) <= {k}
order by one, score desc, other
"""
_MACROS = """
create macro level_score(d) as
  case when d >= 4 then 30.0 when d >= 1 then 90.0 - 20.0 * (d - 1) else 100.0 - 10.0 * d end;
create macro km(p, l, q, m) as 2 * 6371.0088 * asin(least(1.0, sqrt(
  pow(sin((q - p) / 2), 2) + cos(p) * cos(q) * pow(sin(radians(m - l) / 2), 2))));
"""


class Sql:
    """DuckDB: the same score as one query over a cross join, on all cores."""

    name = "DuckDB, cross join"

    def __init__(self, community: Community) -> None:
        import duckdb

        self.database = duckdb.connect()
        self.database.execute(f"set threads = {_cores()}; set enable_progress_bar = false")
        self.database.execute(_MACROS)
        self.database.register("given", _columns(community))
        # A week is 672 quarters of an hour: as text of zeros and ones it becomes DuckDB's bit string.
        self.database.execute(
            "create table people as select row, leads, follows, tags,"
            " case when not isnan(lead_level) then lead_level end as lead_level,"
            " case when not isnan(follow_level) then follow_level end as follow_level,"
            " case when not isnan(phi) then phi end as phi, case when not isnan(lon) then lon end as lon,"
            " case when country >= 0 then country end as country, case when city >= 0 then city end as city,"
            " case when free like '%1%' then free::bit end as free from given"
        )
        owner = np.repeat(np.arange(len(community)), community.blocked.sizes)
        other = community.blocked.values.astype(np.int64)
        self.database.register("pairs", {"one": np.r_[owner, other], "other": np.r_[other, owner]})
        self.database.execute("create table blocked as select one, other from pairs")

    def find(self, rows: list[int], k: int) -> Lists:
        """The best k of each row."""
        self.database.execute("create or replace table asked as select unnest(?) as row", [rows])
        found: dict[int, list[tuple[int, float]]] = {row: [] for row in rows}
        for one, other, score in self.database.execute(_SQL.format(k=k, slot=SLOT)).fetchall():
            found[one].append((other, score))
        return [found[row] for row in rows]


def _columns(community: Community) -> dict[str, npt.NDArray[Any]]:
    free: list[str] = []
    for row in range(len(community)):
        week = bytearray(b"0" * (7 * 24 * 60 // SLOT))
        minutes = community.hours.row(row).tolist()
        assert not any(minute % SLOT for minute in minutes)
        for start, end in zip(minutes[::2], minutes[1::2], strict=True):
            week[start // SLOT : end // SLOT] = b"1" * ((end - start) // SLOT)
        free.append(week.decode())
    assert community.styles.shape[1] == 1
    return {
        "row": np.arange(len(community), dtype=np.int64),
        "leads": (community.roles & 1) > 0,
        "follows": (community.roles & 2) > 0,
        "lead_level": community.leader_level,
        "follow_level": community.follower_level,
        "phi": np.radians(community.lat),
        "lon": community.lon,
        "country": community.country,
        "city": community.city,
        "tags": community.styles[:, 0].astype(np.int64),
        "free": np.array(free, dtype=object),
    }


def _cores() -> int:
    from mrblue_cli.app.match_search import cores

    return cores()
