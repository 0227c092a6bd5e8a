"""From settings and keys to the options of speech as single requests."""

from __future__ import annotations

from mrblue_cli.engine.options import RemoteSpeechOptions
from mrblue_cli.realtime.endpoints import check_key
from mrblue_cli.settings.schema import DEFAULT_VOICE, Settings
from mrblue_cli.settings.secrets import Secret


def speech_options(
    settings: Settings, openai_key: Secret, batch_key: Secret, chat_key: Secret
) -> RemoteSpeechOptions | None:
    """Options of remote speech, None when there is neither an address nor a key. Raises `ConfigError`.

    OpenAI's key only ever goes to OpenAI, and the chat model's key only to the chat model's address.
    """
    section = settings.batch
    if section.base_url:
        same = section.base_url.rstrip("/") == settings.chat.base_url.rstrip("/")
        key = batch_key or (chat_key if same else batch_key)
    elif openai_key:
        key = openai_key
    else:
        return None
    if key:
        check_key(key.reveal())
    return RemoteSpeechOptions(
        transcription_model=section.transcription_model,
        speech_model=section.speech_model,
        voice=section.voice or settings.talk.voice or DEFAULT_VOICE,
        base_url=section.base_url or None,
        api_key=key.reveal(),
    )
