"""The thread that writes: at once, again and again, and once more at the end."""

from __future__ import annotations

import threading

from mrblue_cli.voice.disk_thread import DiskThread


class Counted:
    """A keeper that says when it was flushed."""

    def __init__(self, wanted=2):
        self.calls = []
        self.wanted = wanted
        self.enough = threading.Event()

    def flush(self, *, last):
        self.calls.append((last, threading.current_thread().name))
        if len(self.calls) >= self.wanted:
            self.enough.set()


def test_every_keeper_is_flushed_until_the_end_and_then_once_more():
    first, second = Counted(3), Counted(3)
    thread = DiskThread([first, second], every_seconds=0.001)
    thread.start()
    assert first.enough.wait(10)
    assert second.enough.wait(10)
    assert thread.close(10)
    for keeper in (first, second):
        assert [last for last, _ in keeper.calls] == [False] * (len(keeper.calls) - 1) + [True]
        assert {name for _, name in keeper.calls} == {"history"}


def test_closing_does_not_wait_for_a_disk_that_never_answers():
    release, reached = threading.Event(), threading.Event()

    class Stuck:
        def flush(self, *, last):
            reached.set()
            release.wait(30)

    thread = DiskThread([Stuck()])
    thread.start()
    assert reached.wait(10)
    assert not thread.close(0.01)
    release.set()
    assert thread.close(10)


def test_a_talk_that_never_began_can_be_closed():
    assert DiskThread([Counted()]).close()
