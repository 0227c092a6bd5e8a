"""Clauses in order, one in the making beside the one that is delivered; in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.engine.delivery import speak_in_order
from tests.fakes.virtual_time import run_virtual


class Voice:
    """Takes a second for the first piece of a clause and half a second for each of two more."""

    def __init__(self, fails_at=None, pieces=3):
        self.fails_at, self.pieces = fails_at, pieces
        self.log, self.closed, self.open = [], [], 0

    async def say(self, clause):
        self.open += 1
        self.log.append((self.now(), "asked", clause))
        try:
            for number in range(self.pieces):
                await asyncio.sleep(0.5 if number else 1.0)
                if clause == self.fails_at:
                    raise RuntimeError("hoarse")
                yield f"{clause}{number}".encode()
        finally:
            self.open -= 1
            self.closed.append(clause)

    def now(self):
        return asyncio.get_running_loop().time()


async def clauses(*texts, fails=False, log=None):
    for text in texts:
        if log is not None:
            log.append(text)
        yield text
    if fails:
        raise ValueError("no more ideas")


def held(voice, source, cancel_after=None):
    """What was delivered, with its time."""
    delivered = []

    async def main():
        job = asyncio.ensure_future(
            speak_in_order(source, voice.say, lambda text, pcm: delivered.append((voice.now(), text, pcm)))
        )
        if cancel_after is not None:
            await asyncio.sleep(cancel_after)
            job.cancel()
        await job

    run_virtual(main())
    return delivered


def test_each_clause_brings_its_text_with_its_first_sound_and_the_next_is_under_way():
    voice = Voice()
    delivered = held(voice, clauses("a", "b", "c"))
    assert [(text, pcm) for _, text, pcm in delivered if text] == [("a ", b"a0"), ("b ", b"b0"), ("c ", b"c0")]
    assert b"".join(pcm for _, _, pcm in delivered) == b"a0a1a2b0b1b2c0c1c2"
    # a and b are asked for at once, c when a is done; so three clauses of two seconds take four.
    assert [at for at, _, _ in voice.log] == [0.0, 0.0, 2.0]
    assert delivered[-1][0] == 4.0


def test_no_more_is_made_than_one_ahead():
    asked = []
    voice = Voice()
    with pytest.raises(asyncio.CancelledError):
        held(voice, clauses(*"abcdef", log=asked), cancel_after=1.5)
    assert asked == ["a", "b", "c"]  # c waits for room
    assert [clause for _, _, clause in voice.log] == ["a", "b"]
    assert voice.open == 0


def test_a_voice_without_sound_still_shows_the_words():
    assert [entry[1:] for entry in held(Voice(pieces=0), clauses("a", "b"))] == [("a ", b""), ("b ", b"")]


def test_a_voice_that_fails_ends_it_and_stops_the_others():
    voice = Voice(fails_at="b")
    with pytest.raises(RuntimeError, match="hoarse"):
        held(voice, clauses("a", "b", "c"))
    assert voice.open == 0


def test_words_that_fail_come_after_what_was_said_before():
    voice, delivered = Voice(), []

    async def main():
        with pytest.raises(ValueError, match="ideas"):
            await speak_in_order(clauses("a", "b", fails=True), voice.say, lambda text, pcm: delivered.append(pcm))

    run_virtual(main())
    assert b"".join(delivered) == b"a0a1a2b0b1b2"
