"""The ways to hold a conversation, from settings and keys: which rungs there are, best first, and how each connects."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from mrblue_cli.app.engine_process import EngineProcess
from mrblue_cli.core.errors import MissingPart
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.endpoints import endpoint_from_url, openai_endpoint
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.settings.build import wanted_session
from mrblue_cli.settings.load import Configuration
from mrblue_cli.settings.secrets import find_secret
from mrblue_cli.voice.rungs import Rung, RungName, Transport


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


class TalkRungs:
    """The rungs of one talk, and the engine's process behind one of them."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._engine = choose_engine(configuration)
        self._process: EngineProcess | None = None

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Best first."""
        local = self._engine.endpoint is None
        name = RungName.LOCAL if local else RungName.REALTIME
        bounded = self._engine.name == "openai"
        wanted = wanted_session(self._configuration.settings, local=local, bounded=bounded)
        return (Rung(name, self._engine.name, self._connect, wanted),)

    async def close(self) -> None:
        """End what was started."""
        if self._process is not None:
            await self._process.close()

    async def _connect(self) -> Transport:
        endpoint = self._engine.endpoint
        if endpoint is None:
            self._process = await EngineProcess.start(self._configuration.file)
            endpoint = endpoint_from_url(self._process.url, api_key=self._process.token)
        return await connect(endpoint)
