"""Hearing and speaking as single requests to an OpenAI-compatible service, by the `openai` package.

Each turn is one upload once it is over, each clause one streamed download. A cancelled call closes its connection:
nothing is paid for or played that nobody waits for any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from mrblue_cli.assistant.remote import count_of, remote_error, twice
from mrblue_cli.audio.pcm import to_pcm
from mrblue_cli.audio.wav import wav_header
from mrblue_cli.core.errors import ProviderError, RemoteError
from mrblue_cli.core.texts import tell
from mrblue_cli.engine.detection import STT_RATE
from mrblue_cli.engine.options import RemoteSpeechOptions
from mrblue_cli.engine.speech import Samples, Transcript

MIN_SECONDS = 0.3
NOISE_RMS = 0.0015
"""Full scale is 1: what is quieter than this is a room, and recognisers invent words for rooms."""
_CONTAINERS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1")
"""How files begin that are no plain samples; played as such they would be noise."""


def is_worth_sending(samples: Samples) -> bool:
    """False for clips too short or too quiet to hold words (16 kHz mono in -1..1)."""
    return len(samples) >= MIN_SECONDS * STT_RATE and float(np.sqrt(np.mean(samples**2))) >= NOISE_RMS


class RemoteSpeech:
    """A `Speech` that needs no models here. Raises `RemoteError`s; what they mean for the talk is judged elsewhere."""

    passes_are_free = False
    hearing_is_idle = True

    def __init__(self, options: RemoteSpeechOptions) -> None:
        # Half a second of imports, while nobody waits for the loop yet.
        import openai

        self._options = options
        self._openai = openai
        self._client: Any = None
        self.billed_voice = options.speech_model
        self._who = (urlsplit(options.base_url).hostname if options.base_url else "OpenAI") or "the speech service"

    async def warm(self) -> None:
        """Ask for the list of models: it costs nothing and shows that the service and the key work."""
        openai = self._openai
        try:
            await self._connected().with_options(timeout=self._options.connect_seconds).models.with_raw_response.list()
        except (openai.APIConnectionError, openai.AuthenticationError, openai.InternalServerError) as error:
            raise self._explained(error) from None
        except openai.OpenAIError:
            return  # it answers; that it has no such list does not matter

    async def hear(self, samples: Samples, prompt: str, language: str) -> Transcript:
        """Transcribe 16 kHz mono samples; raises `RemoteError`."""
        if not is_worth_sending(samples):
            return Transcript("", no_speech=True)
        wav = wav_header(len(samples), STT_RATE) + to_pcm(samples).astype("<i2").tobytes()
        request: dict[str, Any] = {"model": self._options.transcription_model, "response_format": "json"}
        if prompt:
            request["prompt"] = prompt
        if language:
            request["language"] = language
        client = self._connected()
        try:
            heard = await twice(
                lambda: client.audio.transcriptions.create(file=("speech.wav", wav, "audio/wav"), **request)
            )
        except self._openai.OpenAIError as error:
            raise self._explained(error) from None
        words = getattr(heard, "text", None)
        if not isinstance(words, str):
            raise ProviderError(tell("{who} sent no transcript", who=self._who), code="unreadable")
        text = words.strip()
        return Transcript(text, no_speech=not text, usage=self._usage(heard, len(samples) / STT_RATE))

    def prepare(self, clause: str, speed: float) -> None:
        """Nothing is spoken ahead: it would be paid for."""
        del clause, speed

    async def say(self, clause: str, speed: float) -> AsyncIterator[bytes]:
        """Speak a clause: PCM16 mono 24 kHz as it arrives; raises `RemoteError`."""
        create = self._connected().audio.speech.with_streaming_response.create
        request = {
            "model": self._options.speech_model, "voice": self._options.voice, "input": clause,
            "response_format": "pcm", "speed": speed,
        }  # fmt: skip
        try:
            async with AsyncExitStack() as stack:
                response = await twice(lambda: stack.enter_async_context(create(**request)))
                async for pcm in self._samples(response.iter_bytes()):
                    yield pcm
        except self._openai.OpenAIError as error:
            raise self._explained(error) from None

    async def _samples(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Whole samples of a body that may be cut anywhere, or end early."""
        odd, began, is_file = b"", False, False
        try:
            async for piece in pieces:
                is_file = not began and piece.startswith(_CONTAINERS)
                if is_file:
                    break
                began = True
                data = odd + piece
                whole = len(data) - len(data) % 2
                odd = data[whole:]
                if whole:
                    yield data[:whole]
        except Exception:  # noqa: BLE001 - whatever the transport below the package raises: they have no common name
            what = tell("{who} broke off in the middle of a sentence", who=self._who)
            raise ProviderError(what, hint=tell("ask again"), code="cut") from None
        if is_file:
            what = tell("{who} sends another audio format than the plain samples asked for", who=self._who)
            raise ProviderError(what, hint=tell("choose another service in [batch]"), code="not_found")

    async def close(self) -> None:
        """Let go of the connections; safe to call again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self) -> Any:
        if self._client is None:
            options = self._options
            self._client = self._openai.AsyncOpenAI(
                api_key=options.api_key or "none",
                base_url=options.base_url,
                timeout=self._openai.Timeout(options.answer_seconds, connect=options.connect_seconds),
                max_retries=0,
            )
        return self._client

    def _explained(self, error: Exception) -> RemoteError:
        return remote_error(error, self._who)

    def _usage(self, heard: Any, seconds: float) -> dict[str, object]:
        """As the protocol has it, with the model's name; without a word of the provider the length counts."""
        told = getattr(heard, "usage", None)
        given, made = count_of(getattr(told, "input_tokens", None)), count_of(getattr(told, "output_tokens", None))
        model: dict[str, object] = {"model": self._options.transcription_model}
        if given is not None and made is not None:
            tokens = {"input_tokens": given, "output_tokens": made}
            return {"type": "tokens", **tokens, "total_tokens": given + made, "models": [{**model, **tokens}]}
        length = round(seconds, 2)
        return {"type": "duration", "seconds": length, "models": [{**model, "seconds": length}]}
