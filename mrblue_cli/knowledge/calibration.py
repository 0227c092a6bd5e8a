"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.295, 0.872, 2.796, 4.185, 2.496, 2.180, 2.605, 1.459, 1.042, 0.000)
TRUST = (-1.578, 0.473, -0.042, -1.250, -3.722, 0.643)
