"""How the assistant is doing, in one word, derived from what is the case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.assistant.thinking import Level, level_of


class Status(StrEnum):
    """The ten indicators."""

    ACTIVE = "active"
    """Working on an answer."""
    MONITORING = "monitoring"
    """Listening; words are arriving."""
    LEARNING = "learning"
    """Taking in a report of what helped."""
    PAUSED = "paused"
    """Muted or stopped by the person."""
    ESCALATED = "escalated"
    """The knowledge base did not know; a model was asked."""
    REVIEWING = "reviewing"
    """An answer is there and is being checked."""
    CONFIDENT = "confident"
    """An answer stands, and it can be trusted."""
    UNCERTAIN = "uncertain"
    """An answer stands, or none; better look twice."""
    TRAINING = "training"
    """The index is being built, or models are being loaded."""
    IDLE = "idle"
    """Nothing is going on."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is the case. Every combination has a status."""

    preparing: bool = False
    """An index is built or a model is loaded."""
    paused: bool = False
    reporting: bool = False
    """A report of what helped is being stored."""
    hearing: bool = False
    """Words of the person are arriving."""
    asking_model: bool = False
    validating: bool = False
    working: bool = False
    """Searching, or speaking an answer."""
    answered: bool = False
    """A question was answered, or could not be."""
    confidence: float | None = None
    """Of the standing answer, 0..1; None: there is none."""


def status_of(now: Situation) -> Status:
    """The one word, what is most pressing first."""
    checks = (
        (now.preparing, Status.TRAINING),
        (now.paused, Status.PAUSED),
        (now.reporting, Status.LEARNING),
        (now.hearing, Status.MONITORING),
        (now.validating, Status.REVIEWING),
        (now.asking_model, Status.ESCALATED),
        (now.working, Status.ACTIVE),
    )
    for holds, status in checks:
        if holds:
            return status
    if not now.answered:
        return Status.IDLE
    sure = now.confidence is not None and level_of(now.confidence) is not Level.LOW
    return Status.CONFIDENT if sure else Status.UNCERTAIN
