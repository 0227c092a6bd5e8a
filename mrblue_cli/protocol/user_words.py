"""What the person said, as the server transcribes it: pieces become a whole, and nothing late undoes it."""

from __future__ import annotations

from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.outcome import NOTHING, Outcome

Transcription = s.TranscriptionDelta | s.TranscriptionCompleted | s.TranscriptionFailed


class UserWords:
    """The transcripts of one session, by item. `completed` replaces all deltas; deltas behind it are late."""

    def __init__(self) -> None:
        self._partial: dict[str, str] = {}
        self._final: set[str] = set()

    def receive(self, event: Transcription) -> Outcome:
        """Take in one event."""
        match event:
            case s.TranscriptionDelta() if event.item_id in self._final:
                return NOTHING
            case s.TranscriptionDelta():
                text = self._partial.get(event.item_id, "") + (event.delta or "")
                self._partial[event.item_id] = text
                return Outcome(notices=(n.UserText(event.item_id, text, final=False),))
            case s.TranscriptionCompleted():
                # Billed once, however often the server says it.
                new = event.usage is not None and event.item_id not in self._final
                used = (n.TranscriptUsage(event.item_id, event.usage or {}),) if new else ()
                self._settle(event.item_id)
                return Outcome(notices=(n.UserText(event.item_id, event.transcript.strip(), final=True), *used))
            case s.TranscriptionFailed():
                self._settle(event.item_id)
                return Outcome(notices=(n.UserText(event.item_id, "", final=True, failed=True),))

    def _settle(self, item_id: str) -> None:
        self._final.add(item_id)
        self._partial.pop(item_id, None)
