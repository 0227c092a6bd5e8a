"""The one event stream of a conversation. TUI, text and JSON lines are three views of it (DESIGN, sections 3-4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.knowledge.model import Hit
from mrblue_cli.voice.charges import Charge


class State(StrEnum):
    """The seven states of voice-craft section 16, in the words the screen shows."""

    CONNECTING = "connecting"
    LISTENING = "listening"
    HEARING = "hearing you"
    THINKING = "thinking"
    SPEAKING = "speaking"
    MUTED = "muted"
    RECONNECTING = "reconnecting"


class TurnMode(StrEnum):
    """The three ways to take turns."""

    HANDS_FREE = "hands-free"
    """The server's VAD decides, and interrupts."""
    LOCAL_VAD = "local-vad"
    """This machine's VAD decides and commits by itself."""
    PUSH_TO_TALK = "push-to-talk"
    """The talk key decides: tap to start, tap to send."""


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The server sent `session.created`; a conversation can begin."""

    engine: str
    """`local`, `openai`, or the host of a compatible server."""
    model: str
    dialect: str
    """`ga` or `beta`."""
    turn_mode: TurnMode
    microphone: str | None = None
    """The device's name; None: no microphone (type instead, or a WAV file speaks)."""
    speaker: str | None = None
    """The device's name; None: no speaker (read instead)."""
    rung: str = ""
    """realtime, batch, local, text."""


@dataclass(frozen=True, slots=True)
class UserTranscript:
    """What the person said (or typed), whole so far. `final` replaces all earlier text of this item."""

    item_id: str
    text: str
    final: bool
    earlier: bool = False
    """Of a talk that is resumed: said in a former sitting, shown again before the session begins."""


@dataclass(frozen=True, slots=True)
class AssistantTranscript:
    """What the assistant says, whole so far. After a cut, `text` is only what was heard."""

    item_id: str
    text: str
    final: bool
    heard_ms: int | None = None
    """Set when the reply was cut off: milliseconds of it really played."""
    earlier: bool = False
    """Said in a former sitting of a resumed talk. `heard_ms` is 0 when it was cut then."""


@dataclass(frozen=True, slots=True)
class KbHit:
    """An entry that fits what is being said. A later hit with the same `item_id` and entry replaces it."""

    item_id: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Thinking:
    """A reasoning step, `at_ms` milliseconds since the session began."""

    thought: Thought
    at_ms: int
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The state word changed."""

    state: State


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """Times of one finished turn, in ms since the session began; None where a step did not happen."""

    speech_end_ms: int | None
    commit_ms: int | None
    first_audio_ms: int | None
    """First audio delta received."""
    first_sample_ms: int | None
    """First sample of the reply handed to the output."""
    barge_in_stop_ms: int | None
    """Interruption decided -> silence handed to the output, a duration in ms."""
    underruns: int
    usage: dict[str, object] | None = None
    cost_usd: float | None = None
    overruns: int = 0
    """Stretches of microphone sound that were lost in this turn."""
    dropped_chunks: int = 0
    """The same in blocks of 20 ms."""

    @property
    def latency_ms(self) -> int | None:
        """End of the person's turn -> first sample, or None when either is unknown."""
        end = self.speech_end_ms if self.speech_end_ms is not None else self.commit_ms
        if end is None or self.first_sample_ms is None:
            return None
        return self.first_sample_ms - end


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong; unless `fatal`, the talk goes on."""

    code: str
    message: str
    fatal: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """A line worth reading that is no failure: half duplex chosen, device replaced, text mode."""

    text: str


@dataclass(frozen=True, slots=True)
class Levels:
    """Meter readings in 0..1 (perceptual, from dBFS). Chatty: a newer one replaces an older one. Not in JSON."""

    microphone: float
    speaker: float


@dataclass(frozen=True, slots=True)
class RungChanged:
    """The talk goes on another way, or the same way again after the connection was lost."""

    rung: str
    """realtime, batch, local, text."""
    engine: str
    reason: str
    """One line for the person: what happened, and what that means for them."""
    reconnected: bool = False
    """The same rung on a new connection."""
    code: str = ""
    """The reason in one stable word, for counting: that of the error (`connect`, `auth`), or `rate_limit`, `asked`."""


class ToolStatus(StrEnum):
    """How far a tool call is."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """Not offered, not allowed to this role, or with arguments that do not fit."""
    FAILED = "failed"
    """It went wrong or took too long."""


@dataclass(frozen=True, slots=True)
class ToolRan:
    """A tool was called; a later event with the same `call_id` replaces this one."""

    call_id: str
    name: str
    arguments: str
    """JSON text as the model wrote it."""
    status: ToolStatus
    output: str = ""
    """JSON text that the model gets."""
    say: str = ""
    """The result in one sentence for the person."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Money so far, after a reply or a transcription. None: the model has no known price."""

    turn_usd: float | None
    total_usd: float | None
    limit_usd: float | None = None
    charges: tuple[Charge, ...] = ()
    """What has just been added: one for each model at work."""
    unpriced: int = 0
    """How many so far have no known price, and are not in the sums."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole session in numbers; the last event before `Ended` of a session that had a turn."""

    turns: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    barge_in_stop_p95_ms: int | None
    underruns: int
    overruns: int
    reconnects: int
    fallbacks: int
    input_tokens: int
    output_tokens: int
    total_usd: float | None
    unpriced: int = 0
    """Replies and transcriptions without a known price: in the tokens, not in the sum of money."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of every session. Reasons: `done`, `quit`, `interrupted`, `error`, `max_cost`."""

    reason: str


TalkEvent = (
    SessionStarted
    | UserTranscript
    | AssistantTranscript
    | KbHit
    | Thinking
    | StatusChanged
    | TurnMeasured
    | Failure
    | Advice
    | Levels
    | RungChanged
    | ToolRan
    | Spent
    | Summary
    | Ended
)
