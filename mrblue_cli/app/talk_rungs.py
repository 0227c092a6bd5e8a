"""The ways to hold a conversation, from settings and keys: which rungs there are, best first, and how each connects."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import UNSET

from mrblue_cli.app.engine_process import EngineProcess
from mrblue_cli.app.memory_rungs import batch_engine, batch_host, text_engine
from mrblue_cli.assistant.profile import Profile
from mrblue_cli.core.errors import ConnectError, MissingPart
from mrblue_cli.core.texts import tell
from mrblue_cli.engine.memory import MemoryEngine
from mrblue_cli.protocol.session import Audio, AudioInput, Session, Transcription
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.endpoints import endpoint_from_url, openai_endpoint
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.settings.build import wanted_session
from mrblue_cli.settings.fallback import fallback_order
from mrblue_cli.settings.load import Configuration
from mrblue_cli.settings.secrets import find_secret
from mrblue_cli.voice.rungs import Rung, RungName, Transport

TEXT = "text"


@dataclass(frozen=True, slots=True)
class Engine:
    """Whom to talk to first. `endpoint` None: an engine on this machine, started when needed."""

    name: str
    endpoint: ConnectOptions | None


def local_engine_is_installed() -> bool:
    """The parts of the `local` extra are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("faster_whisper", "piper"))


def choose_engine(configuration: Configuration) -> Engine:
    """auto: OpenAI when there is a key, else this machine, else in writing. Raises `ConfigError` or `MissingPart`."""
    talk = configuration.settings.talk
    key = find_secret("OPENAI_API_KEY")
    wanted = talk.engine.strip()
    if wanted == "openai" or (wanted == "auto" and key):
        return Engine("openai", openai_endpoint(key.reveal(), talk.model))
    if wanted == "auto":
        return Engine("local" if local_engine_is_installed() else TEXT, None)
    if wanted == "local":
        if not local_engine_is_installed():
            raise MissingPart(
                tell("the engine on this machine is not installed"),
                hint=tell('pip install "mrblue-cli[local]", or set OPENAI_API_KEY, or give --engine ws://…'),
            )
        return Engine("local", None)
    own_key = find_secret("MRBLUE_REALTIME_API_KEY")
    endpoint = endpoint_from_url(wanted, model=talk.model, api_key=own_key.reveal())
    if endpoint.label == "api.openai.com":
        named = parse_qs(urlsplit(wanted).query).get("model", [talk.model])[0]
        return Engine("openai", openai_endpoint(key.reveal(), named))
    return Engine(endpoint.label, endpoint)


class TalkRungs:
    """The rungs of one talk, and what stands behind them: the engine's process, engines in this process."""

    def __init__(self, configuration: Configuration, profile: Profile | None = None) -> None:
        self._configuration = configuration
        self._profile = profile
        self._engine = choose_engine(configuration)
        self._order = self._ladder()
        language = configuration.settings.talk.language
        self._local = LocalEngine(lambda: EngineProcess.start(configuration.file, language=language))
        self._memory: dict[RungName, MemoryEngine] = {}

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Best first; at least one."""
        return tuple(self._rung(name) for name in self._order)

    @property
    def advice(self) -> str | None:
        """What the person should know before it begins: that only writing is left, though they did not ask for it."""
        asked = fallback_order(self._configuration.settings.talk.fallback)
        if self._order != (RungName.TEXT,) or asked[:1] == (RungName.TEXT,):
            return None
        if local_engine_is_installed():
            return tell("of the ways in talk.fallback only writing is possible here: type, and read the answers")
        return tell(
            "no key and no engine on this machine: type, and read the answers "
            '(to talk: pip install "mrblue-cli[local]", or set OPENAI_API_KEY)'
        )

    async def close(self) -> None:
        """End what was started."""
        await self._local.close()
        for engine in self._memory.values():
            await engine.close()

    def _ladder(self) -> tuple[RungName, ...]:
        """The order that was asked for, begun at the engine that was named, without what cannot be here."""
        talk = self._configuration.settings.talk
        order = fallback_order(talk.fallback)
        first = self._first()
        if not order:
            return (first,)
        if talk.engine.strip() != "auto":
            order = order[order.index(first) :] if first in order else (first, *order)
        possible = tuple(name for name in order if self._is_possible(name))
        return possible or (RungName.TEXT,)

    def _first(self) -> RungName:
        if self._engine.endpoint is not None:
            return RungName.REALTIME
        return RungName.TEXT if self._engine.name == TEXT else RungName.LOCAL

    def _is_possible(self, name: RungName) -> bool:
        match name:
            case RungName.REALTIME:
                return self._engine.endpoint is not None
            case RungName.BATCH:
                return batch_host(self._configuration.settings) is not None
            case RungName.LOCAL:
                return local_engine_is_installed()
            case RungName.TEXT:
                return True

    def _rung(self, name: RungName) -> Rung:
        settings = self._configuration.settings
        own = wanted_session(settings, local=True, profile=self._profile)
        match name:
            case RungName.REALTIME:
                bounded = self._engine.name == "openai"
                wanted = wanted_session(settings, local=False, bounded=bounded, profile=self._profile)
                return Rung(name, self._engine.name, self._realtime, wanted)
            case RungName.BATCH:
                engine = batch_host(settings) or name
                voice = self._profile.voice if self._profile is not None else ""
                opening = self._in_memory(name, lambda: batch_engine(settings, voice))
                return Rung(name, engine, opening, _transcribed_by(own, settings.batch.transcription_model))
            case RungName.LOCAL:
                return Rung(name, "local", self._local.connect, own)
            case RungName.TEXT:
                written = msgspec.structs.replace(own, output_modalities=["text"])
                opening = self._in_memory(name, lambda: text_engine(settings))
                return Rung(name, TEXT, opening, written, hears=False, speaks=False)

    async def _realtime(self) -> Transport:
        assert self._engine.endpoint is not None  # noqa: S101 - else this rung is left out
        return await connect(self._engine.endpoint)

    def _in_memory(self, name: RungName, build: Callable[[], MemoryEngine]) -> Callable[[], Awaitable[Transport]]:
        async def opened() -> Transport:
            if name not in self._memory:
                # Reads the knowledge base: not on the loop that plays and listens.
                self._memory[name] = await asyncio.get_running_loop().run_in_executor(None, build)
            return await self._memory[name].open()

        return opened


def _transcribed_by(session: Session, model: str) -> Session:
    """The session with its recogniser's name, under which transcriptions are billed."""
    audio = Audio() if session.audio is UNSET else session.audio
    heard = AudioInput() if audio.input is UNSET else audio.input
    asked = heard.transcription if isinstance(heard.transcription, Transcription) else Transcription()
    heard = msgspec.structs.replace(heard, transcription=msgspec.structs.replace(asked, model=model))
    return msgspec.structs.replace(session, audio=msgspec.structs.replace(audio, input=heard))


class LocalEngine:
    """The engine's process: started by the first connection, again when it crashed, ended with the talk."""

    def __init__(self, start: Callable[[], Awaitable[EngineProcess]]) -> None:
        self._start = start
        self._process: EngineProcess | None = None
        self._starting = asyncio.Lock()

    async def connect(self) -> Transport:
        """A new session there; raises `MrBlueError`."""
        process = await self._running()
        try:
            return await connect(endpoint_from_url(process.url, api_key=process.token))
        except ConnectError:
            if process.alive:
                raise
        process = await self._running()
        return await connect(endpoint_from_url(process.url, api_key=process.token))

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._process.close()

    async def _running(self) -> EngineProcess:
        async with self._starting:
            if self._process is None or not self._process.alive:
                self._process = await self._start()
            return self._process
