"""The laws of messages over a pipe."""

import io
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from client_caller.engines import framing


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_what_is_written_is_read(messages: list[bytes]) -> None:
    """In order, whatever the bytes, and then nothing more."""
    pipe = io.BytesIO()
    for message in messages:
        framing.write(pipe, message)
    pipe.seek(0)
    assert [framing.read(pipe) for _ in messages] == messages
    assert framing.read(pipe) is None


@given(st.binary(min_size=1, max_size=50), st.integers(1, 60))
def test_a_cut_message_is_no_message(message: bytes, cut: int) -> None:
    """Where the other side ended in the middle of a message, there is none."""
    whole = framing.pack(message)
    assert framing.read(io.BytesIO(whole[: max(0, len(whole) - cut)])) is None


def test_what_a_library_prints_does_not_reach_the_driver() -> None:
    """Once the pipes are taken, standard output is standard error, also for what is written below Python."""
    script = """
import os
from client_caller.engines import framing
messages_in, messages_out = framing.take_standard_pipes()
print("chatter", flush=True)
os.write(1, b"noise")
framing.write(messages_out, framing.read(messages_in))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input=framing.pack(b"echo"), capture_output=True, timeout=30, check=True
    )
    assert done.stdout == framing.pack(b"echo")
    assert done.stderr == b"chatter\nnoise"
