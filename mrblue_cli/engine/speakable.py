"""Written words to words that a voice reads well: commands, flags, ports, paths, marks."""

from __future__ import annotations

import re

_URL = re.compile(r"https?://([^\s/]+)\S*")
_PLACEHOLDER = re.compile(r"<([A-Za-z][A-Za-z _-]*)>")
_MARKDOWN = re.compile(r"[*`#_]{2,}|[*`]")
_FLAG = re.compile(r"(?<=\s)(--?)([A-Za-z])")
_COLON_NUMBER = re.compile(r"(?<![\d:]):(\d{2,5})\b")
_PORT = re.compile(r"\b(\d)(\d)000\b|\b(\d)000\b")
_SLASH = re.compile(r"(?<=\w)/(?=\w)")
_HOST = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_SYMBOLS = {
    "|": " pipe ", "&&": " and then ", ">>": " appended to ", "~": " home ", "=": " equals ", "@": " at ", "\\": " ",
    "{": " ", "}": " ", "[": " ", "]": " ", "$": " dollar ", "^": " ",
}  # fmt: skip
_READ = {
    "lsof": "L S O F", "npm": "N P M", "sudo": "soo doo", "chmod": "ch mod", "chown": "ch own",
    "kubectl": "kube control",
    "nginx": "engine X", "systemctl": "system control", "PID": "P I D", "EADDRINUSE": "address in use", "df": "D F",
    "du": "D U", "ss": "S S", "ssh": "S S H", "SSH": "S S H", "tcp": "T C P", "JWT": "J W T", "CORS": "cors",
    "psql": "P S Q L", "sql": "sequel", "SQL": "sequel", "ls": "L S", "cd": "C D", "apt-get": "apt get",
    "stdin": "standard in",
    "venv": "V env", "pip": "pip", "http": "H T T P", "TLS": "T L S", "SSL": "S S L", "API": "A P I", "DNS": "D N S",
    "EACCES": "E access", "ENOSPC": "no space", "ctrl": "control", "localhost": "local host", "config": "config",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")


def speakable(text: str) -> str:
    """Rewrite one clause for a voice; the transcript keeps the written form."""
    text = _URL.sub(lambda match: f"{match[1].replace('.', ' dot ')}", text)
    text = _PLACEHOLDER.sub(lambda match: f"the {match[1].lower().replace('-', ' ').replace('_', ' ')}", text)
    text = _MARKDOWN.sub("", text)
    text = _HOST.sub(lambda match: match[0].replace(".", " dot "), text)
    text = _FLAG.sub(lambda match: f"{'dash dash' if len(match[1]) == 2 else 'dash'} {match[2]}", f" {text}")
    text = _COLON_NUMBER.sub(r" colon \1", text)
    text = _SLASH.sub(" slash ", text)
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    text = _WORD.sub(lambda match: _READ.get(match[0], match[0]), text)
    return re.sub(r"\s+", " ", text).strip()
