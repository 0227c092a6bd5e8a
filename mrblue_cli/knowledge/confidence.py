"""From evidence to one number: of hits shown with 0.8, about 80 % should be right.

Two models in a row. A linear one ranks the candidates (fitted as a softmax over each question's candidates); a logistic
one says from the first one's fit and its lead over the second how far to trust it. `python -m bench.ask_calibrate` fits
both on the entries' own examples, kept out of the index while they are asked; see docs/knowledge-base.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mrblue_cli.knowledge.calibration import RANK, TRUST
from mrblue_cli.knowledge.evidence import Features

CONFIDENT = 0.6
"""Below this we would rather say nothing than mislead."""

YIELDING = 3.0
"""How far (log odds) an entry that is marked as a mere wrapper steps back when a cause stands in the same text."""


class Manner(NamedTuple):
    """How a text is put."""

    error: float
    """0..1: does it look like an error at all?"""
    talk: float
    """0..1: share of its words that are ordinary or unknown."""


def fit(features: Features) -> float:
    """How well an entry fits, as log odds; ranks the candidates."""
    return RANK[0] + sum(weight * value for weight, value in zip(RANK[1:], features, strict=True))


def inputs(own: float, rival: float, manner: Manner) -> tuple[float, ...]:
    """What the second model is fed: fit, lead, the two in one, manner."""
    lead = max(-6.0, min(6.0, own - rival))
    own = max(-8.0, min(8.0, own))
    return (own, lead, manner.error, manner.talk, own * lead / 8.0)


def trust(own: float, rival: float, manner: Manner) -> float:
    """The chance (0..1) that a candidate is right, from its fit and the best other's."""
    odds = TRUST[0] + sum(weight * value for weight, value in zip(TRUST[1:], inputs(own, rival, manner), strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))
