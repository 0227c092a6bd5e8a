"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.849, 1.205, 1.246, 4.481, 2.902, 1.632, 2.818, 1.632, 1.521, 0.926, 0.111)
TRUST = (-1.991, 0.484, 0.006, -1.027, -3.776, 0.611)
