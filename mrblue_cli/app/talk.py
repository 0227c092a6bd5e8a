"""Hold a conversation: choose the engine, open devices or recordings, run the session or the script."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mrblue_cli.app.engine_process import EngineProcess
from mrblue_cli.app.platform import this_platform
from mrblue_cli.assistant.permissions import Mode, Right, Role, may
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.errors import ComponentError, InputFileError, MissingPart
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.endpoints import endpoint_from_url, openai_endpoint
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.settings.build import knowledge_folders, talk_options
from mrblue_cli.settings.load import Configuration
from mrblue_cli.settings.places import place
from mrblue_cli.settings.secrets import find_secret
from mrblue_cli.voice.controls import Control
from mrblue_cli.voice.devices import choose_device
from mrblue_cli.voice.events import Advice, Ended, Failure, TalkEvent
from mrblue_cli.voice.headless import HeadlessScript, Speak, Step
from mrblue_cli.voice.microphones import ClockMicrophone, DeviceMicrophone
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.session import TalkSession, Transport
from mrblue_cli.voice.speakers import DeviceSpeaker, PacedSpeaker

Emit = Callable[[TalkEvent], None]
MAX_WAV_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Engine:
    """Whom to talk to. `endpoint` None: the engine on this machine, started when needed."""

    name: str
    endpoint: ConnectOptions | None


def choose_engine(configuration: Configuration) -> Engine:
    """auto means OpenAI when there is a key, else this machine. Raises `ConfigError` or `MissingPart`."""
    talk = configuration.settings.talk
    key = find_secret("OPENAI_API_KEY")
    wanted = talk.engine.strip()
    if wanted == "openai" or (wanted == "auto" and key):
        return Engine("openai", openai_endpoint(key.reveal(), talk.model))
    if wanted in {"auto", "local"}:
        if importlib.util.find_spec("faster_whisper") is None or importlib.util.find_spec("piper") is None:
            raise MissingPart(
                "the engine on this machine is not installed",
                hint='pip install "mrblue-cli[local]", or set OPENAI_API_KEY, or give --engine ws://…',
            )
        return Engine("local", None)
    own_key = find_secret("MRBLUE_REALTIME_API_KEY")
    endpoint = endpoint_from_url(wanted, model=talk.model, api_key=own_key.reveal())
    if endpoint.label == "api.openai.com":
        named = parse_qs(urlsplit(wanted).query).get("model", [talk.model])[0]
        return Engine("openai", openai_endpoint(key.reveal(), named))
    return Engine(endpoint.label, endpoint)


def read_wav(path: Path) -> WavAudio:
    """Read a recording; raises `InputFileError`."""
    try:
        if path.stat().st_size > MAX_WAV_BYTES:
            raise InputFileError(f"{path}: larger than {MAX_WAV_BYTES // 2**20} MiB", hint="cut it into pieces")
        data = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror}", hint="check the name and path") from None
    return parse_wav(data, str(path))


class Conversation:
    """One conversation with everything it needs: the session, the engine's process, and their end."""

    def __init__(self, configuration: Configuration, emit: Emit, *, clock: Clock | None = None) -> None:
        self._configuration = configuration
        self._emit = emit
        self._clock = clock or SystemClock()
        self._engine = choose_engine(configuration)
        self._base = load_base(knowledge_folders(configuration.settings), cache=place("cache"))
        self._process: EngineProcess | None = None
        self._session: TalkSession | None = None

    async def run(self) -> None:
        """Talk with devices until the person ends it."""
        session = self._session or self.with_devices()
        await self._to_the_end(session.run())

    def control(self, control: Control) -> None:
        """Pass on what the person did."""
        if self._session is not None:
            self._session.control(control)

    def with_devices(self) -> TalkSession:
        """The session on this machine's microphone and speaker; what is missing is told, and text goes on."""
        talk = self._configuration.settings.talk
        microphone: MicrophonePort | None = None
        speaker: SpeakerPort = PacedSpeaker(self._clock)
        who = self._configuration.settings.assistant
        if not may(Role(who.role), Mode(who.mode), Right.VOICE):
            self._advise(
                f"role {who.role} in mode {who.mode} may type and read, not talk ([assistant] in the settings)"
            )
            return self._build(None, speaker)
        try:
            device, advice = choose_device("input", talk.input_device)
            microphone = DeviceMicrophone(device)
            self._advise(advice)
        except ComponentError as error:
            self._emit(Failure(error.code, f"{error.what}: type instead of talking", fatal=False, hint=error.hint))
        try:
            device, advice = choose_device("output", talk.output_device)
            speaker = DeviceSpeaker(device)
            self._advise(advice)
        except ComponentError as error:
            self._emit(Failure(error.code, f"{error.what}: replies are shown, not heard", fatal=False, hint=error.hint))
        return self._build(microphone, speaker)

    async def run_script(self, steps: Sequence[Step], *, output: Path | None) -> tuple[str, ...]:
        """Talk from a script, without devices unless one is named. Returns recordings in which nobody was heard."""
        microphone = ClockMicrophone(self._clock)
        speaker: SpeakerPort = PacedSpeaker(self._clock, output)
        if self._configuration.settings.talk.output_device and output is None:
            device, advice = choose_device("output", self._configuration.settings.talk.output_device)
            speaker = DeviceSpeaker(device)
            self._advise(advice)
        has_speech = any(isinstance(step, Speak) for step in steps)
        session = self._build(microphone if has_speech else None, speaker)
        silence_ms = self._configuration.settings.talk.silence_ms
        script = HeadlessScript(session, microphone, steps, clock=self._clock, silence_ms=silence_ms)

        async def play() -> None:
            job = asyncio.ensure_future(script.run())
            try:
                await session.run()
            finally:
                job.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await job

        await self._to_the_end(play())
        return tuple(script.unheard)

    def _build(self, microphone: MicrophonePort | None, speaker: SpeakerPort) -> TalkSession:
        self._session = TalkSession(
            talk_options(self._configuration.settings, local=self._engine.endpoint is None),
            engine=self._engine.name,
            connect=self._connect,
            microphone=microphone,
            speaker=speaker,
            reasoner=Reasoner(self._base, platform=this_platform()),
            clock=self._clock,
            ids=RandomIds(),
            emit=self._emit,
        )
        return self._session

    async def _connect(self) -> Transport:
        endpoint = self._engine.endpoint
        if endpoint is None:
            self._process = await EngineProcess.start(self._configuration.file)
            endpoint = endpoint_from_url(self._process.url, api_key=self._process.token)
        return await connect(endpoint)

    async def _to_the_end(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            self._emit(Ended("interrupted"))
            raise
        finally:
            if self._process is not None:
                await self._process.close()

    def _advise(self, advice: str | None) -> None:
        if advice:
            self._emit(Advice(advice))
