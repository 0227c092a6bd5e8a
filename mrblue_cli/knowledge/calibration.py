"""Fitted by `python -m bench.ask_calibrate --write`; do not edit by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 2.653, 0.358, 4.100, 2.884, 1.920, 3.326, 1.879, 0.859, 0.568)
TRUST = (-2.708, 0.501, -0.145, -0.650, -2.236, 0.719)
