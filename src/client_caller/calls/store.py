"""The list of all calls: one row each, in SQLite or PostgreSQL.

Rows are written only when a call begins, when recording is consented to, and when it ends, and always in the store's
one thread: the event loop never waits for a database. Reading is done by whoever asks, in their own thread. What was
said is not in here but in the call's folder.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import DateTime, Engine, Select, TypeDecorator, create_engine, event, func, select
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from client_caller.calls.call import Call

_log = logging.getLogger(__name__)

RecordingMode = Literal["off", "announce", "on"]
JOURNAL = "journal.jsonl"
"""The journal's name in a call's folder."""

BROKEN = frozenset({"connection_lost", "server_error", "server_stopped"})
"""Reasons after which the caller may still be there, and the call may be resumed."""
_SILENT_FOR = 60.0
"""Seconds without a new line in its journal after which a live call is taken for broken: a call writes ten a second."""


def database_in(data_dir: Path) -> str:
    """The address of the SQLite database that is used where none is configured."""
    return f"sqlite:///{(data_dir / 'calls.sqlite3').absolute()}"


class StoreError(Exception):
    """The store can't be opened or has no such call. `str(error)` says what to do."""


class _Utc(TypeDecorator[datetime]):
    """A moment, with its time zone also in databases that keep none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class _Base(DeclarativeBase):
    type_annotation_map = {datetime: _Utc}  # noqa: RUF012  SQLAlchemy reads it from the class


class CallRow(_Base):
    """What is listed of a call."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(index=True)
    direction: Mapped[str]
    caller: Mapped[str]
    callee: Mapped[str]
    started: Mapped[datetime] = mapped_column(index=True)
    ended: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")
    """Why it ended; empty while it is live."""
    state: Mapped[str] = mapped_column(default="live")
    """`live`, `ended`, or `broken`: cut off without an end. Read as `broken` too when its process was killed."""
    recording: Mapped[str]
    """`off`, `announce` or `on`."""
    consented: Mapped[datetime | None] = mapped_column(default=None)
    """When the notice of recording had been heard."""
    folder: Mapped[str]
    turns: Mapped[int] = mapped_column(default=0)
    """Answers of the agent to the caller."""
    interruptions: Mapped[int] = mapped_column(default=0)
    median_latency: Mapped[int | None] = mapped_column(default=None)
    """Voice to voice, milliseconds; of the last connection with turns."""

    @property
    def call(self) -> Call:
        direction: Literal["inbound", "outbound"] = "outbound" if self.direction == "outbound" else "inbound"
        return Call(self.id, self.provider_id, direction, self.caller, self.callee)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of one connection of a call once it is over. A resumed call adds up those of its connections."""

    at: datetime
    reason: str
    turns: int
    interruptions: int
    median_latency: int | None


class Store:
    def __init__(self, url: str) -> None:
        """Open the database, and make its table if it is not there.

        `url` is SQLAlchemy's (`sqlite:///calls.sqlite3`, `postgresql://user@host/database`). An SQLite file is made
        with mode 0600. Raises `StoreError`.
        """
        self._engine = _open(url)
        self._writer = ThreadPoolExecutor(1, "calls-store")

    # ---------------------------------------------------------------- writing, in the store's thread

    def begin(self, call: Call, *, folder: Path, recording: RecordingMode, started: datetime) -> None:
        """A call is on the line; one that was there before is live again."""

        def write(session: Session) -> None:
            row = session.get(CallRow, call.id)
            if row is None:
                row = CallRow(id=call.id, provider_id=call.provider_id, direction=call.direction, started=started)
                row.turns = row.interruptions = 0
                session.add(row)
            row.caller, row.callee = call.caller, call.callee
            row.folder, row.recording = str(folder.absolute()), recording
            row.state, row.reason, row.ended = "live", "", None

        self._write(write)

    def consent(self, call: Call, at: datetime) -> None:
        """The notice of recording had been heard at this time. The first time counts."""

        def write(session: Session) -> None:
            row = session.get_one(CallRow, call.id)
            row.consented = row.consented or at

        self._write(write)

    def finish(self, call: Call, ending: Ending) -> None:
        """A call is over, or its connection is."""

        def write(session: Session) -> None:
            row = session.get_one(CallRow, call.id)
            row.ended, row.reason = ending.at, ending.reason
            row.state = "broken" if ending.reason in BROKEN else "ended"
            row.turns += ending.turns
            row.interruptions += ending.interruptions
            row.median_latency = ending.median_latency if ending.turns else row.median_latency

        self._write(write)

    def run(self, work: Callable[[], None]) -> Future[None]:
        """Do some other slow work of a call's end in the store's thread, after all that was asked of it before."""
        return self._writer.submit(work)

    def close(self) -> None:
        """Wait until everything is written. Nothing can be written after."""
        self._writer.shutdown(wait=True)
        self._engine.dispose()

    # ---------------------------------------------------------------- reading

    def calls(self, limit: int | None = None) -> Sequence[CallRow]:
        """The latest calls first. Raises `StoreError`."""
        return self._read(select(CallRow).order_by(CallRow.started.desc(), CallRow.id).limit(limit))

    def find(self, reference: str) -> CallRow:
        """The call with this id, or whose id begins so, or the `last` one. Raises `StoreError`."""
        if reference == "last":
            latest = self.calls(limit=1)
            if not latest:
                raise StoreError("There are no calls yet.")
            return latest[0]
        beginning = func.substr(CallRow.id, 1, len(reference)) == reference
        found = self._read(select(CallRow).where(beginning).order_by(CallRow.id))
        exact = [row for row in found if row.id == reference]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if not found:
            raise StoreError(f"There is no call {reference!r}. To see which there are: client-caller calls list")
        some = ", ".join(row.id for row in found[:5])
        raise StoreError(f"{len(found)} calls begin with {reference!r} ({some}, …): give more of the id.")

    def find_provider(self, provider_id: str) -> CallRow | None:
        """The call that the provider knows by this id. Raises `StoreError`."""
        found = self._read(select(CallRow).where(CallRow.provider_id == provider_id).order_by(CallRow.started.desc()))
        return found[0] if found else None

    def delete(self, call_id: str) -> None:
        """Take a call off the list. Raises `StoreError`."""
        with self._session() as session:
            row = session.get(CallRow, call_id)
            if row is not None:
                session.delete(row)

    # ---------------------------------------------------------------- inside

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StoreError(f"The store of calls does not answer: {_reason(error)}") from None

    def _read(self, question: Select[CallRow]) -> Sequence[CallRow]:
        with self._session() as session:
            rows = session.scalars(question).all()
            session.expunge_all()
        for row in rows:
            if row.state == "live" and _is_silent(Path(row.folder)):
                row.state = "broken"
        return rows

    def _write(self, change: Callable[[Session], None]) -> None:
        def write() -> None:
            try:
                with self._session() as session:
                    change(session)
            except StoreError as error:
                _log.error("%s. The call goes on; its row is not up to date.", error)

        self._writer.submit(write)


def _is_silent(folder: Path) -> bool:
    """The call's process was killed: it no longer writes its journal. A folder that is not on this machine is not."""
    try:
        return time.time() - (folder / JOURNAL).stat().st_mtime > _SILENT_FOR
    except OSError:
        return False


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            _make_private(Path(str(parsed.database)))
        engine = create_engine(parsed, hide_parameters=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        _Base.metadata.create_all(engine)
    except ModuleNotFoundError as error:
        extra = "For PostgreSQL: pip install 'client-caller[postgresql]'"
        raise StoreError(f"The store of calls needs the Python package {error.name}. {extra}") from None
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(
            f"The store of calls can't be opened: {_reason(error)}. Check calls.database_url in the configuration."
        ) from None
    return engine


def _make_private(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """Readers and the writer do not wait for each other; two writers wait up to five seconds."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=5000")


def _reason(error: Exception) -> str:
    """The database's own words, without the statement."""
    return str(getattr(error, "orig", None) or error).strip().rstrip(".")
