"""A private PulseAudio with a virtual room: what is played into `room_mic` is what the microphone hears, and what the
program plays arrives in `speaker`. For tests and benchmarks; started and stopped by its own pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path


def missing() -> str | None:
    """What is not installed here, or None."""
    for program in ("pulseaudio", "pactl", "paplay", "parec"):
        if shutil.which(program) is None:
            return f"{program} is not installed: apt-get install pulseaudio pulseaudio-utils"
    try:
        import sounddevice  # noqa: F401
    except OSError:
        return "PortAudio is not installed: apt-get install libportaudio2 libasound2-plugins"
    return None


class Room:
    """A running server. `env` is what programs in the room need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "pulse.sock"
        self.log = folder / "log"
        self.env = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "PULSE_SERVER": f"unix:{self.socket}"}
        self.env.pop("DISPLAY", None)
        self.pid = 0

    def start(self) -> None:
        """Start it and make the room's devices the defaults."""
        sink = "module-null-sink sink_name={} rate=24000 channels=1"
        subprocess.run(
            # No real-time scheduling: the kernel kills a real-time thread that catches up for too long after a busy
            # machine kept it waiting, and with it the server.
            ["pulseaudio", "-n", "--daemonize=yes", "--exit-idle-time=-1", f"--log-target=file:{self.log}",
             "--realtime=no", "--high-priority=no", "--no-cpu-limit=yes", "--disable-shm=yes",
             "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}",
             "-L", sink.format("room_mic"), "-L", sink.format("speaker")],
            env=self.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.pid = int((self.folder / "pulse" / "pid").read_text())
        self.pactl("set-default-sink", "speaker")
        self.pactl("set-default-source", "room_mic.monitor")

    def pactl(self, *args: str) -> str:
        """Ask the server."""
        return subprocess.run(["pactl", *args], env=self.env, check=True, capture_output=True, text=True).stdout

    def alive(self) -> bool:
        """Whether the server still answers."""
        return subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False).returncode == 0

    @contextmanager
    def saying(self, wav: Path):
        """Speak a WAV file into the microphone, for as long as the block lasts."""
        speaker = subprocess.Popen(["paplay", "--device=room_mic", str(wav)], env=self.env)
        try:
            yield speaker
        finally:
            speaker.terminate()
            speaker.wait(10)

    @contextmanager
    def recording(self, target: Path, source: str = "speaker.monitor"):
        """Record what comes out of the speaker, or another source: PCM16 mono 24 kHz without a header."""
        with target.open("wb") as file:
            recorder = subprocess.Popen(
                ["parec", f"--device={source}", "--rate=24000", "--channels=1", "--format=s16le",
                 "--latency-msec=20"],
                env=self.env, stdout=file,
            )  # fmt: skip
            try:
                yield
            finally:
                recorder.terminate()
                recorder.wait(10)

    def stop(self) -> None:
        """Stop it, and see that it is gone."""
        if not self.pid:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(self.pid, 0)
                time.sleep(0.05)
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.pid = 0


@contextmanager
def running_room():
    """A room for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="mrblue-room-"))
    folder.chmod(0o700)
    room = Room(folder)
    try:
        room.start()
        yield room
    finally:
        room.stop()
        shutil.rmtree(folder, ignore_errors=True)
