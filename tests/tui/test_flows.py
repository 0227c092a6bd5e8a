"""What a person does at the talk screen, and what reaches the conversation."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Static

from mrblue_cli.tui.app import TalkApp
from mrblue_cli.tui.options import TuiOptions
from mrblue_cli.tui.screens.help import HelpScreen
from mrblue_cli.tui.widgets.composer import Composer
from mrblue_cli.tui.widgets.fixes import Fixes, FixItem
from mrblue_cli.tui.widgets.meters import Meters
from mrblue_cli.tui.widgets.status_strip import StatusStrip
from mrblue_cli.tui.widgets.thinking import ThinkingPanel
from mrblue_cli.tui.widgets.transcript import Line, Transcript
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from tests.fakes import conversation
from tests.fakes.talk_handle import FakeTalkHandle


@asynccontextmanager
async def talking(size=(120, 36), events=None, **options):
    handle = FakeTalkHandle()
    app = TalkApp(handle, TuiOptions(**options))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for event in conversation.connected() if events is None else events:
            handle.emit(event)
        await pilot.pause()
        yield app, handle, pilot


def words(app):
    return [(line.who, line.words) for line in app.talk_screen.query(Line)]


async def test_the_conversation_begins_after_the_first_paint():
    async with talking() as (app, handle, _):
        assert handle.emit is not None
        assert "local engine" in str(app.talk_screen.query_one(StatusStrip).render())


async def test_the_strip_names_the_profile_and_who_answers_now():
    started = ev.SessionStarted("openai", "gpt-realtime-2.1", "ga", ev.TurnMode.HANDS_FREE, "mic", "speakers")
    async with talking(events=[started], name="restaurant") as (app, handle, pilot):
        strip = app.talk_screen.query_one(StatusStrip)
        assert "restaurant · openai · gpt-realtime-2.1" in str(strip.render())
        handle.emit(ev.RungChanged("text", "text", "the connection was lost; type instead"))
        await pilot.pause()
        assert "restaurant · in writing" in str(strip.render())
        assert ("", "· the connection was lost; type instead") in words(app)
        handle.emit(ev.RungChanged("text", "text", "it is back", reconnected=True))
        await pilot.pause()
        assert "restaurant · in writing" in str(strip.render())


@pytest.mark.parametrize(
    ("spent", "shown"),
    [
        (ev.Spent(0.0, 0.0), "$0.00"),
        (ev.Spent(0.01, 0.0644, 0.5), "$0.0644 / $0.500"),
        (ev.Spent(0.5, 1.5, unpriced=1), "$1.50+"),
        (ev.Spent(None, None, unpriced=1), "$?"),
    ],
)
async def test_the_strip_shows_the_money_and_its_limit(spent, shown):
    async with talking(events=[*conversation.connected(), spent]) as (app, _, _pilot):
        assert str(app.talk_screen.query_one(StatusStrip).render()).endswith(f"    {shown}")


async def test_the_strip_shows_the_tool_at_work():
    running = ev.ToolRan("call_1", "send_order", "{}", ev.ToolStatus.RUNNING)
    busy = [*conversation.connected(), ev.StatusChanged(ev.State.THINKING), running]
    async with talking(events=busy) as (app, handle, pilot):
        strip = app.talk_screen.query_one(StatusStrip)
        assert "using send_order…" in str(strip.render())
        handle.emit(ev.ToolRan("call_1", "send_order", "{}", ev.ToolStatus.DONE, "{}", "Sent."))
        await pilot.pause()
        assert "using" not in str(strip.render())
        assert words(app)[-1] == ("", "· send_order: Sent.")


async def test_an_answer_that_says_what_a_tool_said_stands_alone():
    def tool(call, said):
        return ev.ToolRan(call, "send_order", "{}", ev.ToolStatus.DONE, "{}", said)

    ran = [tool("c1", "Sent."), tool("c2", "Paid.")]
    async with talking(events=[*conversation.connected(), *ran]) as (app, handle, pilot):
        assert len(words(app)) == 2
        handle.emit(ev.AssistantTranscript("a1", "Sen", final=False))
        handle.emit(ev.AssistantTranscript("a1", "Sent. Thank you.", final=True))
        await pilot.pause()
        assert words(app) == [("", "· send_order: Paid."), ("Blue", "Sent. Thank you.")]
        handle.emit(ev.UserTranscript("u1", "and?", final=True))
        handle.emit(ev.AssistantTranscript("a2", "Paid.", final=True))
        await pilot.pause()
        assert ("", "· send_order: Paid.") in words(app)


async def test_typing_and_sending():
    async with talking() as (app, handle, pilot):
        await pilot.press("t", *"jwt", "space", *"expired", "enter")
        assert handle.controls == [do.Say("jwt expired")]
        assert app.talk_screen.query_one(Composer).value == ""
        await pilot.press("up")
        assert app.talk_screen.query_one(Composer).value == "jwt expired"
        await pilot.press("down", "enter")
        assert len(handle.controls) == 1


async def test_the_talk_key_only_counts_outside_the_composer():
    async with talking() as (_, handle, pilot):
        await pilot.press("space")
        assert handle.controls == [do.TalkKey(down=True)]
        await pilot.press("t", "space", "escape")
        assert len(handle.controls) == 1


async def test_push_to_talk_taps_start_and_send():
    started = [
        ev.SessionStarted("local", "m", "ga", ev.TurnMode.PUSH_TO_TALK, "mic", None),
        ev.StatusChanged(ev.State.LISTENING),
    ]
    async with talking(events=started) as (app, handle, pilot):
        await pilot.press("space", "space")
        assert handle.controls == [do.TalkKey(down=True), do.TalkKey(down=False)]
        await pilot.press("space", "escape", "space")
        assert handle.controls[2:] == [do.TalkKey(down=True), do.StopReply(), do.TalkKey(down=True)]
        app.talk_screen.on_app_blur()
        assert handle.controls[-1] == do.StopReply()


async def test_another_talk_key():
    async with talking(talk_key="f9") as (_, handle, pilot):
        await pilot.press("space")
        assert handle.controls == []
        await pilot.press("f9")
        assert handle.controls == [do.TalkKey(down=True)]


async def test_mute_stop_and_quit():
    async with talking() as (app, handle, pilot):
        await pilot.press("m", "m", "escape")
        assert handle.controls == [do.SetMuted(True), do.SetMuted(False), do.StopReply()]
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_value is None


@pytest.mark.parametrize("state", list(ev.State))
async def test_ctrl_c_leaves_in_every_state(state):
    async with talking(events=[ev.StatusChanged(state)]) as (app, _, pilot):
        assert str(state) in str(app.talk_screen.query_one(StatusStrip).render())
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert not app.is_running


async def test_words_are_renewed_in_place_and_cut_ones_marked():
    async with talking() as (app, handle, pilot):
        handle.emit(ev.UserTranscript("q", "I get", False))
        handle.emit(ev.AssistantTranscript("a", "Found it: the port", False))
        handle.emit(ev.UserTranscript("q", "I get an error", True))
        handle.emit(ev.AssistantTranscript("a", "Found it", True, heard_ms=700))
        await pilot.pause()
        assert words(app) == [("You", "I get an error"), ("Blue", "Found it —")]


async def test_words_that_were_nothing_after_all_leave_the_screen():
    async with talking() as (app, handle, pilot):
        handle.emit(ev.UserTranscript("q", "I get", False))
        await pilot.pause()
        assert words(app) == [("You", "I get")]
        handle.emit(ev.UserTranscript("q", "", True))
        await pilot.pause()
        assert words(app) == []


async def test_steps_are_copied_by_number():
    async with talking(events=conversation.whole()) as (app, _, pilot):
        await pilot.press("1")
        await pilot.pause()
        assert app.clipboard == "lsof -i :3000"
        await pilot.press("9")
        assert app.clipboard == "lsof -i :3000"


async def test_entries_open_and_close():
    async with talking(events=[*conversation.connected(), *conversation.hits()]) as (app, _, pilot):
        items = list(app.talk_screen.query(FixItem))
        assert len(items) >= 2
        assert [item.expanded for item in items][:2] == [True, False]
        items[1].focus()
        await pilot.press("enter")
        assert items[1].expanded
        items[0].scroll_visible(animate=False)
        await pilot.pause()
        await pilot.click(items[0], offset=(2, 0))
        assert not items[0].expanded
        await pilot.press("1")
        await pilot.pause()
        assert app.clipboard == items[1].steps[0]


async def test_help_opens_and_any_key_closes():
    async with talking() as (app, handle, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("x")
        await pilot.pause()
        assert app.screen is app.talk_screen
        assert handle.controls == []


async def test_the_palette_changes_the_mode():
    async with talking() as (app, handle, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"push-to")
        await pilot.pause(0.5)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert handle.controls == [do.SetTurnMode(ev.TurnMode.PUSH_TO_TALK)]
        assert "push-to-talk" in str(app.talk_screen.query_one(Meters).render())


async def test_the_palette_asks_for_the_best_engine():
    async with talking() as (_, handle, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"best engine")
        await pilot.pause(0.5)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert handle.controls == [do.RetryEngine()]


async def test_commands_copy_clear_and_theme():
    async with talking(events=conversation.whole()) as (app, _, pilot):
        app.talk_screen.copy_transcript()
        assert app.clipboard.startswith("You: I get address")
        app.talk_screen.set_theme("mrblue-light")
        assert app.theme == "mrblue-light"
        app.talk_screen.clear_panels()
        await pilot.pause()
        assert words(app) == []


async def test_a_failure_is_a_line_and_a_fatal_one_keeps_the_conversation():
    failure = ev.Failure("connect", "the connection was lost", True, "check the network")
    async with talking(events=conversation.whole()) as (app, handle, pilot):
        handle.emit(failure)
        handle.emit(ev.Ended("error"))
        await pilot.pause()
        shown = [text for who, text in words(app) if not who]
        assert any("connection was lost" in text and "check the network" in text for text in shown)
        assert ("You", conversation.QUESTION) in words(app)
        assert app.is_running
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_value == failure


async def test_without_a_microphone_the_composer_is_ready():
    events = [ev.SessionStarted("local", "m", "ga", ev.TurnMode.HANDS_FREE, None, None)]
    async with talking(events=events) as (app, _, _pilot):
        assert isinstance(app.talk_screen.focused, Composer)
        assert "no microphone" in str(app.talk_screen.query_one(Meters).render())


async def test_narrow_low_and_tiny_windows():
    async with talking(size=(80, 24), events=conversation.whole()) as (app, _, pilot):
        screen = app.talk_screen
        assert screen.query_one("#tabs", Static).display
        assert screen.query_one(Fixes).display
        assert not screen.query_one(ThinkingPanel).display
        await pilot.press("f")
        assert screen.query_one(ThinkingPanel).display
        await pilot.resize_terminal(80, 20)
        await pilot.pause()
        assert not screen.query_one(Meters).display
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert not screen.query_one("#side").display
        assert screen.query_one(Transcript).size.height >= 3
        assert screen.query_one(Composer).display
        await pilot.resize_terminal(130, 40)
        await pilot.pause()
        assert not screen.query_one("#tabs", Static).display
        assert screen.query_one(Fixes).display
        assert screen.query_one(ThinkingPanel).display


async def test_a_pasted_error_of_many_lines_is_kept_whole():
    async with talking() as (app, _, pilot):
        from textual import events

        await pilot.press("t")
        app.talk_screen.query_one(Composer).post_message(events.Paste("Traceback:\n  line 1\n\nError: x\n"))
        await pilot.pause()
        assert app.talk_screen.query_one(Composer).value == "Traceback: line 1 Error: x"


async def test_events_come_from_another_thread():
    async with talking() as (app, handle, pilot):

        def flood():
            for number in range(200):
                handle.emit(ev.Levels(number / 200, 0.0))
                handle.emit(ev.UserTranscript("q", f"word {number}", number == 199))

        thread = threading.Thread(target=flood)
        thread.start()
        thread.join()
        await pilot.pause()
        await pilot.pause()
        assert words(app) == [("You", "word 199")]


async def test_a_long_evening_stays_bounded():
    async with talking() as (app, handle, pilot):
        for number in range(450):
            handle.emit(ev.UserTranscript(f"q{number}", f"line {number}", True))
        await pilot.pause()
        await pilot.pause()
        kept = words(app)
        assert len(kept) <= 401
        assert kept[-1] == ("You", "line 449")


async def test_what_was_said_earlier_is_dimmed_and_a_private_talk_says_so():
    earlier = [
        ev.UserTranscript("past_1", "port in use", final=True, earlier=True),
        ev.AssistantTranscript("past_2", "Found", True, heard_ms=0, earlier=True),
        ev.UserTranscript("item_1", "now", final=True),
    ]
    async with talking(events=[*earlier, *conversation.connected()], private=True) as (app, _, pilot):
        assert words(app) == [("You", "port in use"), ("Blue", "Found —"), ("You", "now")]
        assert "private" in str(app.talk_screen.query_one(StatusStrip).render())
        for line, dimmed in zip(app.talk_screen.query(Line), (True, True, False), strict=True):
            assert all(bool(part.style.dim) is dimmed for part in line.render_line(0) if part.text.strip())
        await pilot.resize_terminal(30, 24)
        await pilot.pause()
        assert "private" in str(app.talk_screen.query_one(StatusStrip).render())
    async with talking() as (app, _, _):
        assert "private" not in str(app.talk_screen.query_one(StatusStrip).render())


async def test_a_talk_that_ended_for_money_stays_on_the_screen_with_the_reason():
    async with talking() as (app, handle, pilot):
        handle.emit(ev.Advice("$0.10 are spent and the limit is $0.10: this talk ends here"))
        handle.emit(ev.Ended("max_cost"))
        await pilot.pause()
        told = [text for _, text in words(app)]
        assert any("this talk ends here" in text for text in told)
        assert any("ctrl+q leaves" in text for text in told)
        assert app.is_running
