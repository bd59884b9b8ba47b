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


def as_json(call: Call, entries: Sequence[Entry]) -> bytes:
    """`{"call": {...}, "entries": [...]}`; times in milliseconds from the start of the call.

    An entry has `who` (`caller`, `agent` or `tool`) and the fields of `CallerSaid`, `AgentSaid` or `ToolUsed`.
    """
    who = {CallerSaid: "caller", AgentSaid: "agent", ToolUsed: "tool"}
    document = {
        "call": call,
        "entries": [{"who": who[type(entry)], **msgspec.to_builtins(entry)} for entry in entries],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def as_text(entries: Sequence[Entry]) -> str:
    """One line for each entry: its time, who, and the words; what was not heard stands in square brackets.

    Line breaks and anything that could steer a terminal become spaces.
    """
    return "".join(f"{clock(_time(entry))}  {_printable(_line(entry))}\n" for entry in entries)


def clock(milliseconds: int) -> str:
    """Minutes, seconds and tenths since the start of the call: `12:03.4`."""
    tenths = max(0, milliseconds) // 100
    return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def _time(entry: Entry) -> int:
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
