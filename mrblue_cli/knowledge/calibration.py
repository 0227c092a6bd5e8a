"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.161, 1.006, 1.700, 3.941, 2.561, 1.629, 2.638, 1.452, 1.252, 1.065, 0.000)
TRUST = (-1.186, 0.471, 0.037, -1.416, -4.033, 0.628)
