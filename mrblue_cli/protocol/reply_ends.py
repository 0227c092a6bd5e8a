"""The ends of a reply that did not come to its own: cut off by the person, or by the loss of the connection.

Pure rules over the ledger of what was received; the sources are named in `interruption`.
"""

from __future__ import annotations

from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client_events import TruncateItem
from mrblue_cli.protocol.interruption import heard_text, plan_cut
from mrblue_cli.protocol.outcome import NOTHING, Outcome
from mrblue_cli.protocol.reply_ledger import ReplyLedger


def cut_stream(ledger: ReplyLedger, key: n.AudioKey, report: n.Played) -> Outcome:
    """A stream of reply audio fell silent: tell the server where, and keep the words that were heard."""
    received = ledger.received_ms(key)
    cut = plan_cut(
        played_ms=received if report.complete else report.played_ms,
        received_ms=received,
        generation_finished=ledger.is_finished(key) and not ledger.is_broken(key),
    )
    ledger.settle(key)
    if cut is None:
        return NOTHING
    ledger.drop_item(key.item_id)
    words = heard_text(ledger.text(key.item_id), played_ms=cut.heard_ms, received_ms=received)
    ledger.set_text(key.item_id, words)
    truncate = TruncateItem(item_id=key.item_id, content_index=key.content_index, audio_end_ms=cut.audio_end_ms)
    return Outcome(send=(truncate,), notices=(n.ReplyText(key.item_id, words, final=True, heard_ms=cut.heard_ms),))


def was_noticed(ledger: ReplyLedger, response_id: str) -> bool:
    """The person read or heard something of this reply for sure."""
    return bool(ledger.written_words(response_id)) or ledger.was_played(response_id)


def break_off(ledger: ReplyLedger, response_id: str) -> Outcome:
    """The connection was lost in a reply of which something was noticed: what was received of it stands."""
    said: list[n.Notice] = [n.ReplyAudioDone(key) for key in ledger.break_off(response_id)]
    read, whole = ledger.written_words(response_id), ledger.whole_items(response_id)
    said += [n.ReplyText(item_id, ledger.text(item_id).rstrip(), final=True, heard_ms=0) for item_id in read]
    said += [n.ReplyText(item_id, ledger.text(item_id), final=True) for item_id in whole]
    ledger.drop_response(response_id)
    said += _unsay(ledger, ledger.unheard_words(response_id))
    return Outcome(notices=tuple(said))


def withdraw(ledger: ReplyLedger, response_id: str) -> Outcome:
    """The connection was lost in a reply of which nothing was noticed: it never was."""
    said: list[n.Notice] = [n.ReplyAudioDone(key) for key in ledger.break_off(response_id)]
    said += _unsay(ledger, ledger.words(response_id))
    for key in ledger.unsettled():
        if key.response_id == response_id:
            ledger.settle(key)
    ledger.drop_response(response_id)
    return Outcome(notices=tuple(said))


def _unsay(ledger: ReplyLedger, items: tuple[str, ...]) -> list[n.Notice]:
    for item_id in items:
        ledger.set_text(item_id, "")
    return [n.ReplyText(item_id, "", final=True, heard_ms=0) for item_id in items]
