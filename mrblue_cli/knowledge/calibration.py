"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.173, 0.984, 1.861, 3.894, 2.567, 1.735, 2.647, 1.448, 1.165, 1.067, 0.000)
TRUST = (-1.257, 0.476, 0.020, -1.407, -4.028, 0.638)
