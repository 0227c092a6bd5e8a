"""Pairs of questions made from frames: rewrites that ask the same, and traps that look the same and do not.

For fitting the cache's judgement (`bench.cache_calibrate`) beside public data, so that it sees what developers and
assistants are asked. Nothing here is taken from any data set.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple


class Pair(NamedTuple):
    """Two texts; `same`: one answer serves both."""

    one: str
    other: str
    same: bool


# A task: wordings that mean the same; then neighbours that share words with it and mean something else.
TASKS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("reset my password", "set a new password", "change a forgotten password"),
        ("reset my phone", "change my username", "reset my pin", "share my password"),
    ),
    (
        ("cancel my subscription", "end my subscription", "stop my subscription"),
        ("renew my subscription", "pause my subscription", "gift a subscription", "cancel my order"),
    ),
    (
        ("delete a branch in git", "remove a git branch", "get rid of a branch in git"),
        (
            "rename a branch in git",
            "delete a tag in git",
            "merge a branch in git",
            "protect a git branch",
            "delete a remote branch in git",
        ),
    ),
    (
        ("undo the last commit", "revert the most recent commit", "take back my last commit"),
        ("undo the last merge", "amend the last commit", "sign the last commit", "undo all commits"),
    ),
    (
        (
            "convert a string to an integer in Python",
            "turn a string into an int in Python",
            "parse an integer from a string in Python",
        ),
        (
            "convert an integer to a string in Python",
            "convert a string to an integer in Rust",
            "convert a string to a list in Python",
            "convert a string to a float in Python",
        ),
    ),
    (
        ("sort a list of dictionaries by a key", "order a list of dicts by one of their keys"),
        (
            "sort a dictionary by value",
            "filter a list of dictionaries by a key",
            "sort a list of tuples by a key",
            "merge a list of dictionaries by a key",
        ),
    ),
    (
        ("read a file line by line in Go", "go through a file line by line in Go"),
        (
            "write a file line by line in Go",
            "read a file line by line in Java",
            "read a file into memory in Go",
            "count the lines of a file in Go",
        ),
    ),
    (
        ("connect to a PostgreSQL database from Node.js", "open a connection to Postgres in Node.js"),
        (
            "connect to a MySQL database from Node.js",
            "back up a PostgreSQL database from Node.js",
            "connect to a PostgreSQL database from PHP",
            "create a PostgreSQL database from Node.js",
        ),
    ),
    (
        (
            "increase the memory limit of a Docker container",
            "raise a Docker container's memory limit",
            "give a Docker container more memory",
        ),
        (
            "see the memory usage of a Docker container",
            "increase the disk limit of a Docker container",
            "remove the CPU limit of a Docker container",
            "decrease the memory limit of a Docker container",
        ),
    ),
    (
        ("install the package without sudo", "install a package without root rights"),
        ("install the package with sudo", "remove the package without sudo", "update the package without sudo"),
    ),
    (
        ("copy files from a container to the host", "get files out of a container onto the host"),
        (
            "copy files from the host to a container",
            "delete files in a container",
            "mount files from the host in a container",
        ),
    ),
    (
        ("upgrade from version 2 to version 3", "move from version 2 to version 3"),
        (
            "downgrade from version 3 to version 2",
            "upgrade from version 3 to version 4",
            "run version 2 beside version 3",
        ),
    ),
    (
        ("export the report as a PDF", "save the report as a PDF file"),
        ("export the report as a spreadsheet", "print the report", "email the report", "import a report from a PDF"),
    ),
    (
        ("grow tomatoes indoors", "raise tomato plants inside the house"),
        ("grow tomatoes outdoors", "grow basil indoors", "dry tomatoes indoors", "store tomatoes"),
    ),
    (
        ("make bread without yeast", "bake a loaf without using yeast"),
        ("make bread with yeast", "make pizza without yeast", "make bread without gluten", "store bread"),
    ),
    (
        ("learn to play the guitar by myself", "teach myself to play the guitar"),
        ("learn to play the piano by myself", "learn to tune a guitar by myself", "buy a guitar by myself"),
    ),
    (
        ("track my order", "see where my order is", "follow the status of my order"),
        ("cancel my order", "change my order", "repeat my order", "pay for my order"),
    ),
    (
        ("update my billing address", "change the address on my bills"),
        ("update my shipping address", "update my billing method", "see my billing history", "update my email address"),
    ),
    (
        ("transfer money to another account", "send money to a different account"),
        (
            "transfer money from another account",
            "open another account",
            "exchange money at another bank",
            "receive money from another account",
        ),
    ),
    (
        ("activate my new card", "get my new card working", "switch on my new card"),
        ("order a new card", "block my new card", "track my new card", "add my new card to the app"),
    ),
    (
        ("get a refund for a late delivery", "be refunded when a delivery is late"),
        ("get a replacement for a late delivery", "get a refund for a damaged item", "report a late delivery"),
    ),
    (
        ("lower my electricity bill", "pay less for electricity", "reduce my electricity costs"),
        ("pay my electricity bill", "read my electricity bill", "lower my water bill", "dispute my electricity bill"),
    ),
    (
        ("center a div horizontally in CSS", "align a div in the middle horizontally with CSS"),
        ("center a div vertically in CSS", "hide a div in CSS", "rotate a div horizontally in CSS"),
    ),
    (
        ("prevent SQL injection in PHP", "protect PHP code against SQL injection"),
        ("prevent cross-site scripting in PHP", "demonstrate SQL injection in PHP", "prevent SQL injection in Java"),
    ),
    (
        ("find the largest number in a list", "get the biggest number of a list"),
        (
            "find the smallest number in a list",
            "find the average number in a list",
            "find the second largest number in a list",
            "find the largest number in a file",
        ),
    ),
    (
        ("apply for a student visa", "request a visa as a student"),
        ("extend a student visa", "apply for a tourist visa", "apply for a student loan"),
    ),
    (
        ("remove a red wine stain from a carpet", "get red wine out of a carpet"),
        ("remove a coffee stain from a carpet", "remove a red wine stain from a shirt", "remove paint from a carpet"),
    ),
    (
        ("write a cover letter for an internship", "compose a cover letter for an internship application"),
        ("write a thank you letter for an internship", "write a resume for an internship", "find an internship"),
    ),
    (
        ("set an environment variable permanently on Linux", "make an environment variable permanent in Linux"),
        (
            "set an environment variable temporarily on Linux",
            "read an environment variable on Linux",
            "set an environment variable permanently on Windows",
        ),
    ),
    (
        ("schedule a job every day at midnight", "run a job daily at midnight"),
        (
            "schedule a job every day at noon",
            "schedule a job every hour",
            "cancel a job at midnight",
            "schedule a job every Monday at midnight",
        ),
    ),
)

HOW = (
    "How do I {}?",
    "How can I {}?",
    "How to {}?",
    "how to {}",
    "What is the best way to {}?",
    "Please tell me how to {}.",
    "Can you explain how to {}?",
    "What are the steps to {}?",
    "I want to {}. How do I do that?",
    "how do i {}",
    "What do I have to do to {}?",
    "I'd like to know how to {}.",
    "Could you show me how I can {}?",
    "What's the easiest way to {}?",
    "Hi, how do I {}?",
    "Is there a way to {}?",
    "I need to {}, how does that work?",
)
OTHER_KIND = (
    "Why should I {}?",
    "When should I {}?",
    "How long does it take to {}?",
    "How often should I {}?",
    "Who can {}?",
    "How much does it cost to {}?",
    "Why can't I {}?",
    "Where can I {}?",
    "What happens when I {}?",
    "Should I {}?",
    "How do I not {}?",
    "How do I avoid having to {}?",
    "How many times can I {}?",
    "What are the risks if I {}?",
    "What happened after I tried to {}?",
    "Who told you to {}?",
    "What does it mean to {}?",
)
CONDITIONS = (
    " on a Mac",
    " without losing data",
    " for free",
    " in bulk",
    " from the command line",
    " in production",
    " for my company",
    " offline",
    " as an administrator",
    " for a child",
    " in Germany",
    " on my phone",
    " using only the standard library",
    " behind a proxy",
    " with a script",
)

THINGS = (
    "a hash table",
    "a binary search tree",
    "the TCP handshake",
    "photosynthesis",
    "compound interest",
    "a neural network",
    "quantum entanglement",
    "the water cycle",
    "garbage collection",
    "public key cryptography",
    "the immune system",
    "inflation",
    "a mutex",
    "dependency injection",
    "a load balancer",
    "a black hole",
    "the stock market",
    "a vaccine",
    "plate tectonics",
    "a blockchain",
)
EXPLAIN = (
    "Explain how {} works.",
    "How does {} work?",
    "Can you explain how {} works?",
    "how does {} work",
    "Tell me how {} works.",
    "I want to understand how {} works.",
    "Please describe how {} works.",
)
EXPLAIN_NOT = (
    "Who invented {}?",
    "Why do we need {}?",
    "What are the disadvantages of {}?",
    "When was {} discovered?",
    "Give me an example of {}.",
    "How many kinds of {} are there?",
    "What is the history of {}?",
    "How do I test {}?",
    "Why does {} fail?",
    "What replaced {}?",
)

PLACES = ("Portugal", "Japan", "Brazil", "Canada", "Kenya", "Norway", "Vietnam", "Peru", "Egypt", "Poland")
FACTS: tuple[tuple[str, ...], ...] = (
    (
        "What is the capital of {}?",
        "Which city is the capital of {}?",
        "Name the capital city of {}.",
        "what's the capital of {}",
    ),
    ("What is the population of {}?", "How many people live in {}?", "How many inhabitants does {} have?"),
    ("What is the currency of {}?", "Which currency is used in {}?", "What money do they use in {}?"),
    ("Who is the president of {}?", "Who is currently president of {}?", "Name the current president of {}."),
    ("What is the best time to visit {}?", "When should I travel to {}?", "Which season is best for a trip to {}?"),
    ("What is the official language of {}?", "Which language is officially spoken in {}?"),
    ("What is the area of {}?", "How large is {}?"),
    ("What is the highest mountain in {}?", "Which is the tallest mountain of {}?"),
    ("What is the longest river in {}?",),
    ("What is the oldest city in {}?",),
    ("What is the national dish of {}?",),
    ("When did {} become independent?",),
)

TURNED = (
    "Is {a} faster than {b}?",
    "Convert {a} to {b}.",
    "How do I migrate from {a} to {b}?",
    "Why is {a} more popular than {b}?",
    "What can {a} do that {b} cannot?",
    "Write a script that turns {a} into {b}.",
    "Can {a} be called from {b}?",
    "Should I learn {a} before {b}?",
    "Did {a} influence {b}?",
    "What does {a} cost compared with what {b} costs in a small team?",
    "Replace {a} with {b} in my project.",
    "Does {a} depend on {b}?",
)
TURNED_NAMES = (
    ("Python", "Java"),
    ("JSON", "XML"),
    ("MySQL", "SQLite"),
    ("React", "Vue"),
    ("Kafka", "RabbitMQ"),
    ("CSV", "Parquet"),
    ("Rust", "Zig"),
    ("REST", "gRPC"),
)

ROLES = (
    ("{a} sold the {m} {x} to {b}.", "{b} sold the {m} {x} to {a}."),
    ("{a} wrote a letter about the {x} to {b}.", "{b} wrote a letter about the {x} to {a}."),
    ("The {m} {x} stands beside the {n} {y}.", "The {n} {x} stands beside the {m} {y}."),
    ("After meeting {a} in {p}, {b} moved to {q}.", "After meeting {a} in {q}, {b} moved to {p}."),
    ("{a}, born in {p}, taught {b} the {x} trade.", "{b}, born in {p}, taught {a} the {x} trade."),
    ("The company moved its {x} from {p} to {q}.", "The company moved its {x} from {q} to {p}."),
    ("The {x} was painted by {a} and restored by {b}.", "The {x} was painted by {b} and restored by {a}."),
    (
        "{a} is older than {b} but younger than the {x} dealer.",
        "{b} is older than {a} but younger than the {x} dealer.",
    ),
    ("He grew up in {p} and studied the {x} in {q}.", "He grew up in {q} and studied the {x} in {p}."),
    ("The {m} {x} replaced the {n} one in {p}.", "The {n} {x} replaced the {m} one in {p}."),
)
KEPT = (
    ("{a} sold the {m} {x} to {b}.", "The {m} {x} was sold to {b} by {a}."),
    ("In {p}, {a} bought the {m} {x}.", "{a} bought the {m} {x} in {p}."),
    ("{a} likes the {x} and the {y}.", "{a} likes the {y} and the {x}."),
    ("When {a} arrived in {p}, {b} sold the {x}.", "{b} sold the {x} when {a} arrived in {p}."),
    ("{a} painted the {x} that stands in {p}.", "The {x} that stands in {p} was painted by {a}."),
    ("The {x} of {a} is very {m}.", "{a}'s {x} is very {m}."),
    ("{a} also visited {p} and {q}.", "{a} visited {q} and {p} as well."),
    ("There is a {m} {x} near {p}.", "A {m} {x} is located near {p}."),
    ("{a} gave the {x} to {b}.", "{a} gave {b} the {x}."),
    ("During the winter {a} lived in {p} with {b}.", "{a} lived with {b} in {p} during the winter."),
)
NAMES = ("Alice", "Bruno", "Clara", "Daniel", "Edith", "Farid", "Greta", "Hugo", "Irene", "Jonas")
TOWNS = ("Lyon", "Boston", "Osaka", "Cairo", "Bergen", "Lima", "Quito", "Turin", "Perth", "Izmir")
OBJECTS = (
    "house",
    "boat",
    "clock",
    "garden",
    "bridge",
    "painting",
    "factory",
    "tower",
    "horse",
    "library",
    "mill",
    "engine",
)
ATTRIBUTES = ("old", "wooden", "green", "famous", "heavy", "narrow", "yellow", "silent", "royal", "steep")

CODE = (
    "reverses a string",
    "checks whether a number is prime",
    "removes duplicates from a list",
    "counts the words in a file",
    "merges two sorted lists",
    "downloads a page",
    "validates an email address",
    "computes the factorial of a number",
    "finds the longest word in a text",
    "flattens a nested list",
    "sorts numbers in descending order",
    "sorts numbers in ascending order",
    "removes vowels from a string",
    "counts the vowels in a string",
    "splits a list into two",
)
CODE_FRAMES = (
    "Write a {} function that {}.",
    "Give me a {} function that {}.",
    "Please write a function in {} that {}.",
    "I need a {} function which {}.",
    "Can you write a {} function that {}?",
    "write {} code that {}",
    "Show me {} code that {}.",
    "Create a {} function that {}.",
)
LANGUAGES = ("Python", "Go", "Java", "Rust", "JavaScript", "Ruby")


def _tasks(chance: random.Random) -> Iterator[Pair]:
    for wordings, neighbours in TASKS:
        for _ in range(14):
            one, other = chance.sample(HOW, 2)
            yield Pair(one.format(chance.choice(wordings)), other.format(chance.choice(wordings)), same=True)
        for neighbour in neighbours:
            frame = chance.choice(HOW)
            yield Pair(frame.format(wordings[0]), frame.format(neighbour), same=False)
            yield Pair(
                chance.choice(HOW).format(chance.choice(wordings)), chance.choice(HOW).format(neighbour), same=False
            )
        for kind in chance.sample(OTHER_KIND, 8):
            yield Pair(chance.choice(HOW).format(wordings[0]), kind.format(wordings[0]), same=False)
        for one, other in itertools.pairwise(chance.sample(OTHER_KIND, 4)):
            yield Pair(one.format(wordings[0]), other.format(wordings[0]), same=False)
        for condition in chance.sample(CONDITIONS, 5):
            yield Pair(
                chance.choice(HOW).format(wordings[0]), chance.choice(HOW).format(wordings[0] + condition), same=False
            )
        one, other = chance.sample(CONDITIONS, 2)
        yield Pair(f"How do I {wordings[0]}{one}?", f"How do I {wordings[0]}{other}?", same=False)


def _things(chance: random.Random) -> Iterator[Pair]:
    for thing in THINGS:
        for one, other in (chance.sample(EXPLAIN, 2) for _ in range(4)):
            yield Pair(one.format(thing), other.format(thing), same=True)
        for other in chance.sample(EXPLAIN_NOT, 4):
            yield Pair(chance.choice(EXPLAIN).format(thing), other.format(thing), same=False)
        one, other = chance.sample(EXPLAIN_NOT, 2)
        yield Pair(one.format(thing), other.format(thing), same=False)
        yield Pair(
            EXPLAIN[0].format(thing), EXPLAIN[0].format(chance.choice([t for t in THINGS if t != thing])), same=False
        )


def _facts(chance: random.Random) -> Iterator[Pair]:
    for place in PLACES:
        for wordings in FACTS:
            if len(wordings) > 1:
                one, other = chance.sample(wordings, 2)
                yield Pair(one.format(place), other.format(place), same=True)
            yield Pair(
                wordings[0].format(place),
                wordings[0].format(chance.choice([p for p in PLACES if p != place])),
                same=False,
            )
            yield Pair(
                wordings[0].format(place),
                chance.choice([w for w in FACTS if w is not wordings])[0].format(place),
                same=False,
            )


def _turned(chance: random.Random) -> Iterator[Pair]:
    for frame, (a, b) in itertools.product(TURNED, TURNED_NAMES):
        if chance.random() < 0.5:
            yield Pair(frame.format(a=a, b=b), frame.format(a=b, b=a), same=False)


def _roles(chance: random.Random) -> Iterator[Pair]:
    for frames, same, count in ((ROLES, False, 28), (KEPT, True, 28)):
        for one, other in frames:
            for _ in range(count):
                a, b = chance.sample(NAMES, 2)
                p, q = chance.sample(TOWNS, 2)
                x, y = chance.sample(OBJECTS, 2)
                m, n = chance.sample(ATTRIBUTES, 2)
                fill = {"a": a, "b": b, "p": p, "q": q, "x": x, "y": y, "m": m, "n": n}
                yield Pair(one.format(**fill), other.format(**fill), same=same)


def _code(chance: random.Random) -> Iterator[Pair]:
    for task in CODE:
        for _ in range(6):
            one, other = chance.sample(CODE_FRAMES, 2)
            language = chance.choice(LANGUAGES)
            yield Pair(one.format(language, task), other.format(language, task), same=True)
        for _ in range(4):
            frame, language = chance.choice(CODE_FRAMES), chance.choice(LANGUAGES)
            yield Pair(
                frame.format(language, task),
                frame.format(language, chance.choice([t for t in CODE if t != task])),
                same=False,
            )
            yield Pair(
                frame.format(language, task),
                chance.choice(CODE_FRAMES).format(language, f"{task} without using a loop"),
                same=False,
            )
        one, other = chance.sample(LANGUAGES, 2)
        yield Pair(CODE_FRAMES[0].format(one, task), CODE_FRAMES[0].format(other, task), same=False)


def made_pairs(seed: int = 5) -> list[Pair]:
    """All of them, the same for the same seed, none twice."""
    chance = random.Random(seed)
    made = itertools.chain(
        _tasks(chance), _things(chance), _facts(chance), _turned(chance), _roles(chance), _code(chance)
    )
    return list(dict.fromkeys(pair for pair in made if pair.one != pair.other))
