"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""

from __future__ import annotations

RANK = (-6.000, 0.923, 0.987, 1.270, 4.513, 2.577, 1.435, 2.477, 1.583, 1.399, 0.880, 0.000)
TRUST = (-1.335, 0.444, 0.068, -1.227, -3.753, 0.579)
