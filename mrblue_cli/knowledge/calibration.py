"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.281, 0.772, 2.722, 4.137, 2.430, 2.260, 2.624, 1.241, 0.908, 0.171)
TRUST = (-1.625, 0.428, -0.026, -0.999, -3.511, 0.671)
