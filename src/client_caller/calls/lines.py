"""One line of a journal: a header, an event or a command, as JSON."""

import msgspec

from client_caller.calls.call import Call
from client_caller.conversation import commands, events
from client_caller.conversation.commands import Command
from client_caller.conversation.events import CallStarted, Event
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolUsed
from client_caller.conversation.policy import Phrases, Policy

FORMAT = 1
"""Raised when a reader of the old format could no longer understand the new."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a segment: all that is needed to run the same conversation again."""

    format: int = FORMAT
    client_caller: str
    """The version that wrote the segment."""
    began: int
    """When the call's clock was at zero: milliseconds since 1970, UTC."""
    offset: int = 0
    """Milliseconds from the zero of the call's first segment to the zero of this one. 0 unless the call was resumed."""
    call: Call
    policy: Policy
    phrases: Phrases


_ENTRIES: dict[str, type[Entry]] = {kind.__name__: kind for kind in (CallerSaid, AgentSaid, ToolUsed)}
_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in events.Event.__args__}
_NAMED = {kind: b',"event":"%b"' % name.encode() for name, kind in _EVENTS.items()}
_COMMANDS: dict[str, type[Command]] = {kind.__name__: kind for kind in commands.Command.__args__}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode


def header_line(header: Header) -> bytes:
    return b'{"header":%b}\n' % _encode(header)


def event_line(event: Event) -> bytes:
    """`{"at": ..., "event": its name, its fields}`. Raises `UnicodeError` on text with half a surrogate pair."""
    if isinstance(event, CallStarted):
        body = _encode({"at": event.at, "earlier": [_tagged(entry) for entry in event.earlier]})
    else:
        body = _encode(event)
    at, comma, fields = body.partition(b",")
    if not comma:
        at, fields = at[:-1], b"}"
    return at + _NAMED[type(event)] + comma + fields + b"\n"


def command_line(at: int, command: Command) -> bytes:
    """`{"at": ..., "command": its name, its fields}`; `at` is that of the event it followed from."""
    fields = _encode(command)[1:-1]
    return b'{"at":%d,"command":"%b"%b%b}\n' % (at, type(command).__name__.encode(), b"," if fields else b"", fields)


def parse(line: bytes) -> Header | Event | Command:
    """What a line says. Raises `ValueError` with the reason."""
    fields = _decode(line)
    try:
        if "header" in fields:
            return _header(fields["header"])
        if "event" in fields:
            return _event(_EVENTS[str(fields["event"])], fields)
        return msgspec.convert(fields, _COMMANDS[str(fields["command"])])
    except KeyError as error:
        raise ValueError(f"unknown kind of line: {error}") from None


def entry_fields(entry: Entry) -> dict[str, object]:
    """An entry's fields, plain, in their order."""
    fields: dict[str, object] = msgspec.to_builtins(entry)
    return fields


def _tagged(entry: Entry) -> dict[str, object]:
    return {"entry": type(entry).__name__, **entry_fields(entry)}


def _header(fields: object) -> Header:
    written = msgspec.convert(fields, dict[str, object])
    if written.get("format") != FORMAT:
        raise ValueError(
            f"journal format {written.get('format')}, written by client-caller {written.get('client_caller')}; "
            f"this version reads format {FORMAT}"
        )
    return msgspec.convert(fields, Header)


def _event(kind: type[Event], fields: dict[str, object]) -> Event:
    if kind is not CallStarted:
        return msgspec.convert(fields, kind)
    at, earlier = msgspec.convert((fields["at"], fields["earlier"]), tuple[int, list[dict[str, object]]])
    return CallStarted(at, tuple(msgspec.convert(entry, _ENTRIES[str(entry["entry"])]) for entry in earlier))
