"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.121, 1.028, 1.628, 4.235, 2.763, 1.719, 2.635, 1.272, 1.414, 1.052, 0.032)
TRUST = (-1.292, 0.440, -0.016, -1.356, -3.914, 0.666)
