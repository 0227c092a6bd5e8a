"""The configuration of a session before its client changed anything."""

from __future__ import annotations

from mrblue_cli.protocol.session import Audio, AudioFormat, AudioInput, AudioOutput, ServerVad, Session, Transcription

MODEL = "mrblue-local"


def session_defaults(recogniser: str, voice: str, language: str, *, model: str = MODEL) -> Session:
    """Hands-free and spoken, as the service itself begins."""
    return Session(
        type="realtime",
        model=model,
        output_modalities=["audio"],
        instructions="",
        audio=Audio(
            input=AudioInput(
                format=AudioFormat(type="audio/pcm", rate=24_000),
                transcription=Transcription(model=recogniser, language=language),
                turn_detection=ServerVad(),
            ),
            output=AudioOutput(format=AudioFormat(type="audio/pcm", rate=24_000), voice=voice, speed=1.0),
        ),
        tools=[],
        tool_choice="auto",
        max_output_tokens="inf",
    )
