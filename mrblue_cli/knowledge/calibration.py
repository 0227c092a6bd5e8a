"""Fitted by `python -m bench.ask_calibrate --write`; do not edit by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 3.912, 0.819, 3.910, 2.570, 1.592, 2.886, 0.971, 1.685, 0.762)
TRUST = (-2.099, 0.708, 0.054, -1.411, -2.525, 0.329)
