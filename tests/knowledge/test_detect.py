"""Families of errors are named wherever their words stand, and nowhere else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.knowledge.detect import detect, error_types, type_named, types_in
from mrblue_cli.knowledge.error_types import ERROR_TYPES, parse

NAMED = [
    ("Error: connect ECONNREFUSED 127.0.0.1:5432", "connection refused"),
    ("OSError: [Errno 98] Address already in use", "port in use"),
    ("curl: (6) Could not resolve host: api.example.org", "name not resolved"),
    ("net::ERR_NAME_NOT_RESOLVED", "name not resolved"),
    ("connect ETIMEDOUT 10.0.0.1:443", "timed out"),
    ("Error: read ECONNRESET", "connection reset"),
    ("ping: connect: Network is unreachable", "host unreachable"),
    ("bash: ./run.sh: Permission denied", "permission denied"),
    ("PermissionError: [Errno 13] Permission denied: '/var/log/x'", "permission denied"),
    ("cat: x: No such file or directory", "file not found"),
    ("mkdir: cannot create directory 'a': File exists", "file exists already"),
    ("write error: No space left on device", "disk full"),
    ("java.lang.OutOfMemoryError: Java heap space", "out of memory"),
    ("torch.cuda.OutOfMemoryError: CUDA out of memory.", "GPU out of memory"),
    ("Error: EMFILE: too many open files", "too many open files"),
    ("zsh: command not found: pnpm", "command not found"),
    ("./tool: cannot execute binary file: Exec format error", "wrong kind of binary"),
    ("Segmentation fault (core dumped)", "crashed"),
    ("SSL certificate problem: certificate has expired", "certificate expired"),
    ("x509: certificate signed by unknown authority", "certificate not trusted"),
    ("HTTP/1.1 401 Unauthorized", "not authenticated"),
    ("JsonWebTokenError: jwt malformed", "token invalid"),
    ("403 Forbidden", "forbidden"),
    ("blocked by CORS policy: No 'Access-Control-Allow-Origin' header", "cross-origin request blocked"),
    ("429 Too Many Requests", "rate limited"),
    ("You exceeded your current quota, please check your plan", "quota used up"),
    ("502 Bad Gateway", "bad gateway"),
    ("404 Not Found", "not found (HTTP)"),
    ("413 Request Entity Too Large", "request too large"),
    ("json.decoder.JSONDecodeError: Expecting value: line 1 column 1", "answer is not JSON"),
    ("ModuleNotFoundError: No module named 'pandas'", "module not found"),
    ("npm ERR! code ERESOLVE", "dependency conflict"),
    ("ERROR: Failed building wheel for lxml", "build of a package failed"),
    ("undefined reference to `main'", "linking failed"),
    ("TypeError: Cannot read properties of undefined (reading 'map')", "null or undefined value"),
    ("NameError: name 'foo' is not defined", "name not defined"),
    ("SyntaxError: Unexpected token '}'", "syntax error"),
    ("IndexError: list index out of range", "value out of range"),
    ("RecursionError: maximum recursion depth exceeded", "endless recursion"),
    ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff", "encoding trouble"),
    ("RuntimeWarning: coroutine 'f' was never awaited", "concurrency fault"),
    ('FATAL: password authentication failed for user "app"', "database refuses login"),
    ("sqlite3.OperationalError: no such table: users", "database object missing"),
    ("UNIQUE constraint failed: users.email", "constraint violated"),
    ("sqlite3.OperationalError: database is locked", "deadlock or lock"),
    ("Automatic merge failed; fix conflicts and then commit the result.", "merge conflict"),
    ("error: failed to push some refs to 'origin'", "push or pull refused"),
    ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "container engine not running"),
    ("Back-off restarting failed container", "pod does not run"),
    ("Error acquiring the state lock", "infrastructure state"),
    ("OSError: PortAudio library not found", "sound device missing"),
]  # fmt: skip
TALK = [
    "404 people attended", "my flight is BA 500", "the total was 403 euros", "best tango events in Buenos Aires",
    "she was refused entry to the club", "the certificate hangs on the wall", "we lost the connection to nature",
    "the file is on my desk", "time flies", "I have no memory of that evening", "he was denied a visa last year",
    "they found the module interesting", "what a lovely port wine", "the host was very kind", "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), NAMED)
def test_a_family_is_named(text, name):
    kind = detect(text)
    assert kind is not None
    assert kind.name == name
    assert kind.checks
    assert name in types_in(text)


@pytest.mark.parametrize("text", TALK)
def test_ordinary_talk_has_no_family(text):
    assert detect(text) is None


def test_there_are_sixty_and_each_is_complete():
    assert len(error_types()) >= 60
    assert len({kind.name for kind in ERROR_TYPES}) == len(ERROR_TYPES)
    for kind in ERROR_TYPES:
        assert kind.phrases, kind.name
        assert kind.checks, kind.name
        for phrase in kind.phrases:
            assert phrase == " ".join(phrase.lower().split()), phrase
            assert len(phrase) >= 4 or phrase == "cors", phrase


def test_the_last_line_wins_and_in_one_line_the_longest():
    assert (
        detect("request timed out\nretrying\nError: EACCES: permission denied, open '/x'").name == "permission denied"
    )
    assert detect("Error: EACCES: permission denied\ncaused by: connection refused").name == "connection refused"
    assert detect("permission denied while trying: cannot connect to the docker daemon").name == (
        "container engine not running"
    )


def test_names_are_found_again():
    assert type_named("port in use").category == "network"
    assert type_named("no such type") is None
    assert type_named(None) is None


def test_a_bad_table_names_its_line():
    with pytest.raises(ValueError, match="line 1"):
        parse("no dot here")
    with pytest.raises(ValueError, match="line 2"):
        parse("# comment\n  phrase before a name")
    kinds = parse("one · net\n  a b | c d\n  e f\n  - look\n")
    assert kinds[0].phrases == ("a b", "c d", "e f")
    assert kinds[0].checks == ("look",)


@given(st.text(max_size=400))
def test_any_text_can_be_looked_at(text):
    kind = detect(text)
    assert kind is None or kind in ERROR_TYPES


def test_a_long_text_costs_no_more_than_its_tail():
    began = time.perf_counter()
    assert detect("connection refused\n" + "x " * 500_000) is None
    assert time.perf_counter() - began < 20
