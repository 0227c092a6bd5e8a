"""The tattoo studio's tool: keywords of a design, sent to the service that draws it."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Annotated, Any

import msgspec

from mrblue_cli.app.tools.post import POST_SECONDS, Poster
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.permissions import Right
from mrblue_cli.assistant.skills.tattoo import noted_words
from mrblue_cli.assistant.skills.tattoo_spanish import keyword_said
from mrblue_cli.assistant.tools import Answer, Tool
from mrblue_cli.core.errors import UsageError
from mrblue_cli.core.texts import tell

_Text = Annotated[str, msgspec.Meta(max_length=300)]


class KeywordParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `extract_keywords` takes; what the person did not say is left out."""

    subject: Annotated[
        str, msgspec.Meta(description="What the tattoo shows, in the person's words.", min_length=1, max_length=500)
    ]
    theme: Annotated[_Text, msgspec.Meta(description="What it is about: mythology, nature, a memory.")] = ""
    style: Annotated[_Text, msgspec.Meta(description="For example traditional, japanese, realism, minimalist.")] = ""
    color_palette: Annotated[_Text, msgspec.Meta(description="For example black and grey, or the colours.")] = ""
    technique: Annotated[_Text, msgspec.Meta(description="For example dotwork, fine line, shading.")] = ""
    artist_refs: Annotated[
        tuple[_Text, ...], msgspec.Meta(description="Artists whose work the person likes.", max_length=10)
    ] = ()
    body_zone: Annotated[_Text, msgspec.Meta(description="Where on the body, for example left forearm.")] = ""
    preview: Annotated[
        bool, msgspec.Meta(description="True only if the person wants to see it on the body; needs body_zone.")
    ] = False


def document_of(given: KeywordParameters, model_choice: str) -> dict[str, Any]:
    """What the service gets: a preview on the body where one was asked for and the place is known, else a design."""
    keywords = {
        name: list(value) if isinstance(value, tuple) else value.strip()
        for name in given.__struct_fields__
        if name != "preview" and (value := getattr(given, name))
    }
    operation = "body_preview" if given.preview and given.body_zone.strip() else "design"
    return {"operation": operation, "keywords": keywords, "model_choice": model_choice}


def extract_keywords(around: Surroundings) -> Tool:
    """Notes the keywords of a tattoo and has it drawn."""
    settings = around.settings.tools
    poster = Poster(settings.tga_url, "TGA_URL", allow_http=settings.allow_http) if settings.tga_url else None
    keys: dict[str, str] = {}
    """Of documents that did not arrive yet: asked for again, the same key goes with them."""

    async def run(given: KeywordParameters) -> Answer:
        document = document_of(given, settings.tga_model)
        if not document["keywords"].get("subject"):
            raise UsageError(tell("What should the tattoo show?"))
        noted = noted_words(document["keywords"])
        if poster is None:
            say = tell(
                "I have noted: {noted}. Nobody draws it yet: set TGA_URL to the address of the studio's service.",
                noted=noted,
            )
            return Answer({**document, "sent": False}, say)
        mark = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        key = keys.setdefault(mark, secrets.token_hex(12))
        delivery = await poster.post(document, key)
        keys.pop(mark, None)
        facts = {**document, "sent": True, "tries": delivery.tries, "answer": delivery.answer}
        if document["operation"] == "body_preview":
            say = tell(
                "Done: I have asked for a preview on the {zone}: {noted}.",
                zone=keyword_said(given.body_zone),
                noted=noted,
            )
        else:
            say = tell("Done: I have asked for a design: {noted}.", noted=noted)
        return Answer(facts, say)

    description = (
        "Send the keywords of the tattoo to the studio's service that draws it. Call it once the subject is known, and "
        "again with everything when the person changes something. Leave out what was not said."
    )
    return Tool("extract_keywords", description, KeywordParameters, run, right=Right.TOOLS, seconds=POST_SECONDS)
