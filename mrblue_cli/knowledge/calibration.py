"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 1.457, 0.683, 2.710, 3.701, 2.292, 1.827, 2.277, 1.326, 1.397, 0.000)
TRUST = (-1.136, 0.424, 0.082, -1.411, -3.704, 0.630)
