"""From evidence to one number: of hits shown with 0.8, about 80 % should be right.

Two logistic models, fitted by `python -m bench.ask_calibrate` on the entries' own examples (kept out of the index while
fitting, whole and damaged, and with the right entry taken away) and on ordinary talk; see docs/knowledge-base.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mrblue_cli.knowledge.evidence import Features

CONFIDENT = 0.5
"""Below this we would rather say nothing than mislead."""

RANK = (-6.0, 5.0, 1.5, 2.5, 2.0, 1.5, 3.0, 1.0, 0.8, 0.3)
"""Constant, then one weight per field of `Features`: how well an entry fits, as log odds."""
TRUST = (-0.5, 0.8, 0.5, 1.0, -1.0, 0.0)
"""Constant, then: fit, lead over the next best, signs of an error, share of ordinary words, fit times lead."""


class Manner(NamedTuple):
    """How a text is put."""

    error: float
    """0..1: does it look like an error at all?"""
    talk: float
    """0..1: share of its words that are ordinary or unknown."""


def fit(features: Features) -> float:
    """How well an entry fits, as log odds; ranks the candidates."""
    return RANK[0] + sum(weight * value for weight, value in zip(RANK[1:], features, strict=True))


def trust(own: float, rival: float, manner: Manner) -> float:
    """The chance (0..1) that a candidate is right, from its fit and the best other's."""
    lead = max(-6.0, min(6.0, own - rival))
    own = max(-8.0, min(8.0, own))
    inputs = (own, lead, manner.error, manner.talk, own * lead / 8.0)
    odds = TRUST[0] + sum(weight * value for weight, value in zip(TRUST[1:], inputs, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))
