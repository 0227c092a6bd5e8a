"""A yardstick for embedders: how far apart a model puts texts of known likeness, so that similarities can be compared.

Models spread cosines differently: unrelated texts lie at 0.8 for one and at 0.1 for another. The distance from 1 is
stretched by one factor, fitted on these pairs. With vectors v of length 1 and a factor a <= 1, the vectors
[sqrt(a) v, sqrt(1 - a)] have length 1 as well and the dot product 1 - a (1 - v.w), so that no part of the cache has to
know about it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_PAIRS: Final = (
    ("How do I reset my password?",
     "What is the way to reset my password?", 0.984),
    ("How do I reset my password?",
     "I forgot my password, how can I set a new one?", 0.929),
    ("Write a function that reverses a string in Python.",
     "Give me Python code for reversing a string.", 0.980),
    ("What is the capital of Portugal?",
     "Which city is Portugal's capital?", 0.994),
    ("Why does my container exit immediately?",
     "What makes my container stop right after it starts?", 0.947),
    ("Explain how a hash table works.",
     "How do hash tables work?", 0.983),
    ("How do I reset my password?",
     "How do I change my email address?", 0.888),
    ("What is the capital of Portugal?",
     "What is the population of Portugal?", 0.933),
    ("Write a function that reverses a string in Python.",
     "Write a function that sorts a list in Java.", 0.828),
    ("Explain how a hash table works.",
     "Explain how a binary search tree works.", 0.894),
    ("Why does my container exit immediately?",
     "How do I copy a file out of a container?", 0.879),
    ("What is the capital of Portugal?",
     "Explain how a hash table works.", 0.743),
    ("How do I reset my password?",
     "Translate this sentence into French.", 0.763),
    ("Why does my container exit immediately?",
     "What should I cook for dinner tonight?", 0.817),
    ("Write a function that reverses a string in Python.",
     "When was the treaty signed?", 0.706),
    ("What should I cook for dinner tonight?",
     "When was the treaty signed?", 0.739),
)  # fmt: skip
"""Two texts and their cosine in the bundled embedder."""


def yardstick() -> tuple[str, ...]:
    """The texts to embed for `tightness`, each once."""
    return tuple(dict.fromkeys(text for one, other, _ in _PAIRS for text in (one, other)))


def tightness(vectors: npt.NDArray[np.float32]) -> float:
    """The factor of a model, from its vectors of `yardstick()` ([n, d], rows of length 1); 0.01 … 1."""
    place = {text: number for number, text in enumerate(yardstick())}
    gaps = np.array([1.0 - float(vectors[place[one]] @ vectors[place[other]]) for one, other, _ in _PAIRS])
    wanted = np.array([1.0 - cosine for _, _, cosine in _PAIRS])
    squares = float(gaps @ gaps)
    factor = float(gaps @ wanted) / squares if squares > 0 else 1.0
    return round(min(1.0, max(0.01, factor)), 2)


def rescale(vectors: npt.NDArray[np.float32], factor: float) -> npt.NDArray[np.float32]:
    """Vectors one number longer whose dot products lie on the common scale; [n, d] -> [n, d + 1], rows of length 1."""
    constant = np.full((len(vectors), 1), np.sqrt(1.0 - factor), np.float32)
    return np.hstack([vectors * np.float32(np.sqrt(factor)), constant]).astype(np.float32)
