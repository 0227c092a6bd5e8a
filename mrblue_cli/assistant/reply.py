"""What Blue says about a search result: short, the fix first, one step at a time, in words that can be spoken.

The first clause is short on purpose: it is what a listener waits for. A way out of one or two steps is told whole; of a
longer one the first step, and the next one each time the listener says "next".
"""

from __future__ import annotations

from enum import StrEnum, auto

from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.model import Hit, Risk, SearchResult, Solution, is_prose

MAX_SPOKEN_STEPS = 2
_LONG_COMMAND = 90


class FollowUp(StrEnum):
    """What a person may mean by a few words after an answer."""

    NEXT = auto()
    """The next step of this way out."""
    MORE = auto()
    """Another way out."""
    REPEAT = auto()
    WHY = auto()


_FOLLOW_UPS = {
    FollowUp.NEXT: (
        "next", "next step", "next one", "done", "and then", "go on", "continue", "what now", "then what", "i did that",
        "siguiente", "siguiente paso", "hecho", "listo", "y luego", "y ahora", "sigue", "continúa", "continua",
        "ya lo hice",
    ),
    FollowUp.MORE: (
        "what else", "something else", "another", "other", "that did not help", "that didn't help",
        "did not work", "didn't work", "doesn't work", "still", "again and again", "comes back", "second",
        "otra forma", "otra manera", "otra cosa", "otro modo", "no funcionó", "no funciono", "no funciona", "no ayudó",
        "no ayudo", "no sirve", "sigue igual", "sigue fallando", "qué más", "que más",
    ),
    FollowUp.REPEAT: (
        "repeat", "say that again", "once more", "pardon", "what did you say", "come again",
        "repite", "repítelo", "repitelo", "otra vez", "cómo dices", "qué dijiste", "perdona", "perdón",
    ),
    FollowUp.WHY: (
        "why", "what causes", "what is the cause", "how come", "what does that mean",
        "por qué", "por que", "porqué", "cuál es la causa", "a qué se debe", "qué significa",
    ),
}  # fmt: skip


def follow_up_of(text: str) -> FollowUp | None:
    """The follow-up in a short utterance, None when it is something of its own."""
    said = f" {' '.join(text.lower().replace('?', ' ').replace('¿', ' ').replace(',', ' ').replace('.', ' ').split())} "
    if len(said.split()) > 9:
        return None
    for kind, phrases in _FOLLOW_UPS.items():
        if any(f" {phrase} " in said for phrase in phrases):
            return kind
    return None


def spoken_reply(result: SearchResult) -> str:
    """Answer from the best hit of a confident result."""
    title, way = _lower(result.hits[0].entry.title), describe(result.hits[0], 0)
    return tell("Found it: {title}. {way}", title=title, way=way)


def describe(hit: Hit, number: int) -> str:
    """The way out with this number, as one would tell a colleague."""
    solution = hit.solutions[number]
    cause = _cause(hit) if number == 0 else _sentence(solution.title)
    told = told_at_once(solution)
    if told < len(solution.steps):
        tail = tell("Say next for the next step.")
    else:
        tail = tell("If that does not help, ask for another way.") if len(hit.solutions) > number + 1 else ""
    return " ".join(part for part in (cause, _warning(solution), _steps(solution, 0, told), tail) if part)


def told_at_once(solution: Solution) -> int:
    """How many steps are told before the listener is waited for."""
    count = len(solution.steps)
    return count if count <= MAX_SPOKEN_STEPS else 1


def describe_step(hit: Hit, number: int, step: int) -> str:
    """One step of a way out, counted from 0, and what can be said after it."""
    solution = hit.solutions[number]
    if step >= len(solution.steps):
        more = len(hit.solutions) > number + 1
        last = tell("That was the last step.")
        return f"{last} {tell('If it did not help, ask for another way.')}" if more else last
    tail = "" if step + 1 < len(solution.steps) else tell("That is the last step.")
    return " ".join(part for part in (_steps(solution, step, step + 1), tail) if part)


def _cause(hit: Hit) -> str:
    """The usual cause, without its details: a listener wants the fix."""
    if not hit.entry.causes:
        return ""
    first = hit.entry.causes[0].split(",")[0]
    return _sentence(first)


def describe_causes(hit: Hit) -> str:
    """Why it happens."""
    return " ".join((tell("The usual causes:"), *(_sentence(cause) for cause in hit.entry.causes)))


def _steps(solution: Solution, start: int, end: int) -> str:
    ordinals = (tell("First"), tell("Then"), tell("Third"), tell("Fourth"), tell("Fifth"), tell("Next"))
    words = [ordinals[min(place, len(ordinals) - 1)] for place in range(start, end)]
    return " ".join(f"{word}, {_step(solution.steps[start + place])}." for place, word in enumerate(words))


def _step(step: str) -> str:
    """A step for the ear: sentences as they are, commands after a verb, what is too long to follow by its place."""
    if is_prose(step):
        text = step.rstrip(" .:;")
        return text[0].lower() + text[1:] if text.split(" ", 1)[0].istitle() else text
    if "\n" in step.strip() or len(step) > _LONG_COMMAND:
        return tell("copy the lines that are on the screen")
    command = step.rstrip(" ;")
    return tell("run {command}", command=command) if step[0].islower() and " " in step else command


def _warning(solution: Solution) -> str:
    return tell("Careful, this one deletes data.") if solution.risk is Risk.DESTRUCTIVE else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _lower(text: str) -> str:
    """Begin in lower case, unless the first word is a name or an acronym."""
    head = text.split(" ", 1)[0]
    plain = head.isalpha() and head[1:].islower() and head not in _NAMES
    return text[0].lower() + text[1:] if plain else text


_NAMES = _words("""
    Docker Node Python Git React Next Vue Angular Svelte Vite Webpack Electron Java Gradle Maven Go Rust Cargo
    Ruby Rails Bundler Composer Laravel Django Flask Redis Postgres Kafka Prisma Alembic Drizzle Kubernetes
    Terraform Tailwind Jupyter Ollama Homebrew Windows Xcode Chrome Playwright Selenium Safari Firefox Spring
    Kotlin Bluetooth Hibernate Metro Expo Yarn Poetry Conda Debian Ubuntu Helm Heroku Azure Vercel Netlify Apache
    Nginx Elasticsearch
""")
