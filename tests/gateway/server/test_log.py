"""The decision log: one line each, no line that somebody else wrote, no words of exceptions."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface
from mrblue_cli.gateway.run import Noted
from mrblue_cli.gateway.server.log import DecisionLog, one_line, place_of

BROKEN = Fault(kind=FaultKind.BROKEN, message="It broke\nreally.")


def record(**more) -> Record:
    """A request that is over."""
    base = {"request_id": "r1", "key_id": "k", "surface": Surface.CHAT, "asked": "m", "stream": False, "began": 0.0}
    return Record(**(base | {"status": 200, "seconds": 0.0123} | more))


def written(*, as_json: bool, **more) -> str:
    """What the log says of one request."""
    stream = io.StringIO()
    DecisionLog(stream, as_json=as_json, wall=lambda: 0.0).finished(record(**more))
    return stream.getvalue()


@given(st.text(max_size=300), st.booleans())
def test_a_request_is_one_line_whatever_its_model_is_called(name, as_json):
    line = written(as_json=as_json, asked=name)
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    if as_json:
        assert set(json.loads(line)) >= {"time", "request_id", "asked", "status"}
    else:
        words = line.split(" ")
        assert words[:4] == ["1970-01-01T00:00:00Z", "r1", "k", "chat"]
        assert words[5].startswith("cache="), "the model's name has taken more than its place"


def test_a_line_tells_all_that_was_decided():
    tried = [Noted("a", "m1", "timeout", 1.5, None, BROKEN), Noted("b", "m2", "ok", 0.2)]
    line = written(
        as_json=False, stream=True, cache="miss", cache_reason="new", provider="b", model="m2", attempts=tried, tries=2,
        input_tokens=12, output_tokens=5, cost_nano=1_500_000, saved_nano=2_000_000, throttled=True, first_token=0.25,
        fault=BROKEN,
    )  # fmt: skip
    for part in (
        "chat/stream m cache=miss(new) -> b/m2 200 12ms", "first=250ms", "tokens=12+5", "$0.001500", "saved=$0.002000",
        "throttled", "tried=a/m1:timeout:1500ms", "fault=broken: It broke?really.",
    ):  # fmt: skip
        assert part in line
    assert "b/m2:ok" not in line


def test_the_same_for_machines():
    said = json.loads(written(as_json=True, attempts=[Noted("a", "m1", "broken", 1.5, None, BROKEN)], fault=BROKEN))
    assert said["attempts"] == [
        {"provider": "a", "model": "m1", "outcome": "broken", "ms": 1500.0, "detail": BROKEN.message}
    ]
    assert said["fault"] == {"kind": "broken", "message": BROKEN.message}


def test_long_names_are_cut():
    assert len(written(as_json=False, asked="m" * 10_000)) < 300
    assert json.loads(written(as_json=True, asked="m" * 10_000))["asked"] == "m" * 120 + "…"


def fail(error: Exception) -> None:
    """Raise it."""
    raise error


def raised(error: Exception) -> Exception:
    """The error with a traceback."""
    with pytest.raises(type(error)) as caught:
        fail(error)
    return caught.value


@pytest.fixture
def taken():
    """A logger that was taken over, and what is written."""
    stream = io.StringIO()
    logger = logging.getLogger("tests.taken")
    DecisionLog(stream, as_json=False, wall=lambda: 0.0).take_over("tests.taken", logging.WARNING)
    logger.propagate = False
    yield logger, stream
    logger.handlers = []
    logger.propagate = True


def test_other_loggers_write_lines_of_ours_without_what_an_exception_says(taken):
    logger, stream = taken
    logger.info("GET /v1/realtime?api-key=secret")
    logger.error("Exception in ASGI application\n", exc_info=raised(ValueError("sk-secret")))
    logger.warning("one\ntwo")
    (error, warning) = stream.getvalue().splitlines()
    assert error.startswith(
        "1970-01-01T00:00:00Z error: Exception in ASGI application [ValueError at tests.gateway.server.test_log:"
    )
    assert warning == "1970-01-01T00:00:00Z warning: one?two"
    assert "secret" not in stream.getvalue()


def test_an_answer_that_is_broken_off_on_purpose_has_no_second_line(taken):
    logger, stream = taken
    logger.error("Exception in ASGI application\n", exc_info=raised(CallError(BROKEN)))
    logger.error("ASGI callable returned without completing response.")
    assert stream.getvalue() == ""


def test_a_closed_stream_takes_nothing_down():
    stream = io.StringIO()
    log = DecisionLog(stream, as_json=False, wall=lambda: 0.0)
    stream.close()
    log.say("hello")


@given(st.text())
def test_one_line_is_one_line(text):
    assert len(one_line(text).splitlines()) <= 1


def test_a_place_is_told_of_an_error_without_a_traceback_too():
    assert place_of(ValueError("secret")) == "ValueError"
