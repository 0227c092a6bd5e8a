"""Build the embedded engine from settings."""

from __future__ import annotations

from mrblue_cli.app.memory_rungs import vocabulary_of
from mrblue_cli.app.platform import this_platform
from mrblue_cli.assistant.brain import KnowledgeBrain, LadderBrain, Question
from mrblue_cli.assistant.chat import ChatBrain
from mrblue_cli.engine.piper import PiperTts
from mrblue_cli.engine.server import EngineServer
from mrblue_cli.engine.whisper import WhisperStt
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.build import chat_options, engine_options, knowledge_folders
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import Settings
from mrblue_cli.settings.secrets import find_secret


def build_engine(settings: Settings, *, host: str = "127.0.0.1", port: int = 0, token: str = "") -> EngineServer:
    """The engine, not yet listening; models load when it starts. Raises `ConfigError`."""
    options = engine_options(settings, host=host, port=port, token=token)
    base = load_base(knowledge_folders(settings), cache=place("cache"))
    knowledge = KnowledgeBrain(base, platform=this_platform())
    chat = chat_options(settings, find_secret("OPENAI_API_KEY"), find_secret("MRBLUE_CHAT_API_KEY"))
    brain = LadderBrain(knowledge, ChatBrain(chat, knowledge) if chat else None)

    def preview(question: Question) -> str | None:
        answer = brain.try_answer(question)
        return answer if isinstance(answer, str) else None

    return EngineServer(
        options,
        stt=WhisperStt(model=options.stt_model, cache_folder=options.cache_folder, threads=options.threads),
        tts=PiperTts(voice=options.tts_voice, threads=options.threads),
        brain=brain,
        preview=preview,
        prompt=vocabulary_of(base, settings),
    )
