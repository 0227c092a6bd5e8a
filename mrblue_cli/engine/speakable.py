"""Written words to words that a voice reads well: commands, flags, ports, paths, marks."""

from __future__ import annotations

import re

from mrblue_cli.core.texts import language

_URL = re.compile(r"https?://([^\s/]+)\S*")
_PLACEHOLDER = re.compile(r"<([A-Za-z][A-Za-z _-]*)>")
_MARKDOWN = re.compile(r"[*`#_]{2,}|[*`]")
_FLAG = re.compile(r"(?<=\s)(--?)([A-Za-z])")
_COLON_NUMBER = re.compile(r"(?<![\d:]):(\d{2,5})\b")
_PORT = re.compile(r"\b(\d)(\d)000\b|\b(\d)000\b")
_SLASH = re.compile(r"(?<=\w)/(?=\w)")
_HOST = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_SYMBOLS = {
    "en": {"|": "pipe", "&&": "and then", ">>": "appended to", "~": "home", "=": "equals", "@": "at", "$": "dollar"},
    "es": {"|": "tubería", "&&": "y luego", ">>": "añadido a", "~": "tu carpeta", "=": "igual", "@": "arroba",
           "$": "dólar"},
}  # fmt: skip
_MARKS = {
    "en": {"-": "dash", ":": "colon", "/": "slash", ".": "dot", "the": "the"},
    "es": {"-": "guion", ":": "dos puntos", "/": "barra", ".": "punto", "the": "el"},
}
_SILENT = str.maketrans(dict.fromkeys("\\{}[]^", " "))
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
# Letters are spelled in any language; how an English word sounds helps an English voice only.
_SPELLED = {word: said for word, said in _READ.items() if all(len(letter) == 1 for letter in said.split())}


def speakable(text: str) -> str:
    """Rewrite one clause for a voice of the language in use; the transcript keeps the written form."""
    code = language()
    mark, read = _MARKS[code], _READ if code == "en" else _SPELLED
    dot = f" {mark['.']} "
    text = _URL.sub(lambda match: match[1].replace(".", dot), text)
    text = _PLACEHOLDER.sub(lambda match: f"{mark['the']} {match[1].lower().replace('-', ' ').replace('_', ' ')}", text)
    text = _MARKDOWN.sub("", text)
    text = _HOST.sub(lambda match: match[0].replace(".", dot), text)
    text = _FLAG.sub(lambda match: f"{' '.join(mark['-'] for _ in match[1])} {match[2]}", f" {text}")
    text = _COLON_NUMBER.sub(rf" {mark[':']} \1", text)
    text = _SLASH.sub(f" {mark['/']} ", text)
    for symbol, word in _SYMBOLS[code].items():
        text = text.replace(symbol, f" {word} ")
    text = _WORD.sub(lambda match: read.get(match[0], match[0]), text.translate(_SILENT))
    return re.sub(r"\s+", " ", text).strip()
