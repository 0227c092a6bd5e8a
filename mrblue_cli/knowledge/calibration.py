"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 2.176, 0.850, 3.072, 3.111, 1.724, 1.993, 2.003, 1.132, 1.656, 0.419)
TRUST = (-1.407, 0.458, 0.139, -1.509, -2.977, 0.478)
