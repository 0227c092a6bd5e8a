"""What people really paste: traces of eight languages, logs, colours, halves, slips of the fingers."""

from __future__ import annotations

import pytest

from mrblue_cli.knowledge.base import load_base

BASE = load_base()

TRACES = {
    "python": (
        ('Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in <module>\n    import pandas as pd\n'
        "ModuleNotFoundError: No module named 'pandas'"),
        "python/module-not-found",
    ),
    "javascript": (
        ("node:events:496\n      throw er; // Unhandled 'error' event\n      ^\n\nError: listen EADDRINUSE: address"
        " already in use :::3000\n    at Server.setupListenHandle [as _listen2] (node:net:1940:16)\n    at x "
        "(node:net:1997:12)\nEmitted 'error' event on Server instance at:\n    at emitErrorNT (node:net:1976:8) {\n"
        "  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen',\n  address: '::',\n  port: 3000\n}"),
        "node/port-in-use",
    ),
    "java": (
        ('Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
        "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3512)\n\tat com.example.Main.main(Main.java:12)"),
        "java/heap-space",
    ),
    "rust": (
        ("error[E0382]: borrow of moved value: `s`\n --> src/main.rs:4:20\n  |\n2 |     let s = String::new();\n"
        "  |         - move occurs because `s` has type `String`, which does not implement the `Copy` trait"),
        "rust/borrow-of-moved-value",
    ),
    "go": (
        "main.go:5:2: missing go.sum entry for module providing package github.com/x/y; to add:\n\tgo mod download",
        "go/missing-go-sum",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", TRACES)
def test_a_stack_trace_finds_its_entry(language):
    text, entry = TRACES[language]
    result = BASE.search(text)
    assert result.hits[0].entry.id == entry
    assert result.confident


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("eaddrinuse address alredy in use 3000", "node/port-in-use"),
        ("modulenotfounderror: no module named reqeusts", "python/module-not-found"),
        ("fatal: not a git repositry (or any of the parent", "git/not-a-repository"),
        ("listen EADDRINUSE: address already", "node/port-in-use"),
        ("cannot connect to the docker daemon at unix", "docker/daemon-not-running"),
    ],
)
def test_halves_and_slips(text, entry):
    assert BASE.search(text).hits[0].entry.id == entry


@pytest.mark.parametrize("place", [0, 2500, 4999])
def test_the_error_in_a_log_of_5000_lines(place):
    lines = [
        f"2026-11-21T10:{n // 60 % 60:02}:{n % 60:02}Z \x1b[32mINFO\x1b[0m [worker-{n % 5}] request {n}: {n % 90} ms"
        for n in range(5000)
    ]  # fmt: skip
    lines[place] = (
        "2026-11-21T10:00:00Z \x1b[31mERROR\x1b[0m listen \x1b[1mEADDRINUSE\x1b[0m: address already in use :::8080"
    )
    result = BASE.search("\n".join(lines))
    assert result.hits[0].entry.id == "node/port-in-use"
    assert result.hits[0].captures["port"] == "8080"


HOSTILE = [
    "'; rm -rf ~ #", "$(reboot)", "`id`", "x;id", "a|b", "a&&b", "-rf", "--force", "a\nb", "x y", '"', "a>b", "{port}",
    "../../etc/passwd; id", "%0a id", "\u202eevil", "é", "*", "~root; id",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "frame",
    [
        "ModuleNotFoundError: No module named '{}'",
        "Error: listen EADDRINUSE: address already in use :::{}",
        "zsh: command not found: {}",
        "fatal: unable to access '{}': Could not resolve host: {}",
        "E: Unable to locate package {}",
    ],
)
def test_no_step_is_ever_more_than_one_harmless_word_longer(frame, value):
    text = frame.replace("{}", value)
    for hit in BASE.search(text).hits:
        for name, captured in hit.captures.items():
            assert not set(captured) & set(";|&$`<>\n\"'\\(){}"), (name, captured)
            assert not captured.startswith("-")
