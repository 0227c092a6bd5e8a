"""The assistant's status indicator, followed from the one event stream."""

from __future__ import annotations

from dataclasses import replace

from mrblue_cli.assistant.status import Situation, Status, status_of
from mrblue_cli.voice import events as ev


class Indicator:
    """What is the case, event by event. Pure: the same events give the same word."""

    def __init__(self) -> None:
        self._now = Situation(preparing=True)

    @property
    def status(self) -> Status:
        """The one word."""
        return status_of(self._now)

    def see(self, event: ev.TalkEvent) -> Status:
        """Take in one event."""
        match event:
            case ev.StatusChanged(state):
                self._now = replace(
                    self._now,
                    preparing=state in {ev.State.CONNECTING, ev.State.RECONNECTING},
                    paused=state is ev.State.MUTED,
                    hearing=state is ev.State.HEARING,
                    working=state in {ev.State.THINKING, ev.State.SPEAKING},
                    asking_model=self._now.asking_model and state is ev.State.THINKING,
                )
            case ev.UserTranscript(final=True, earlier=False):
                self._now = replace(self._now, answered=True, confidence=None)
            case ev.Thinking(thought) if thought.stage == "analysing" and thought.confidence is not None:
                unknown = thought.confidence <= 0.0
                best = None if unknown else max(thought.confidence, self._now.confidence or 0.0)
                self._now = replace(self._now, confidence=best, asking_model=unknown)
            case ev.AssistantTranscript():
                self._now = replace(self._now, asking_model=False)
            case ev.Ended():
                self._now = Situation()
            case _:
                pass
        return self.status
