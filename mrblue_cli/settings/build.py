"""From settings to the frozen options of each package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET

from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.assistant.profile import Profile
from mrblue_cli.assistant.roles import blue_instructions
from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.engine.options import EngineOptions
from mrblue_cli.protocol.session import Audio, AudioFormat, AudioInput, AudioOutput, Session, Transcription
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import DEFAULT_VOICE, Settings
from mrblue_cli.settings.secrets import Secret
from mrblue_cli.voice.events import TurnMode
from mrblue_cli.voice.options import TalkOptions, TurnEnd

MAX_PROMPT_CHARS = 400
_TRANSCRIPTION_MODEL = "gpt-transcribe"
_RETENTION = {"type": "retention_ratio", "retention_ratio": 0.8}
"""OpenAI, Realtime API reference, session.truncation (GA)."""


def engine_options(settings: Settings, *, host: str = "127.0.0.1", port: int = 0, token: str = "") -> EngineOptions:
    """Options of the embedded engine."""
    section = settings.engine
    return EngineOptions(
        cache_folder=Path(section.cache_folder).expanduser() if section.cache_folder else place("cache"),
        host=host,
        port=port,
        token=token,
        stt_model=_existing("engine.stt_model", section.stt_model),
        tts_voice=_existing("engine.tts_voice", section.tts_voice),
        threads=section.threads,
        language=settings.talk.language or "en",
    )


def chat_options(settings: Settings, openai_key: Secret, chat_key: Secret) -> ChatOptions | None:
    """Options of the chat model, None when none is configured. OpenAI's key only ever goes to OpenAI."""
    base_url = settings.chat.base_url
    if base_url:
        return ChatOptions(base_url=base_url, model=settings.chat.model, api_key=chat_key.reveal())
    if openai_key:
        return ChatOptions(model=settings.chat.model, api_key=openai_key.reveal())
    return None


def wanted_session(
    settings: Settings, *, local: bool, bounded: bool = False, profile: Profile | None = None
) -> Session:
    """What to ask a server for; the local engine has its own voice and recogniser.

    `bounded`: let the server drop the oldest fifth of a full conversation at once. Every turn bills the conversation
    again, and dropping a little each time would lose the cache, which makes it cheap. Of servers only OpenAI's is
    known to take that setting.
    """
    section = settings.talk
    pcm = AudioFormat(type="audio/pcm", rate=24_000)
    language = profile.language if profile is not None else section.language or "en"
    prompt = words_prompt(profile.words) if profile is not None and profile.words else UNSET
    transcription = (
        Transcription(language=language, prompt=prompt)
        if local
        else Transcription(model=_TRANSCRIPTION_MODEL, language=language, prompt=prompt)
    )
    voice = (profile.voice if profile is not None else "") or section.voice or DEFAULT_VOICE
    output = AudioOutput(format=pcm) if local else AudioOutput(format=pcm, voice=voice)
    tools = [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
        for tool in (profile.tools if profile is not None else ())
    ]
    return Session(
        instructions=profile.instructions if profile is not None else blue_instructions(),
        output_modalities=["audio"],
        audio=Audio(input=AudioInput(format=pcm, transcription=transcription), output=output),
        truncation=dict(_RETENTION) if bounded else UNSET,
        tools=tools or UNSET,
        tool_choice="auto" if tools else UNSET,
    )


def words_prompt(words: Sequence[str]) -> str:
    """Names that a recogniser should expect, as one short line: a long prompt slows it down and leads it astray."""
    taken: list[str] = []
    for word in words:
        if sum(len(one) + 2 for one in taken) + len(word) > MAX_PROMPT_CHARS:
            break
        taken.append(word)
    return f"{', '.join(taken)}."


def talk_options(settings: Settings) -> TalkOptions:
    """Options of the talk session."""
    section = settings.talk
    return TalkOptions(
        turn_mode=TurnMode(section.turn_mode),
        threshold=section.threshold,
        silence_ms=section.silence_ms,
        turn_end=TurnEnd(section.turn_end),
        false_interruption=section.false_interruption,
        route=None if section.route == "auto" else Route(section.route),
        echo=EchoChoice(section.echo),
        max_cost_usd=section.max_cost_usd,
    )


def knowledge_folders(settings: Settings) -> tuple[Path, ...]:
    """The user's own entries."""
    return tuple(Path(folder).expanduser() for folder in settings.knowledge.folders)


def _existing(key: str, text: str) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.exists():
        raise ConfigError(
            f"{key}: {path} does not exist", hint="correct the path, or leave the key out for the default"
        )
    return path
