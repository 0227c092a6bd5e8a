"""How much memory an object holds alive: everything that can be reached from it, counted once."""

from __future__ import annotations

import asyncio
import gc
import sys
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, FrameType, asyncio.AbstractEventLoop, asyncio.Future)


def weight_of(root, *, but=()):
    """Bytes by type name, and in all. What is of the types in `but`, and what only those hold, is not counted."""
    weights = {}
    seen = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (*_SHARED, *but)):
            continue
        seen.add(id(one))
        name = type(one).__name__
        weights[name] = weights.get(name, 0) + sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return sum(weights.values()), weights
