"""The one error tree. Errors carry data; only `cli/` turns them into lines and exit codes.

MrBlueError
├── NothingFound          nothing matched with confidence             exit 1
├── UsageError            an argument makes no sense                   exit 2
│   └── InputFileError    a file or stream handed to us is bad         exit 2
├── ConfigError           configuration cannot be used                 exit 3
├── ComponentError        something this machine lacks                 exit 4
│   ├── DeviceError       microphone, speaker, sound server            exit 4
│   └── MissingPart       an optional package or system library        exit 4
├── RemoteError           the other side of a connection               exit 5
│   ├── ConnectError      no connection, or it dropped                 exit 5
│   ├── AuthError         the key or token was refused                 exit 5
│   └── ProviderError     the provider answered with a fault           exit 5
└── InternalError         we broke our own rules                       exit 70
"""

from __future__ import annotations


class MrBlueError(Exception):
    """Base of every error a user may see.

    `what` is one line that names what is wrong and where; `hint` is one line that says what to do.
    `code` is a stable word for machines (JSON lines, tests).
    """

    code = "error"
    retryable = False

    def __init__(self, what: str, *, hint: str = "", code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class NothingFound(MrBlueError):
    """Nothing matched with enough confidence: saying nothing beats misleading."""

    code = "nothing_found"


class UsageError(MrBlueError):
    """An argument, or a combination of them, makes no sense."""

    code = "usage"


class InputFileError(UsageError):
    """A file or stream that was handed to us is missing, unreadable or malformed."""

    code = "bad_input"


class ConfigError(MrBlueError):
    """Configuration cannot be used; `what` names the file and the key."""

    code = "config"


class ComponentError(MrBlueError):
    """This machine lacks something the request needs."""

    code = "component"


class DeviceError(ComponentError):
    """A microphone, speaker or sound server is missing, busy or gone."""

    code = "device"


class MissingPart(ComponentError):
    """An optional package or system library is not installed."""

    code = "missing_part"


class RemoteError(MrBlueError):
    """A network peer or provider let us down."""

    code = "remote"


class ConnectError(RemoteError):
    """No connection could be made, or it was lost."""

    code = "connect"
    retryable = True


class AuthError(RemoteError):
    """The key or token was refused; retrying cannot help."""

    code = "auth"


class ProviderError(RemoteError):
    """The provider answered, with a fault."""

    code = "provider"


class InternalError(MrBlueError):
    """A rule of ours was broken: a defect to report, not the user's doing."""

    code = "internal"
