"""Ordinary talk for fitting: sentences without an error, many with the numbers and words that errors have."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from string import Formatter

_PARTS = {
    name: tuple(choice.strip() for choice in choices.replace("\n", " ").split("|"))
    for name, choices in {
        "number": """
            404 | 500 | 403 | 401 | 502 | 503 | 429 | 3000 | 8080 | 443 | 22 | 137 | 200 | 301 | 127 | 1006
        """,
        "crowd": """
            people | dancers | guests | visitors | runners | voters | fans | students | books | cars | pages
        """,
        "did": """
            attended | arrived | left early | bought tickets | were invited | signed up | got lost | were sold |
            went home
        """,
        "thing": """
            the bus | my flight | the train | the concert | the meeting | our house | the kitchen | the garden |
            dinner | the bridge | my phone | the museum | the library | a new bike |
            the old server at the restaurant | the port of Hamburg | the court
        """,
        "place": """
            Buenos Aires | Berlin | the park | the old town | Lisbon | the station | the harbour | the office |
            London
        """,
        "topic": """
            tango events | a birthday present | learning rust | writing a novel |
            the history of python the snake | making coffee | hiking | the node of Ranvier |
            a docker in the harbour | java the island | go the board game | swift the singer | react to bad news
            | angular momentum | the ruby ring | a redis cover of my song | postcards | spring in the alps
        """,
        "verb": """
            was refused entry | denied the claim | failed the exam | lost the connection at the airport |
            crashed the party | broke the promise | found the key | rejected the offer | missed the deadline |
            timed the race | exited through the gift shop | had permission to leave | could not find a seat |
            committed to the plan | pushed the door | pulled a muscle
        """,
        "word": """
            value | module | key | process | memory | address | host | container | package | token | certificate
            | policy | table | index | stack
        """,
    }.items()
}
_FRAMES = (
    "{number} {crowd} {did}", "the total was {number} euros", "{thing} leaves at {number}",
    "{thing} is number {number}",
    "best {topic} in {place}", "tell me about {topic}", "she {verb} in {place}", "he {verb} and {thing} was late",
    "what do you think about {topic}", "I need {number} {crowd} for {thing}", "we met in {place} at room {number}",
    "my favourite {word} is {topic}", "the {word} of {thing} in {place}", "can you explain what a {word} is",
    "how do I learn {topic}", "the {word} was built in {number}", "{thing} costs {number} dollars in {place}",
    "is {thing} open on sunday", "they {verb} because of {thing}", "please remind me about {thing} at {number}",
    "what is the difference between a {word} and a {word}", "the article is about {topic} and {topic}",
    "page {number} of the book says they {verb}", "a {word} for {number} {crowd}", "recommend {topic} near {place}",
    "{crowd} in {place} {verb}", "his {word} {verb} after {number} days",
    "the weather in {place} is {number} times better",
)  # fmt: skip
_SINGLE = tuple(
    line
    for line in """
Hello, how are you today?
Compiled successfully in 312 ms
Tests: 48 passed, 48 total
Build completed successfully, 0 errors, 0 warnings
200 OK
Successfully installed numpy-2.1.0 pandas-2.2.3
Everything up-to-date
INFO: Application startup complete.
INFO: Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)
Already up to date.
nothing to commit, working tree clean
ready - started server on 0.0.0.0:3000
found 0 vulnerabilities
webpack 5.90.0 compiled successfully in 1200 ms
server listening on port 8080
done in 2.31s
All checks passed!
what is a segmentation fault
what does connection refused mean
how do I center a div
how does a hash map work
which database should I choose for a small shop
write a poem about the sea
explain async and await to a beginner
what is the best way to learn kubernetes
who won the world cup in 2014
""".splitlines()
    if line
)
_BORROWING = (
    "my {0} hurts, and the {thing} is {1}", "the {0} of {place} has a {1}", "of course the {0} and the {1} are fine",
    "she said the {0} was {1} after {thing}", "{0} {crowd} {verb}, no {1} though", "I moved and want to {0} a {1}",
    "there is no {0} for {1} in {place}", "{thing} and {0} and {1} for {number} euros", "his {1} {verb} at the {0}",
    "what is {0} {1}", "I like {0} more than {1}", "we talked about {0}, {1} and {topic}",
)  # fmt: skip


def borrowing_texts(pairs: Iterable[tuple[str, str]], seed: int = 5) -> Iterator[str]:
    """Ordinary sentences with two words that errors use, for each pair."""
    chance = random.Random(seed)
    for first, second in pairs:
        text = chance.choice(_BORROWING).replace("{0}", first).replace("{1}", second)
        yield _filled(text, chance)


def _filled(text: str, chance: random.Random) -> str:
    for _, name, _, _ in Formatter().parse(text):
        if name:
            text = text.replace("{" + name + "}", chance.choice(_PARTS[name]), 1)
    return text


def ordinary_texts(count: int = 420, seed: int = 11) -> Iterator[str]:
    """Sentences, the same for the same seed."""
    chance = random.Random(seed)
    yield from _SINGLE
    for _ in range(count):
        yield _filled(chance.choice(_FRAMES), chance)
