"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.260, 0.905, 2.805, 4.185, 2.636, 2.089, 2.804, 1.554, 1.116, 0.000)
TRUST = (-1.592, 0.494, -0.125, -1.390, -3.924, 0.728)
