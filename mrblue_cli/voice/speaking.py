"""The speaker's side of a talk: sound, silence, and what was really heard."""

from __future__ import annotations

from typing import Protocol

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import Pcm
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.notices import AudioKey, Played
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.ports import SpeakerPort
from mrblue_cli.voice.turn_times import TurnTimes


class _Talk(Protocol):
    """What the speaker's side needs of the session."""

    flow: TurnFlow
    times: TurnTimes

    @property
    def now_ms(self) -> int: ...
    def emit(self, event: ev.TalkEvent) -> None: ...
    def heard_out(self, key: AudioKey) -> None: ...
    def fell_silent(self) -> None: ...


class Speaking:
    """Owns the speaker. The session asks for sound and silence; what follows is reported to it."""

    def __init__(self, talk: _Talk, speaker: SpeakerPort, *, clock: Clock) -> None:
        self._talk = talk
        self._speaker = speaker
        self._clock = clock
        self._stop_began: float | None = None
        self._pause_began: float | None = None
        self._paused_after_ms: int | None = None
        """Held: so long it took to fall silent."""

    @property
    def name(self) -> str | None:
        """The device's name; None: nobody listens."""
        return self._speaker.name

    @property
    def route(self) -> Route:
        """Where replies come out; nobody hears what only goes to a file, so that counts as headphones."""
        return Route.HEADPHONES if self.name is None else self._speaker.route

    @property
    def latency_seconds(self) -> float:
        """How long a sample takes to the ear, as far as the output tells."""
        return float(getattr(self._speaker, "latency_seconds", 0.0))

    @property
    def playing(self) -> bool:
        """Something waits or plays."""
        return not self._speaker.drained

    @property
    def stopping(self) -> bool:
        """The speaker was told to stop and has not fallen silent yet."""
        return self._stop_began is not None or self._pause_began is not None

    @property
    def underruns(self) -> int:
        """The speaker's running total."""
        return self._speaker.underruns

    @property
    def level(self) -> float:
        """Root mean square of what plays now, 0..1."""
        return self._speaker.level

    def open(self) -> ev.Failure | None:
        """Open the device; blocking. What fails is returned to be told, and the talk goes on by text."""
        try:
            self._speaker.open()
        except ComponentError as error:
            return ev.Failure(
                error.code, tell("{what}: replies are shown, not heard", what=error.what), False, error.hint
            )
        return None

    def close(self) -> None:
        """Let go of the device."""
        self._speaker.close()

    @property
    def speaker(self) -> SpeakerPort:
        """The device in use; it may be gone."""
        return self._speaker

    def replace(self, speaker: SpeakerPort) -> None:
        """Go on with another speaker, which is open, from the sample at which this one was left."""
        speaker.take_over(self._speaker.leave())
        self._speaker = speaker

    def play(self, key: AudioKey, pcm: bytes) -> None:
        """Queue audio of a reply: PCM16 mono 24 kHz."""
        self._speaker.play(key, pcm)
        self._talk.flow.queued = True

    def finish(self, key: AudioKey) -> None:
        """No more audio will come for this stream."""
        self._speaker.finish(key)

    def take_played(self) -> Pcm:
        """What went to the output since the last call, silence included: PCM16 mono 24 kHz."""
        return self._speaker.take_played()

    def report(self) -> tuple[Played, ...]:
        """What was heard so far of every stream that is not long over; nothing stops."""
        return self._speaker.report()

    def silence(self) -> tuple[Played, ...]:
        """Stop, now; tells how much was heard of every stream."""
        sounding = self._speaker.sounding
        played = self._speaker.stop()
        if self._paused_after_ms is not None:
            self._talk.times.stopped(self._paused_after_ms)
        elif sounding:
            self._stop_began = self._clock.now() if self._pause_began is None else self._pause_began
        self._pause_began = self._paused_after_ms = None
        self._talk.flow.silenced()
        return played

    def pause(self) -> None:
        """Fall silent, now, and keep what was not heard: it may go on."""
        if self._speaker.sounding:
            self._pause_began = self._clock.now()
        self._speaker.pause()

    def resume(self) -> None:
        """Go on from the sample."""
        self._pause_began = self._paused_after_ms = None
        self._speaker.resume()

    def pump(self) -> None:
        """Keep sound flowing; call it at every tick, before anything else."""
        self._speaker.pump()

    def watch(self) -> None:
        """Notice what happened in the output since the last tick."""
        talk, speaker = self._talk, self._speaker
        if self._stop_began is not None and speaker.drained:
            talk.times.stopped(int((self._clock.now() - self._stop_began) * 1000))
            self._stop_began = None
            talk.fell_silent()
        if self._pause_began is not None and not speaker.offered:
            self._paused_after_ms = int((self._clock.now() - self._pause_began) * 1000)
            self._pause_began = None
        for key in speaker.heard_out():
            talk.heard_out(key)
        if speaker.sounding and not self.stopping:
            talk.flow.audible = True
            talk.times.sample_played(talk.now_ms)
        talk.flow.queued = not speaker.drained
        if speaker.drained:
            talk.flow.audible = False
            talk.fell_silent()
