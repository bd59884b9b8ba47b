"""The transcript of a call: who said what when, and what of it was heard."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from client_caller.calls.call import Call
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolUsed


def shifted(entries: Iterable[Entry], by: int) -> tuple[Entry, ...]:
    """The entries with all times `by` milliseconds later: those of a resumed connection on the clock of the first."""
    return tuple(
        replace(entry, at=entry.at + by)
        if isinstance(entry, ToolUsed)
        else replace(entry, started=entry.started + by, ended=entry.ended + by)
        for entry in entries
    )


def joined(earlier: Sequence[Entry], history: Sequence[Entry], offset: int) -> tuple[Entry, ...]:
    """The history of a resumed connection, which begins with `earlier`, all of it on the clock of the first.

    `offset`: milliseconds from the zero of the first clock to that of this connection. The caller may have gone on
    with the last of the earlier entries, whose end is then on the new clock.
    """
    before = tuple(
        entry if entry == was or isinstance(entry, ToolUsed) else replace(entry, ended=entry.ended + offset)
        for was, entry in zip(earlier, history, strict=False)
    )
    return before + shifted(history[len(earlier) :], offset)


def as_json(call: Call, entries: Sequence[Entry]) -> bytes:
    """`{"call": {...}, "entries": [...]}`; times in milliseconds from the start of the call.

    An entry has `who` (`caller`, `agent` or `tool`) and the fields of `CallerSaid`, `AgentSaid` or `ToolUsed`; they
    stand in the order in which they began.
    """
    who = {CallerSaid: "caller", AgentSaid: "agent", ToolUsed: "tool"}
    document = {
        "call": call,
        "entries": [{"who": who[type(entry)], **msgspec.to_builtins(entry)} for entry in in_order(entries)],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def as_text(entries: Sequence[Entry]) -> str:
    """One line for each entry: its time, who, and the words; what was not heard stands in square brackets.

    Line breaks and anything that could steer a terminal become spaces.
    """
    return "".join(f"{clock(began(entry))}  {_printable(_line(entry))}\n" for entry in in_order(entries))


def clock(milliseconds: int) -> str:
    """Minutes, seconds and tenths since the start of the call: `12:03.4`."""
    tenths = max(0, milliseconds) // 100
    return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By the time at which they began; a history is in the order in which things were over."""
    return sorted(entries, key=began)


def began(entry: Entry) -> int:
    return entry.at if isinstance(entry, ToolUsed) else entry.started


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _line(entry: Entry) -> str:
    match entry:
        case CallerSaid(backchannel=True):
            return f"Caller  ({entry.text or 'a sound'})"
        case CallerSaid():
            return f"Caller  {entry.text or '(not understood)'}"
        case AgentSaid():
            unheard = f"[not heard: {entry.unheard}]" if entry.unheard else "[cut off]" if entry.cut else ""
            return f"Agent   {' '.join(part for part in (entry.heard, unheard) if part)}"
        case ToolUsed():
            return f"Tool    {entry.name}({entry.arguments}) {'failed' if entry.failed else 'gave'}: {entry.result}"
