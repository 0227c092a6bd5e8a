"""One talk, several sessions with servers: each is a leg. Names that a server gave mean nothing to the next one, and
two servers may give the same; what is shown keeps one name for ever. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.client_events import ClientEvent

Registry = dict[str, int]
"""Which leg showed a name first."""


class Names:
    """The names of one leg's items, as they are shown."""

    def __init__(self, leg: int, registry: Registry) -> None:
        self._leg = leg
        self._registry = registry
        self._shown: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def shown(self, item_id: str) -> str:
        """The name on the screen of the server's item."""
        known = self._shown.get(item_id)
        if known is not None:
            return known
        name = item_id
        if self._registry.get(name, self._leg) != self._leg:
            name = f"{item_id}~{self._leg}"
        self.alias(item_id, name)
        return name

    def alias(self, item_id: str, shown: str) -> None:
        """The server's item is one that stands on the screen already."""
        self._shown[item_id], self._real[shown] = shown, item_id
        self._registry.setdefault(shown, self._leg)

    def knows(self, shown: str) -> bool:
        """This leg has an item that is shown under this name."""
        return shown in self._real

    def shown_key(self, key: n.AudioKey) -> n.AudioKey:
        """The name of a stream of audio, for the player."""
        return replace(key, item_id=self.shown(key.item_id))

    def real_key(self, key: n.AudioKey) -> n.AudioKey:
        """The server's name of a stream of audio."""
        return replace(key, item_id=self.real(key.item_id))

    def real(self, shown: str) -> str:
        """The server's name of what is shown under this one."""
        return self._real.get(shown, shown)

    def translate(self, notice: n.Notice) -> n.Notice:
        """A notice with the names that are shown."""
        match notice:
            case n.ReplyAudio() | n.ReplyAudioDone():
                return replace(notice, key=self.shown_key(notice.key))
            case n.UserText() | n.ReplyText() | n.SpeechStarted() | n.SpeechStopped() | n.TurnCommitted():
                return replace(notice, item_id=self.shown(notice.item_id))
            case _:
                return notice


@dataclass(slots=True)
class Leg:
    """One session with one server."""

    conversation: ClientConversation
    names: Names
    hears: bool = True
    """Its server takes speech."""
    ready: tuple[n.Notice, ...] = ()
    """What `session.created` told."""
    opening: list[ClientEvent] = field(default_factory=list)
    """To be sent before anything else."""
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Lines that this session was told as text: by shown name, their item and their words."""

    def own(self, played: Iterable[n.Played]) -> tuple[n.Played, ...]:
        """The reports about this leg's streams, under the server's names."""
        mine = (report for report in played if self.names.knows(report.key.item_id))
        return tuple(replace(report, key=self.names.real_key(report.key)) for report in mine)

    @property
    def plays(self) -> bool:
        """Something of it may still be unplayed."""
        return self.conversation.plays
