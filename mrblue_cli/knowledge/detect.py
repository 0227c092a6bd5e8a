"""Named error types: told even when no entry fits, with the checks that help in general."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mrblue_cli.knowledge.normalize import clean, spoken_to_text


@dataclass(frozen=True, slots=True)
class ErrorType:
    """A family of errors."""

    name: str
    category: str
    checks: tuple[str, ...]
    """What to look at when no entry fits."""


def _type(name: str, category: str, pattern: str, *checks: str) -> tuple[re.Pattern[str], ErrorType]:
    return re.compile(pattern, re.IGNORECASE), ErrorType(name, category, checks)


_TYPES = (
    _type(
        "port in use",
        "network",
        r"EADDRINUSE|address (?:is )?already in use|port \d* ?(?:is )?already (?:in use|allocated)|e ?add?r in use",
        "find the process that listens on the port",
        "stop it, or choose another port",
    ),
    _type(
        "connection refused",
        "network",
        r"ECONNREFUSED|connection (?:was )?refused|econn ?refused",
        "is the service running, and on that host and port?",
        "inside a container, localhost is the container itself",
    ),
    _type(
        "name not resolved",
        "network",
        r"ENOTFOUND|EAI_AGAIN|could not resolve host|name or service not known|temporary failure in name resolution"
        r"|nodename nor servname",
        "is the host name spelled right?",
        "does it resolve: getent hosts NAME",
    ),
    _type(
        "timed out",
        "network",
        r"ETIMEDOUT|timed? ?out|deadline exceeded|timeout (?:expired|error)|TimeoutError",
        "is the host reachable at all?",
        "does a firewall swallow the packets?",
    ),
    _type(
        "connection reset",
        "network",
        r"ECONNRESET|connection reset|socket hang up|broken pipe|EPIPE",
        "did the other side crash or restart?",
        "is there a proxy with a shorter idle time?",
    ),
    _type(
        "permission denied",
        "linux",
        r"EACCES|EPERM|permission denied|operation not permitted|access (?:is )?denied|e ?ac ?cess? permission",
        "who owns the file or socket, and who are you: ls -l, id",
        "do not reach for sudo before you know",
    ),
    _type(
        "module not found",
        "runtime",
        r"ModuleNotFound|no module named|cannot find module|module not found|can't resolve '|ImportError"
        r"|cannot resolve module",
        "is the package installed in the environment that runs?",
        "does a file of your own have the same name?",
    ),
    _type(
        "file not found",
        "linux",
        r"ENOENT|no such file or directory|FileNotFoundError|file not found",
        "what is the working directory: pwd",
        "is the name spelled right, capitals included?",
    ),
    _type(
        "command not found",
        "shell",
        r"command not found|is not recognized as an internal or external command"
        r"|not recognized as the name of a cmdlet",
        "is it installed, and is its folder on PATH?",
    ),
    _type(
        "disk full",
        "linux",
        r"ENOSPC|no space left on device|disk (?:is )?full|not enough (?:free )?(?:disk )?space|disk quota exceeded",
        "which file system is full: df -h and df -i",
    ),
    _type(
        "out of memory",
        "linux",
        r"out of memory|OOMKilled|heap out of memory|cannot allocate memory|OutOfMemoryError|MemoryError|ENOMEM"
        r"|allocation failed",
        "what uses the memory: free -h, then ps aux --sort=-rss",
    ),
    _type(
        "too many open files",
        "linux",
        r"EMFILE|ENFILE|too many open files",
        "what is the limit: ulimit -n",
        "who leaks them: ls /proc/PID/fd",
    ),
    _type(
        "certificate expired",
        "ssl-tls",
        r"certificate (?:has )?expired|CERT_HAS_EXPIRED|cert(?:ificate)? is expired",
        "is the clock right: date",
        "until when is it valid: openssl x509 -enddate",
    ),
    _type(
        "certificate not trusted",
        "ssl-tls",
        r"certificate verify failed|self[- ]signed certificate|unable to get local issuer|UNABLE_TO_VERIFY_LEAF"
        r"|unknown (?:certificate )?authority|x509: certificate signed by unknown",
        "does the server send its whole chain?",
        "is the issuing authority in the trust store?",
    ),
    _type(
        "cross-origin request blocked",
        "cors",
        r"\bCORS\b|cross[- ]origin|access-control-allow-origin|(?:cores?|course|cause) policy",
        "which origin asks, and what does the server answer to it?",
    ),
    _type(
        "not authenticated",
        "auth",
        r"\b401\b.{0,30}unauthori[sz]ed|unauthori[sz]ed|invalid (?:api key|token|credentials)|authentication failed"
        r"|jwt (?:expired|malformed)|token (?:has )?expired|HTTP(?:/\d\S*)? 401|status(?: code)? 401",
        "is the credential sent at all, and is it current?",
    ),
    _type(
        "forbidden",
        "auth",
        r"\b403\b.{0,20}forbidden|HTTP(?:/\d\S*)? 403|status(?: code)? 403|error 403",
        "the identity is known but lacks the right: which role does it need?",
    ),
    _type(
        "rate limited",
        "http-api",
        r"\b429\b.{0,40}(?:too many|rate|quota)|too many requests|rate ?limit(?:ed|s)?\b|insufficient_quota"
        r"|exceeded your current quota|HTTP(?:/\d\S*)? 429|status(?: code)? 429|error 429",
        "wait as long as Retry-After says, then slow down",
    ),
    _type(
        "bad gateway",
        "nginx",
        r"\b50[234]\b.{0,20}(?:bad gateway|service unavailable|gateway time-?out)|bad gateway|upstream prematurely",
        "does the service behind the proxy answer by itself?",
    ),
    _type(
        "dependency conflict",
        "packages",
        r"ERESOLVE|could not resolve dependency|ResolutionImpossible|conflicting dependencies|peer dep"
        r"|version solving failed",
        "which two packages disagree, and which of them can move?",
    ),
    _type(
        "merge conflict",
        "git",
        r"merge conflict|CONFLICT \(content\)|would be overwritten by merge|non-fast-forward|failed to push some refs",
        "what does git status say?",
    ),
    _type(
        "type error",
        "code",
        r"TypeError|is not a function|cannot read propert|undefined is not|is not assignable to type|TS\d{4}\b",
        "what is the value really, just before the line that fails?",
    ),
    _type(
        "syntax error",
        "code",
        r"SyntaxError|unexpected token|parse error|IndentationError|syntax error",
        "look at the line before the one that is named",
    ),
    _type(
        "container engine not running",
        "docker",
        r"cannot connect to the docker da?emon|is the docker da?emon running|docker d[ae]+mon",
        "is the engine started: systemctl status docker",
    ),
    _type(
        "database refuses login",
        "database",
        r"password authentication failed|access denied for user|role \"?\w+\"? does not exist|no pg_hba",
        "which user and database does the client really use?",
    ),
    _type(
        "deadlock or lock",
        "database",
        r"deadlock|database is locked|lock wait timeout|could not obtain lock",
        "who holds the lock, and for how long?",
    ),
    _type(
        "segmentation fault",
        "code",
        r"segmentation fault|SIGSEGV|core dumped|access violation",
        "which frame: run it in a debugger, or with a sanitizer",
    ),
    _type(
        "sound device missing",
        "audio",
        r"PortAudio|no (?:default )?(?:input|output) device|ALSA lib|no microphone|microphone (?:is )?not"
        r"|invalid number of channels",
        "does the system list a device: mrblue doctor",
    ),
)


def detect(text: str) -> ErrorType | None:
    """Name the error type of a text; the one whose words come last wins, since causes stand at the end of logs."""
    cleaned = spoken_to_text(clean(text))
    best: tuple[int, int, ErrorType] | None = None
    for pattern, kind in _TYPES:
        end = length = -1
        for match in pattern.finditer(cleaned):
            end, length = cleaned.count("\n", 0, match.start()), match.end() - match.start()
        if end >= 0 and (best is None or (end, length) > (best[0], best[1])):
            best = (end, length, kind)
    return best[2] if best else None


def error_types() -> tuple[ErrorType, ...]:
    """All named types."""
    return tuple(kind for _, kind in _TYPES)
