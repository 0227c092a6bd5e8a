"""Which tool call a piece of a chat stream belongs to, when providers number them in their own ways."""

from __future__ import annotations

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.surfaces.fields import table, text


class ToolCall:
    """One tool call as it grows; `id` and `name` are the first that came."""

    __slots__ = ("_pieces", "id", "kind", "name", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.id = ""
        self.name = ""
        self.kind = "function"
        self._pieces: list[str] = []

    @property
    def arguments(self) -> str:
        """All that came so far; for a custom tool its free text."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def real(self) -> bool:
        """Whether anything came of it; some servers send empty pieces that never become a call."""
        return bool(self.name or self._pieces)

    def add(self, piece: Json) -> str:
        """Take a piece; returns the new part of the arguments."""
        self.id = self.id or text(piece.get("id"))
        if piece.get("type") == "custom":
            self.kind = "custom"
        body = table(piece.get(self.kind))
        self.name = self.name or text(body.get("name"))
        new = text(body.get("input" if self.kind == "custom" else "arguments"))
        if new:
            self._pieces.append(new)
        return new

    def call_id(self, seed: str) -> str:
        """The provider's id, or one made of `seed` when it gave none."""
        return self.id or f"call_{seed}_{self.slot}"

    def json(self, seed: str) -> Json:
        """The call as in a complete chat message."""
        key = "input" if self.kind == "custom" else "arguments"
        return {
            "id": self.call_id(seed),
            "type": self.kind,
            self.kind: {"name": self.name, key: self.arguments},
        }


class ToolCalls:
    """The calls of one choice, in the order in which they began."""

    def __init__(self) -> None:
        self.all: list[ToolCall] = []
        self._at: dict[int, ToolCall] = {}

    def place(self, piece: Json) -> ToolCall:
        """The call that `piece` belongs to, a new one when it begins one; `piece` is not yet added to it.

        Index decides. Some providers give all calls index 0, or none, and tell them apart by id: a new id together
        with a name is a new call.
        """
        index, call_id = piece.get("index"), text(piece.get("id"))
        begins = bool(call_id and (table(piece.get("function")) or table(piece.get("custom"))).get("name"))
        if isinstance(index, int) and not isinstance(index, bool):
            call = self._at.get(index)
        else:
            call = next((known for known in self.all if call_id and known.id == call_id), None)
            if call is None and not begins and self.all:
                call = self.all[-1]
            index = -1 - len(self.all)  # no index of the provider's can meet it
        if call is None or (begins and call.id and call.id != call_id):
            call = ToolCall(len(self.all))
            self.all.append(call)
            self._at[index] = call
        return call
