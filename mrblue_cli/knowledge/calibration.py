"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.137, 0.908, 2.231, 3.935, 2.575, 1.868, 2.673, 1.418, 1.044, 1.079, 0.000)
TRUST = (-1.346, 0.460, -0.055, -1.307, -3.845, 0.687)
