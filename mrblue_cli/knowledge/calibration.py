"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.820, 1.464, 1.381, 4.470, 2.659, 2.155, 2.969, 1.629, 1.675, 0.661, 0.854)
TRUST = (-3.200, 0.560, -0.390, -0.902, -3.113, 0.988)
