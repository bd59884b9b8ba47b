"""The laws of the recording."""

import resource
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client_caller.audio import g711
from client_caller.calls.recording import LONGEST, Recording


def channels(path: Path) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    return samples[:, 0], samples[:, 1]


pieces = st.lists(
    st.tuples(st.booleans(), st.integers(-300, 40_000), st.binary(min_size=1, max_size=500), st.booleans()), max_size=40
)


@given(pieces)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_every_piece_lies_where_it_belongs(tmp_path: Path, played: list[tuple[bool, int, bytes, bool]]) -> None:
    """Whatever the order, the gaps and the overlaps: the later piece wins, the rest is silence."""
    path = tmp_path / "recording.wav"
    path.unlink(missing_ok=True)
    recording = Recording(path)
    expected = np.zeros((2, 41_000), dtype=np.int16)
    end = refused = 0
    for is_agent, at, mulaw, flush in played:
        (recording.agent if is_agent else recording.caller)(mulaw, at)
        kept = g711.decode(mulaw)[max(0, -at) :]
        refused += len(mulaw) - len(kept)
        expected[int(is_agent), max(0, at) : max(0, at) + len(kept)] = kept
        end = max(end, at + len(mulaw)) if len(kept) else end
        if flush:
            recording.flush()
    recording.close()
    caller, agent = channels(path)
    assert len(caller) == end
    assert recording.refused == refused
    np.testing.assert_array_equal(caller, expected[0, :end])
    np.testing.assert_array_equal(agent, expected[1, :end])


@given(st.binary(min_size=1, max_size=20_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_the_callers_channel_is_the_line(tmp_path: Path, line: bytes) -> None:
    """20 ms frames of the caller come out sample for sample as G.711 decodes them, beside a talking agent."""
    path = tmp_path / "recording.wav"
    path.unlink(missing_ok=True)
    recording = Recording(path)
    for at in range(0, len(line), g711.FRAME):
        recording.caller(line[at : at + g711.FRAME], at)
        recording.agent(line[at : at + g711.FRAME][::-1], at + 3200)
    recording.close()
    caller, _ = channels(path)
    np.testing.assert_array_equal(caller[: len(line)], g711.decode(line))
    assert not caller[len(line) :].any()


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A resumed call keeps what was recorded, and the gap is silence."""
    path = tmp_path / "recording.wav"
    for at in (0, 8000):
        recording = Recording(path)
        recording.caller(b"\x10" * 800, at)
        recording.close()
    caller, agent = channels(path)
    assert len(caller) == 8800
    assert caller[:800].all()
    assert not caller[800:8000].any()
    assert caller[8000:].all()
    assert not agent.any()


def test_a_broken_clock_does_not_fill_the_disk(tmp_path: Path) -> None:
    """Audio beyond the longest call is refused and counted."""
    recording = Recording(tmp_path / "recording.wav")
    recording.caller(b"\x10" * 160, LONGEST - 100)
    recording.caller(b"\x10" * 160, 2**45)
    recording.close()
    assert recording.refused == 60 + 160


def test_only_the_owner_may_listen(tmp_path: Path) -> None:
    """The file's mode is 0600."""
    Recording(tmp_path / "recording.wav").close()
    assert (tmp_path / "recording.wav").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_stops_the_recording_and_not_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged once, nothing raises, and what was written before still opens."""
    recording = Recording(tmp_path / "recording.wav")
    recording.caller(b"\x10" * 4000, 0)
    recording.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        for second in range(5):
            recording.caller(b"\x10" * 8000, 4000 + second * 8000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    recording.caller(b"\x10" * 8000, 80_000)
    recording.close()
    assert recording.failure
    assert len([record for record in caplog.records if "no longer written" in record.message]) == 1
    caller, _ = channels(tmp_path / "recording.wav")
    assert len(caller) == 4000
    assert caller.all()


_KILLED = """
import pathlib, sys
from client_caller.calls.recording import Recording
recording = Recording(pathlib.Path(sys.argv[1]))
at = 0
for line in sys.stdin:
    recording.caller(b"\\x10" * 160, at)
    recording.agent(b"\\x90" * 160, at + 800)
    at += 160
    print(at, flush=True)
"""


def test_a_killed_process_loses_less_than_a_second(tmp_path: Path) -> None:
    """After `kill -9` the file opens and holds all but the last half second of the caller."""
    path = tmp_path / "recording.wav"
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = 0
        for _ in range(173):
            process.stdin.write("\n")
            process.stdin.flush()
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    caller, agent = channels(path)
    assert len(caller) >= said - 4000
    assert caller[: said - 4000].all()
    assert agent[800 : said - 4000].all()
