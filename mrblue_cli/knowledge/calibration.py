"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.833, 1.459, 1.366, 4.478, 2.655, 2.175, 2.967, 1.627, 1.679, 0.658, 0.860)
TRUST = (-3.209, 0.561, -0.392, -0.901, -3.108, 0.990)
