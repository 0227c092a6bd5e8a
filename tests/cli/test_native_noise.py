"""What libraries print to file descriptor 2 stays off the terminal; what Python prints does not."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os, sys
from mrblue_cli.cli.native_noise import quiet_libraries
os.write(2, b"before ")
with quiet_libraries():
    os.write(2, b"ALSA lib pcm.c: noise ")
    sys.stderr.write("told ")
    sys.__stderr__.write("drawn ")
    os.write(2, b"more noise ")
os.write(2, b"after ")
sys.stderr.write("end")
"""


def test_only_the_libraries_are_silenced():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr == "before told drawn after end"


def test_without_a_terminal_nothing_happens():
    code = "import os; from mrblue_cli.cli.native_noise import quiet_libraries; os.close(2)\nwith quiet_libraries(): 1"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failure_inside_is_told_after_it():
    code = "from mrblue_cli.cli.native_noise import quiet_libraries\nwith quiet_libraries(): raise ValueError('x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ValueError: x" in done.stderr
