"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.872, 1.393, 1.294, 4.595, 2.942, 1.620, 3.049, 1.568, 1.538, 0.947, 0.250)
TRUST = (-2.193, 0.494, -0.024, -0.989, -3.786, 0.628)
