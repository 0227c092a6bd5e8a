"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.862, 1.109, 1.283, 4.457, 2.718, 1.515, 2.591, 1.597, 1.392, 0.924, 0.063)
TRUST = (-1.776, 0.457, 0.047, -1.033, -3.439, 0.573)
