"""The rungs that run in this process: conversation in writing, and speech as single requests."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from urllib.parse import urlsplit

from mrblue_cli.app.platform import this_platform
from mrblue_cli.assistant.brain import KnowledgeBrain, LadderBrain
from mrblue_cli.assistant.chat import ChatBrain
from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell
from mrblue_cli.engine.defaults import session_defaults
from mrblue_cli.engine.memory import MemoryEngine
from mrblue_cli.engine.options import RemoteSpeechOptions
from mrblue_cli.engine.remote import RemoteSpeech
from mrblue_cli.engine.session import EngineParts
from mrblue_cli.engine.speech import NoSpeech, Speech
from mrblue_cli.engine.vocabulary import recogniser_prompt
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.settings.batch import speech_options
from mrblue_cli.settings.build import chat_options, knowledge_folders
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import Settings
from mrblue_cli.settings.secrets import find_secret

TEXT_MODEL = "mrblue-text"
BATCH_MODEL = "mrblue-batch"
FIRST_WORD_SECONDS = 10.0
"""A chat model that is silent for longer is given up: there are other ways, and somebody waits."""


def text_engine(settings: Settings) -> MemoryEngine:
    """Knowledge base, and a chat model when one is configured; needs nothing at all."""
    chat = chat_options(settings, find_secret("OPENAI_API_KEY"), find_secret("MRBLUE_CHAT_API_KEY"))
    return _engine(settings, NoSpeech(), chat, TEXT_MODEL)


def batch_host(settings: Settings) -> str | None:
    """Who would transcribe and speak, for the screen: `openai` or a host; None: nobody is configured."""
    options = _speech_options(settings)
    if options is None:
        return None
    return (urlsplit(options.base_url).hostname or "batch") if options.base_url else "openai"


def batch_engine(settings: Settings, voice: str = "") -> MemoryEngine:
    """Transcription, chat and speech as single requests; there must be a `batch_host`. Raises `ConfigError`.

    `voice` is the profile's; one that the settings name for this way goes before it.
    """
    options = _speech_options(settings)
    if options is None:
        raise ConfigError(
            tell("speech as single requests needs a service"), hint=tell("set OPENAI_API_KEY, or [batch] base_url")
        )
    if voice and not settings.batch.voice:
        options = replace(options, voice=voice)
    chat = chat_options(settings, find_secret("OPENAI_API_KEY"), find_secret("MRBLUE_CHAT_API_KEY"))
    if chat is None:
        chat = ChatOptions(options.base_url, settings.chat.model, options.api_key)
    chat = replace(chat, strict=True, timeout_seconds=FIRST_WORD_SECONDS)
    return _engine(settings, RemoteSpeech(options), chat, BATCH_MODEL)


def vocabulary_of(base: KnowledgeBase, settings: Settings) -> str:
    """The recogniser's prompt; none where people speak another language than the knowledge base."""
    wanted = settings.engine.vocabulary_prompt and (settings.talk.language or "en").lower().startswith("en")
    return recogniser_prompt(base.vocabulary()) if wanted else ""


def _speech_options(settings: Settings) -> RemoteSpeechOptions | None:
    names = ("OPENAI_API_KEY", "MRBLUE_BATCH_API_KEY", "MRBLUE_CHAT_API_KEY")
    return speech_options(settings, *(find_secret(name) for name in names))


def _engine(settings: Settings, speech: Speech, chat: ChatOptions | None, model: str) -> MemoryEngine:
    base = load_base(knowledge_folders(settings), cache=place("cache"))
    knowledge = KnowledgeBrain(base, platform=this_platform())
    if chat is not None:
        # Half a second of imports: here, not when the first answer is due on the loop that plays.
        import_module("openai")
    model_behind = ChatBrain(chat, knowledge) if chat else None
    brain = LadderBrain(knowledge, model_behind)
    heard = settings.batch.transcription_model if isinstance(speech, RemoteSpeech) else "none"
    language = settings.talk.language or "en"
    prompt = vocabulary_of(base, settings)
    parts = EngineParts(speech, brain, lambda _: None, prompt, language)
    defaults = session_defaults(heard, speech.billed_voice or "none", language, model=model)
    return MemoryEngine(parts, defaults, at_close=model_behind.close if model_behind else None)
