"""What a client asks a server for: its configuration, and who owns the turns as far as the server can share them."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.notices import Ownership
from mrblue_cli.protocol.session import (
    Audio,
    AudioInput,
    SemanticVad,
    ServerVad,
    Session,
    TurnDetection,
    merge,
)


class Wanted:
    """The configuration of one session. `plain_vad` stands in where the server does not know `vad`."""

    def __init__(
        self, desired: Session, ownership: Ownership, vad: TurnDetection | None, plain_vad: ServerVad | None
    ) -> None:
        self._vad = vad or ServerVad()
        self._plain_vad = plain_vad or ServerVad()
        self._can_share = True
        self.desired = desired
        self.ownership = ownership
        self.turns_held = False
        """The server hears no turns for now, whoever owns them."""
        self.voice_is_fixed = False
        """Audio was spoken: the voice cannot change any more."""

    def possible(self, ownership: Ownership) -> Ownership:
        """The nearest ownership that this server can do."""
        return Ownership.SERVER if ownership is Ownership.SHARED and not self._can_share else ownership

    def share_no_more(self) -> None:
        """The server answers turns by itself, whatever it was asked."""
        self._can_share = False

    def plainly(self) -> None:
        """The server knows the oldest way only: plain detection, and it owns the turns."""
        self._can_share, self._vad = False, self._plain_vad
        self.ownership = self.possible(self.ownership)

    def refused(self, error: s.ErrorDetail) -> bool:
        """The server does not know our turn detection; then we ask for a plainer one, once for each refusal."""
        told = f"{error.param or ''} {error.message}"
        if isinstance(self._vad, SemanticVad) and "semantic_vad" in told:
            self._vad = self._plain_vad
            return True
        if self._can_share and ("interrupt_response" in told or "create_response" in told):
            self._can_share = False
            self.ownership = self.possible(self.ownership)
            return True
        return False

    @property
    def turn_detection(self) -> TurnDetection | None:
        """What to ask for; None: we commit by hand."""
        if self.ownership is Ownership.CLIENT or self.turns_held:
            return None
        mine = self.ownership is Ownership.SHARED
        return msgspec.structs.replace(self._vad, create_response=not mine, interrupt_response=not mine)

    @property
    def turns_alone(self) -> Session:
        """A change that says nothing but who detects turns."""
        return Session(type="realtime", audio=Audio(input=AudioInput(turn_detection=self.turn_detection)))

    @property
    def whole(self) -> Session:
        """The whole configuration, turn detection included: servers differ in their defaults."""
        audio = self.desired.audio if self.desired.audio is not UNSET else Audio()
        heard = audio.input if audio.input is not UNSET else AudioInput()
        heard = msgspec.structs.replace(heard, turn_detection=self.turn_detection)
        return msgspec.structs.replace(self.desired, audio=msgspec.structs.replace(audio, input=heard))

    def change(self, change: Session) -> None:
        """Want something else from now on."""
        self.desired = merge(self.desired, change)

    def as_update(self, change: Session) -> Session:
        """A change as the server takes it: GA refuses one without its type, and a voice that is fixed."""
        if self.voice_is_fixed and change.audio is not UNSET and change.audio.output is not UNSET:
            output = msgspec.structs.replace(change.audio.output, voice=UNSET)
            change = msgspec.structs.replace(change, audio=msgspec.structs.replace(change.audio, output=output))
        return msgspec.structs.replace(change, type="realtime")
