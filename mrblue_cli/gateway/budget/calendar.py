"""UTC days and months of Unix times, without a date object per request."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY = 86_400


def day_of(now: float) -> str:
    """`2026-11-21`."""
    return (date(1970, 1, 1) + timedelta(days=int(now // DAY))).isoformat()


def day_end(now: float) -> float:
    """When the UTC day of `now` ends, in Unix seconds."""
    return (now // DAY + 1) * DAY


def month_end(now: float) -> float:
    """When the UTC month of `now` ends, in Unix seconds."""
    today = datetime.fromtimestamp(now, UTC)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (
        first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
    )
    return following.timestamp()
