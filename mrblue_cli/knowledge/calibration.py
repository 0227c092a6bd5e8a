"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.625, 0.680, 2.875, 3.589, 2.253, 1.897, 2.109, 1.280, 1.426, 0.000)
TRUST = (-1.075, 0.440, 0.105, -1.519, -3.801, 0.581)
