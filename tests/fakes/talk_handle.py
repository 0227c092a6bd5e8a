"""A conversation that does what the test says."""

from __future__ import annotations


class FakeTalkHandle:
    """Implements `tui.handle.TalkHandle`: keeps controls, lets the test emit events from any thread."""

    def __init__(self):
        self.controls = []
        self.emit = None
        self.stopped = False

    def start(self, on_event):
        self.emit = on_event

    def send(self, control):
        self.controls.append(control)

    def stop(self):
        self.stopped = True
        return True
