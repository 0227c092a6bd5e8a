"""A stand-in for `pactl`: a sound server whose devices and defaults the test changes."""

from __future__ import annotations

from pathlib import Path

from mrblue_cli.voice.sound_server import SoundServer

NOWHERE = Path("/nonexistent/cards")


class FakePulse:
    """`run` answers as `pactl` does; `sinks` and `sources` map a name to lines of its properties."""

    def __init__(self, sinks=("speaker",), sources=("mic",)):
        self.sinks = dict.fromkeys(sinks, ())
        self.sources = dict.fromkeys(sources, ())
        self.default_sink, self.default_source = next(iter(self.sinks), ""), next(iter(self.sources), "")
        self.alive = True
        self.asked = []
        self.streams = []
        """Of this process: (kind, index of the device it is on)."""
        self.pid = 0

    def server(self):
        return SoundServer(self.run, NOWHERE)

    def run(self, arguments):
        self.asked.append(arguments)
        if not self.alive:
            return None
        match arguments:
            case ("info",):
                return f"Server Name: fake\nDefault Sink: {self.default_sink}\nDefault Source: {self.default_source}\n"
            case ("list", "sinks"):
                return self._devices("Sink", self.sinks)
            case ("list", "sources"):
                return self._devices("Source", self.sources)
            case ("list", "sink-inputs"):
                return self._streams("Sink Input", "Sink")
            case ("list", "source-outputs"):
                return self._streams("Source Output", "Source")
        raise AssertionError(arguments)

    @staticmethod
    def _devices(word, devices):
        blocks = []
        for index, (name, lines) in enumerate(devices.items()):
            fields = [f"\tName: {name}", f"\tDescription: The {name}", "\tProperties:"]
            blocks.append("\n".join([f"{word} #{index}", *fields, *lines]))
        return "\n\n".join(blocks) + "\n"

    def _streams(self, head, word):
        made = [index for kind, index in self.streams if kind == word]
        return "\n\n".join(
            f'{head} #{number}\n\t{word}: {index}\n\tProperties:\n\t\tapplication.process.id = "{self.pid}"'
            for number, index in enumerate(made)
        )
