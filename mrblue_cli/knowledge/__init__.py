"""Entry model, loader, linter, compiled index, retrieval and error detection.

Owns everything about the troubleshooting entries. May import `core` only (plus msgspec, PyYAML, rapidfuzz);
must never pull in numpy, websockets, openai or textual: `mrblue ask` and `mrblue kb` start in an instant.
"""
