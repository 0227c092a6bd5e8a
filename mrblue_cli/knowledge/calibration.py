"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.881, 1.575, 1.442, 4.492, 2.478, 1.975, 2.844, 1.636, 1.643, 0.754, 0.665)
TRUST = (-2.789, 0.526, -0.260, -1.018, -3.179, 0.868)
