"""What a step of the client's side comes to."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client_events import ClientEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from an event or an act: events to send, in order, and notices for the application."""

    send: tuple[ClientEvent, ...] = ()
    notices: tuple[n.Notice, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.send + other.send, self.notices + other.notices)


NOTHING = Outcome()
