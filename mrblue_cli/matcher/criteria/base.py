"""What a criterion is: two forms of one formula over two people. PURE.

`scalar(a, b, **parameters) -> Score` is written to be read. `fast(community, row, others, **parameters) -> [len(others)]`
gives the same scores of one person against many, NaN where unknown. Both are 0..100. A symmetric criterion gives
`scalar(a, b) == scalar(b, a)`; a directed one gives a's view of b and says so in its entry.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats
from mrblue_cli.matcher.model import Leads, User


class Score(msgspec.Struct, frozen=True):
    """One criterion's verdict."""

    value: float | None
    """0..100; None: one side did not say."""
    why: str
    """One plain sentence."""
    leads: Leads | None = None
    """Set by criteria that decide who leads."""


class Scalar(Protocol):
    """The plain form."""

    def __call__(self, a: User, b: User, **parameters: float) -> Score:
        """A score and its reason."""
        ...


class Fast(Protocol):
    """The vectorised form."""

    def __call__(self, community: Community, row: int, others: npt.NDArray[np.int64], **parameters: float) -> Floats:
        """[len(others)] scores of the person in `row` with each of `others`; NaN: unknown."""
        ...
