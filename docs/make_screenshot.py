"""Export the README's picture from the app itself: `python docs/make_screenshot.py` writes docs/talk.svg.

The events are those of a conversation with the local engine about the bundled question.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from mrblue_cli.tui.app import TalkApp  # noqa: E402 - the project's root must be on the path first
from mrblue_cli.voice.events import Levels  # noqa: E402
from tests.fakes import conversation  # noqa: E402
from tests.fakes.talk_handle import FakeTalkHandle  # noqa: E402


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
        (HERE / "talk.svg").write_text(app.export_screenshot(title="mrblue talk"), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
