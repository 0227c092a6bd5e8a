"""Client surfaces in terms of chat completions: `TRANSLATORS` for responses and messages, `chat` for chat itself."""

from __future__ import annotations

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.surfaces.base import Translator
from mrblue_cli.gateway.surfaces.messages import Messages
from mrblue_cli.gateway.surfaces.responses import Responses

TRANSLATORS: dict[Surface, Translator] = {Surface.RESPONSES: Responses(), Surface.MESSAGES: Messages()}
