"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.163, 0.879, 2.810, 4.151, 2.736, 2.084, 2.890, 1.468, 1.092, 0.000)
TRUST = (-1.639, 0.475, -0.096, -1.183, -3.909, 0.715)
