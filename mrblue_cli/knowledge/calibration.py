"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 2.570, 0.631, 3.579, 2.796, 1.771, 2.578, 1.822, 0.974, 0.350)
TRUST = (-2.170, 0.476, 0.103, -0.554, -2.215, 0.441)
