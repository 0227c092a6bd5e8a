"""Fitted by `python -m bench.ask_calibrate --write`; do not edit by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 3.026, 0.313, 3.930, 2.443, 1.839, 3.132, 1.503, 1.022, 0.073)
TRUST = (-1.916, 0.584, -0.032, -0.823, -2.262, 0.512)
