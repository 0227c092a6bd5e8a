"""Tables of scores as hypothesis draws them: ties, zeros and near misses come up often."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

scores = st.one_of(
    st.sampled_from((0.0, 30.0, 50.0, 80.0, 100.0)),
    st.floats(0, 100),
    st.integers(0, 100).map(float),
)
shares = st.one_of(st.sampled_from((0.0, 0.05, 0.1, 0.3, 0.4, 1.0)), st.floats(0.001, 10))


@st.composite
def tables(draw, min_rows=0, max_rows=7, max_criteria=6):
    """(matrix [n, m], weights [m]); weights may be all 0."""
    m = draw(st.integers(1, max_criteria))
    rows = draw(st.lists(st.lists(scores, min_size=m, max_size=m), min_size=min_rows, max_size=max_rows))
    weights = draw(st.lists(shares, min_size=m, max_size=m))
    return np.array(rows, dtype=np.float64).reshape(-1, m), np.array(weights)
