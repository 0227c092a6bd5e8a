"""Long texts are reduced to the lines that say what went wrong."""

from __future__ import annotations

from mrblue_cli.knowledge.focus import focus

WEIGHTS = {"eaddrinuse": 6.0, "address": 3.0, "already": 0.1, "listen": 4.0, "error": 0.5}


def test_a_short_text_is_one_piece():
    assert focus("Error: listen EADDRINUSE", WEIGHTS) == ["Error: listen EADDRINUSE"]


def test_the_telling_line_is_kept_wherever_it_stands():
    noise = [f"INFO request {number} served in 3 ms from cache" for number in range(3000)]
    for place in (0, 1500, 2999):
        lines = list(noise)
        lines[place] = "Error: listen EADDRINUSE: address already in use :::3000"
        assert lines[place] in focus("\n".join(lines), WEIGHTS)


def test_repeated_lines_count_once_and_few_are_kept():
    text = "\n".join(f"Error: could not reach shard {number}" for number in range(500)) + "\n" + "x " * 3000
    pieces = focus(text, WEIGHTS)
    assert sum("could not reach shard" in piece for piece in pieces) == 1
    assert len(pieces) <= 10


def test_frames_of_a_stack_trace_come_after_its_message():
    frames = [f"    at com.example.error.Handler{n}.failed(Handler.java:{n})" for n in range(60)]
    text = "\n".join(["java.lang.IllegalStateException: listen failed", *frames])
    assert focus(text, WEIGHTS)[0] == "java.lang.IllegalStateException: listen failed"


def test_the_order_of_the_text_is_kept():
    lines = [f"filler {'abcdefghij'[n % 10] * (n % 7 + 1)} words here" for n in range(200)]
    lines[20] = "Error: first thing refused"
    lines[150] = "Error: second thing denied"
    pieces = focus("\n".join(lines), WEIGHTS)
    assert pieces.index(lines[20]) < pieces.index(lines[150])
