"""Export the README's picture from the app itself: `python -m bench.make_screenshot` writes docs/talk.svg.

The events are those of a conversation with the local engine about the bundled question.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from mrblue_cli.tui.app import TalkApp
from mrblue_cli.voice.events import Levels
from tests.fakes import conversation
from tests.fakes.talk_handle import FakeTalkHandle

TARGET = Path(__file__).parent.parent / "docs" / "talk.svg"


async def main() -> None:
    """Draw and write."""
    handle = FakeTalkHandle()
    app = TalkApp(handle)
    async with app.run_test(size=(112, 30)) as pilot:
        await pilot.pause()
        events = [*conversation.connected(), *conversation.question(), *conversation.answer()]
        for event in [*events, *(Levels(0.0, level) for level in (0.4, 0.7, 0.5, 0.8, 0.6, 0.3, 0.5, 0.7))]:
            handle.emit(event)
            await pilot.pause()
        TARGET.write_text(app.export_screenshot(title="mrblue talk"), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
