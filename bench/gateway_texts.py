"""Questions and rewordings that any semantic cache should take for the same; for timing, not for judging quality."""

from __future__ import annotations

from itertools import product

_ACTIONS = (
    "undo the last commit in git", "list the open ports on Linux", "remove unused Docker images",
    "reverse a string in Python", "find large files on my disk", "restart a service with systemd",
    "create a virtual environment in Python", "merge two branches in git", "read a JSON file in Node",
    "change the owner of a folder on Linux", "see the logs of a Docker container",
    "rename a column in Postgres", "clear the npm cache",
    "install a package with pip offline", "copy a file over ssh", "squash commits in git", "parse dates in JavaScript",
    "write a unit test with pytest", "set an environment variable in bash", "kill a process by name on Linux",
)  # fmt: skip
_WORDINGS = (
    ("How do I {}?", "How can I {}?"),
    ("What is the best way to {}?", "What's the best way to {}?"),
    ("Please explain how to {}.", "Could you please explain how to {}?"),
)

SEMANTIC_PAIRS = [
    (first.format(action), second.format(action)) for action, (first, second) in product(_ACTIONS, _WORDINGS)
]
"""(what is asked first, what is asked later), every text once."""
