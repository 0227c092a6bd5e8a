"""How long to wait before the same route is tried again. PURE: randomness comes in as a number."""

from __future__ import annotations


def backoff(attempt: int, base: float, longest: float, chance: float) -> float:
    """Exponential with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015), seconds.

    `attempt` counts from 0, `chance` is uniform in [0, 1). At least half of the step is kept, so that a lone client
    does not hammer.
    """
    step = min(longest, base * 2.0 ** min(attempt, 30))
    return step * (0.5 + 0.5 * chance)
