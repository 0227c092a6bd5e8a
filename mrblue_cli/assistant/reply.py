"""What Blue says about a search result: short, the fix first, in words that can be spoken.

The first clause is short on purpose: it is what a listener waits for.
"""

from __future__ import annotations

from enum import StrEnum, auto

from mrblue_cli.knowledge.model import Hit, Risk, SearchResult, Solution

MAX_SPOKEN_STEPS = 2


class FollowUp(StrEnum):
    """What a person may mean by a few words after an answer."""

    MORE = auto()
    """Another way out."""
    REPEAT = auto()
    WHY = auto()


_FOLLOW_UPS = {
    FollowUp.MORE: (
        "what else", "something else", "next", "another", "other", "that did not help", "that didn't help",
        "did not work", "didn't work", "doesn't work", "still", "again and again", "comes back", "second",
    ),
    FollowUp.REPEAT: ("repeat", "say that again", "once more", "pardon", "what did you say", "come again"),
    FollowUp.WHY: ("why", "what causes", "what is the cause", "how come", "what does that mean"),
}  # fmt: skip


def follow_up_of(text: str) -> FollowUp | None:
    """The follow-up in a short utterance, None when it is something of its own."""
    said = f" {' '.join(text.lower().replace('?', ' ').replace(',', ' ').replace('.', ' ').split())} "
    if len(said.split()) > 9:
        return None
    for kind, phrases in _FOLLOW_UPS.items():
        if any(f" {phrase} " in said for phrase in phrases):
            return kind
    return None


def spoken_reply(result: SearchResult) -> str:
    """Answer from the best hit of a confident result."""
    return f"Found it: {_lower(result.hits[0].entry.title)}. {describe(result.hits[0], 0)}"


def describe(hit: Hit, number: int) -> str:
    """The way out with this number, as one would tell a colleague."""
    solution = hit.solutions[number]
    cause = _cause(hit) if number == 0 else _sentence(solution.title)
    more = len(hit.solutions) - number - 1
    tail = "If that does not help, ask for another way." if more else ""
    return " ".join(part for part in (cause, _warning(solution), _told(solution), tail) if part)


def _cause(hit: Hit) -> str:
    """The usual cause, without its details: a listener wants the fix."""
    if not hit.entry.causes:
        return ""
    first = hit.entry.causes[0].split(",")[0]
    return _sentence(first)


def describe_causes(hit: Hit) -> str:
    """Why it happens."""
    return " ".join(("The usual causes:", *(_sentence(cause) for cause in hit.entry.causes)))


def _told(solution: Solution) -> str:
    steps = solution.steps[:MAX_SPOKEN_STEPS]
    rest = "The rest is on the screen." if len(solution.steps) > len(steps) else ""
    told = " ".join(f"{word}, {_step(step)}." for word, step in zip(("First", "Then"), steps, strict=False))
    return " ".join(part for part in (told, rest) if part)


def _step(step: str) -> str:
    return step.rstrip(" .;")


def _warning(solution: Solution) -> str:
    return "Careful, this one deletes data." if solution.risk is Risk.DESTRUCTIVE else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _lower(text: str) -> str:
    """Begin in lower case, unless the first word is a name or an acronym."""
    head = text.split(" ", 1)[0]
    plain = head.isalpha() and head[1:].islower() and head in _COMMON
    return text[0].lower() + text[1:] if plain else text


_COMMON = {
    "Another", "Port", "Connection", "Request", "Invalid", "Process", "Permission", "Push", "Detached", "Merge", "Not",
    "Too", "No", "Command", "Host", "Somebody", "Two", "Tabs", "Both", "More", "Global", "The", "A", "Your", "There",
    "Hydration", "Pod", "Class", "Linker", "Circular",
}  # fmt: skip
