"""Every setting, with its default. `config.example.toml` shows the same and a test keeps them equal."""

from __future__ import annotations

from typing import Literal

import msgspec


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are refused."""


DEFAULT_VOICE = "marin"


class TalkSection(Section, frozen=True, kw_only=True):
    """`[talk]`: the conversation."""

    engine: str = "auto"
    """auto (OpenAI when there is a key, else this machine), openai, local, or an address."""
    model: str = "gpt-realtime-2.1"
    voice: str = ""
    """For OpenAI and compatible servers; empty: the profile's, else `DEFAULT_VOICE`. The local engine has its own."""
    turn_mode: Literal["hands-free", "local-vad", "push-to-talk"] = "hands-free"
    talk_key: str = "space"
    input_device: str = ""
    output_device: str = ""
    audio: Literal["auto", "portaudio", "pipes"] = "auto"
    """PortAudio, the sound server's own programs, or whichever works."""
    route: Literal["auto", "headphones", "speakers"] = "auto"
    echo: Literal["auto", "aec", "half-duplex", "off"] = "auto"
    """What to do about a loudspeaker's echo: cancel it where the extra `aec` is installed, or close the microphone."""
    language: str = ""
    """Two-letter code; empty: the profile's, else English."""
    threshold: float = 0.5
    silence_ms: int = 500
    max_cost_usd: float = 0.0
    """The talk ends politely when this is spent; 0: no limit."""
    metrics_port: int = 0
    """Numbers for Prometheus on 127.0.0.1; 0: none, -1: any free port."""
    turn_end: Literal["silence", "meaning"] = "silence"
    false_interruption: bool = True
    """A cough or "mm-hm" over a reply only pauses it; false: any speech stops it at once."""
    fallback: tuple[str, ...] = ("realtime", "batch", "local", "text")
    """Ways to hold the conversation, best first; what cannot be on this machine is passed over. Empty: no other way."""
    profile: str = "blue"
    """What the talk is for: a name, or a file."""
    context: str = ""
    """A file for the profile: its menu, or text about the matter in hand."""


class EngineSection(Section, frozen=True, kw_only=True):
    """`[engine]`: the engine on this machine."""

    stt_model: str = ""
    tts_voice: str = ""
    threads: int = 2
    cache_folder: str = ""
    vocabulary_prompt: bool = True


class ChatSection(Section, frozen=True, kw_only=True):
    """`[chat]`: who answers what the knowledge base cannot."""

    base_url: str = ""
    model: str = "gpt-4o-mini"


class BatchSection(Section, frozen=True, kw_only=True):
    """`[batch]`: speech as single requests, for when there is no Realtime model; `[chat]` says who answers."""

    base_url: str = ""
    """An OpenAI-compatible service with transcription and speech; empty: OpenAI, with its key."""
    transcription_model: str = "gpt-transcribe"
    speech_model: str = "gpt-4o-mini-tts"
    voice: str = ""
    """Empty: the voice of `[talk]`."""


class KnowledgeSection(Section, frozen=True, kw_only=True):
    """`[knowledge]`: entries of your own."""

    folders: tuple[str, ...] = ()


class AskSection(Section, frozen=True, kw_only=True):
    """`[ask]`: answers in the terminal."""

    top: int = 3
    ai: Literal["never", "fallback", "always"] = "never"
    """When a chat model is asked as well: only with --ai, when nothing confident was found, or every time."""
    feedback_prompt: bool = True
    """Ask for one key after a hit, in a terminal."""


class AssistantSection(Section, frozen=True, kw_only=True):
    """`[assistant]`: who asks, and in which mode."""

    role: Literal["god", "super_admin", "admin", "moderator", "user", "premium"] = "god"
    mode: Literal["chat", "global", "visual_editor"] = "global"


class ToolsSection(Section, frozen=True, kw_only=True):
    """`[tools]`: what the tools of profiles work with."""

    dancers_file: str = ""
    """Empty: the sample that ships."""
    tga_url: str = ""
    """Where tattoo designs are asked for. `TGA_URL` in the environment sets it."""
    tga_model: Literal["flux", "dalle", "gpt-image-1"] = "flux"
    order_url: str = ""
    """Where orders go; empty: into a file."""
    allow_http: bool = False
    """Also post without encryption beyond this machine."""


class HistorySection(Section, frozen=True, kw_only=True):
    """`[history]`: what is kept of conversations."""

    keep: bool = True
    """False: every talk is private, nothing is written."""
    keep_days: int = 0
    """How long conversations are kept after their last word; 0: for ever."""
    record: bool = False
    """Keep the sound of both sides as well."""


class UiSection(Section, frozen=True, kw_only=True):
    """`[ui]`: the screen."""

    theme: str = "mrblue"


class Settings(Section, frozen=True, kw_only=True):
    """All of it."""

    talk: TalkSection = TalkSection()
    engine: EngineSection = EngineSection()
    chat: ChatSection = ChatSection()
    batch: BatchSection = BatchSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    ask: AskSection = AskSection()
    assistant: AssistantSection = AssistantSection()
    tools: ToolsSection = ToolsSection()
    history: HistorySection = HistorySection()
    ui: UiSection = UiSection()


LIMITS: dict[tuple[str, str], tuple[float, float]] = {
    ("talk", "threshold"): (0.0, 1.0),
    ("talk", "silence_ms"): (100, 5000),
    ("talk", "max_cost_usd"): (0.0, 1_000_000.0),
    ("talk", "metrics_port"): (-1, 65_535),
    ("engine", "threads"): (1, 64),
    ("ask", "top"): (1, 20),
    ("history", "keep_days"): (0, 36500),
}
