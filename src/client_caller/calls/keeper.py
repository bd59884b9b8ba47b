"""Keeps what remains of one call while it goes on: journal, recording, transcript and its row in the store."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

from client_caller import __version__
from client_caller.audio import g711
from client_caller.calls.call import Call
from client_caller.calls.journal import Journal, JournalError, first_header
from client_caller.calls.lines import Header
from client_caller.calls.private_file import write_whole
from client_caller.calls.recording import Recording
from client_caller.calls.store import JOURNAL, Ending, RecordingMode, Store
from client_caller.calls.transcript import as_json, as_text, joined
from client_caller.conversation.commands import Command
from client_caller.conversation.events import CallStarted, Event
from client_caller.conversation.history import Entry
from client_caller.conversation.policy import Phrases, Policy
from client_caller.observe.latency import Ledger, percentile

_log = logging.getLogger(__name__)

RECORDING = "recording.wav"
TRANSCRIPT = "transcript.txt"
TRANSCRIPT_DATA = "transcript.json"
_SAMPLES = g711.SAMPLE_RATE // 1000
"""In a millisecond."""


class CallKeeper:
    """One connection of one call, on the disk.

    Call `note`, `hear` and `play` from the event loop: each takes microseconds, now and then a write of a few kilobytes
    into the system's cache, and none raises. The folder `<data_dir>/calls/<call id>` (mode 0700, files 0600) holds
    `journal.jsonl`, `recording.wav`, `transcript.json` and `transcript.txt`; `calls.report` adds `report.html`, which
    is not made here because that takes long. A resumed call goes on in the same folder, its times and samples moved to
    the clock of its first connection.
    """

    def __init__(
        self,
        folder: Path,
        call: Call,
        policy: Policy,
        phrases: Phrases,
        recording: RecordingMode,
        store: Store,
        now: Callable[[], float] = time.time,
    ) -> None:
        """The call's clock is at zero.

        `recording`: `off` leaves no audio file at all, `on` records from the first sample, `announce` from
        `start_recording` on. `now` gives seconds since 1970. Raises `OSError` if `folder` can't be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._call = call
        self._store = store
        self._began = round(now() * 1000)
        self._offset = _offset(folder / JOURNAL, self._began)
        self._last = 0
        self._earlier: tuple[Entry, ...] = ()
        self.ledger = Ledger(policy)
        """The latencies of this connection, up to the last event noted."""
        self._journal = Journal(
            folder / JOURNAL,
            Header(
                client_caller=__version__,
                began=self._began,
                offset=self._offset,
                call=call,
                policy=policy,
                phrases=phrases,
            ),
        )
        self._announces = recording == "announce"
        self._recording = Recording(folder / RECORDING) if recording == "on" else None
        self._recorded_from = 0
        store.begin(call, folder=folder, recording=recording, started=_moment(self._began))

    def note(self, event: Event, commands: Sequence[Command]) -> None:
        """Something happened, and this is what the conversation asked for because of it."""
        self._last = event.at
        if isinstance(event, CallStarted):
            self._earlier = event.earlier
        self._journal.write(event, commands)
        self.ledger.note(event, commands)

    def hear(self, mulaw: bytes, at_sample: int) -> None:
        """Audio of the caller, and where on the call's clock its first sample lies (8 samples a millisecond)."""
        if self._recording is not None:
            self._recording.caller(*self._placed(mulaw, at_sample))

    def play(self, mulaw: bytes, at_sample: int) -> None:
        """Audio of the agent, and when the far end plays its first sample.

        May be told ahead of time; what is then cleared is erased by silence at the same place.
        """
        if self._recording is not None:
            self._recording.agent(*self._placed(mulaw, at_sample))

    def start_recording(self, at: int) -> None:
        """The caller has heard the notice of recording: record from here on, and log the consent.

        The journal has it too, as the command `StartRecording`. Does nothing unless recording was to be announced.
        """
        if not self._announces or self._recording is not None:
            return
        self._recorded_from = at * _SAMPLES
        self._recording = Recording(self.folder / RECORDING)
        self._store.consent(self._call, _moment(self._began + at))

    def close(self, reason: str, history: Sequence[Entry]) -> Future[None]:
        """The call is over. Journal and recording are complete when this returns.

        Transcript and row are written in the store's thread; they are done when the returned future is.
        """
        self._journal.close()
        if self._recording is not None:
            self._recording.close()
        latencies = [turn.voice_to_voice for turn in self.ledger.turns]
        self._store.finish(
            self._call,
            Ending(
                _moment(self._began + self._last),
                reason,
                len(latencies),
                len(self.ledger.barge_ins),
                percentile(latencies, 50),
            ),
        )
        entries = joined(self._earlier, history, self._offset)
        return self._store.run(lambda: write_transcript(self.folder, self._call, entries))

    def _placed(self, mulaw: bytes, at_sample: int) -> tuple[bytes, int]:
        """The part of a piece that may be recorded, and its place in the recording."""
        early = max(0, self._recorded_from - at_sample)
        return mulaw[early:], at_sample + early + self._offset * _SAMPLES


def write_transcript(folder: Path, call: Call, entries: Sequence[Entry]) -> None:
    """Write both forms of the transcript; what can't be written is logged."""
    try:
        write_whole(folder / TRANSCRIPT_DATA, as_json(call, entries))
        write_whole(folder / TRANSCRIPT, as_text(entries).encode())
    except OSError as error:
        _log.error("The transcript in %s could not be written: %s", folder, error.strerror)


def _offset(journal: Path, began: int) -> int:
    """Milliseconds from the zero of the call's first connection; 0 for the first itself."""
    try:
        first = first_header(journal)
    except (JournalError, OSError) as error:
        _log.error("The journal of the call's first connection can't be read: %s", error)
        return 0
    return max(0, began - first.began) if first else 0


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
