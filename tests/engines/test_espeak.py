"""The laws of the eSpeak NG driver, with the real library in its real process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext, EngineError, Speech
from client_caller.simulator.virtual_time import run_virtual

CALL = CallContext("one")

DEADLY_LIBRARY = """
import ctypes, os

class Library:
    def espeak_Initialize(self, *_): return 22050
    def espeak_SetSynthCallback(self, _): pass
    def espeak_SetVoiceByName(self, _): os._exit(3)

ctypes.CDLL = lambda path: Library()
get_library_path = get_data_path = str
"""
"""Stands in for espeakng_loader: the process starts well, and ends with its first job."""


@pytest.fixture
async def espeak() -> AsyncIterator[Espeak]:
    engine = Espeak()
    yield engine
    await engine.close()


@pytest.fixture
def broken_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Call it, and processes started from then on find no eSpeak NG."""

    def remove() -> None:
        (tmp_path / "espeakng_loader.py").write_text("raise ImportError")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return remove


async def spoken(engine: Espeak, text: str, context: CallContext = CALL) -> Speech:
    (speech,) = [speech async for speech in engine.speak(context, text)]
    return speech


def running(pid: int | None) -> bool:
    """Whether a process is there, be it only as a zombie."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


async def test_keeps_the_laws_of_its_protocol(
    check_tts: Callable[..., Awaitable[None]], broken_library: Callable[[], None]
) -> None:
    """See conftest."""

    async def make() -> Espeak:
        return Espeak()

    async def lose_the_library(engine: Espeak) -> None:
        broken_library()

    texts = ["Certainly.", "The weather tomorrow will be wonderful, madam.", "At 3:30 on e-mail, of the $5.50 there."]
    await check_tts(make, texts=texts * 4, breaks=[Espeak.close, lose_the_library])


async def test_word_ends_are_where_the_sound_of_words_ends(espeak: Espeak) -> None:
    """Between the end of "stop" and the begin of "now" there is silence, and it belongs to no word."""
    speech = await spoken(espeak, "Please stop. Now go on.")
    stop = speech.words[1].end
    samples = g711.decode(speech.mulaw)
    ringing = 40  # the resampling filter's
    assert samples[stop - ringing : stop].any()
    assert not samples[stop + ringing : stop + 2000].any()
    assert samples[stop + 2000 : speech.words[2].end].any()
    assert not samples[speech.words[-1].end + ringing :].any()


async def test_a_clause_ends_with_the_pause_its_sign_asks_for(espeak: Espeak) -> None:
    """After a full stop there is more silence than after a comma, so that clauses do not run into each other."""
    pauses = []
    for text in ("Hello,", "Hello."):
        speech = await spoken(espeak, text)
        pauses.append(len(speech.mulaw) - speech.words[-1].end)
    assert 0.1 < pauses[0] / g711.SAMPLE_RATE < 0.25 < pauses[1] / g711.SAMPLE_RATE < 0.5


@pytest.mark.parametrize(
    "text",
    ["", " ", "—", "— hello —", "a\0b c", "😀 hi there", "Привет there", "\ud800 broken", "one  two\tthree\nfour"],
)
async def test_every_word_of_odd_text_has_one_time(espeak: Espeak, text: str) -> None:
    """However the library counts its words, ours each have one end, in order."""
    speech = await spoken(espeak, text)
    assert [time.word for time in speech.words] == list(range(len(text.split())))
    ends = [time.end for time in speech.words]
    assert ends == sorted(ends)
    assert all(end <= len(speech.mulaw) for end in ends)


async def test_speed_and_language_change_the_sound() -> None:
    """Fewer words a minute take longer; a call in another language gets that language's voice, near or exact."""
    slow, fast = Espeak(words_per_minute=120), Espeak(words_per_minute=220)
    try:
        text = "One two three four five six."
        assert len((await spoken(slow, text)).mulaw) > 1.3 * len((await spoken(fast, text)).mulaw)
        lengths = {
            language: len((await spoken(slow, "nation", CallContext("x", language))).mulaw)
            for language in ("en", "es", "es-MX", "de-AT", "zh")
        }
        assert len(set(lengths.values())) >= 4
        with pytest.raises(EngineError, match="no voice xx"):
            await spoken(slow, text, CallContext("x", "xx"))
    finally:
        await slow.close()
        await fast.close()


async def test_the_level_is_that_of_a_telephone_voice(espeak: Espeak) -> None:
    """Between -30 and -12 dBFS over all, and not clipped."""
    samples = g711.decode_float((await spoken(espeak, "This is how loud I am on the telephone.")).mulaw)
    assert -30 < 10 * np.log10(np.mean(samples**2)) < -12
    assert np.max(np.abs(samples)) < 0.95


def test_on_the_virtual_clock_speaking_takes_no_time() -> None:
    """Time stands still while the worker starts, speaks and ends."""
    engine = Espeak()

    async def speak() -> None:
        assert (await spoken(engine, "Hello there.")).words
        await engine.close()
        assert asyncio.get_running_loop().time() == 0

    run_virtual(speak(), busy=lambda: engine.busy)


async def test_a_lost_worker_is_replaced_and_the_clause_spoken(espeak: Espeak) -> None:
    """The process is killed with a clause in it: the next one speaks it, and the caller only waits a moment."""
    await espeak.start()
    first = espeak.worker_pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    speaking = asyncio.ensure_future(spoken(espeak, "Still here."))
    await asyncio.sleep(0)
    assert espeak.busy
    os.kill(first, signal.SIGKILL)
    assert len((await speaking).words) == 2
    assert espeak.worker_pid not in (None, first)
    assert not espeak.busy
    assert not running(first)


async def test_a_worker_lost_twice_is_an_error(espeak: Espeak, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A clause that ends every process it meets is given up, with its reason."""
    (tmp_path / "espeakng_loader.py").write_text(DEADLY_LIBRARY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match="ended twice"):
        await spoken(espeak, "Deadly words.")
    assert not espeak.busy


async def test_giving_up_frees_the_worker_for_others(espeak: Espeak) -> None:
    """A long text that nobody wants any more is not spoken to its end: what was asked next comes at once."""
    await espeak.start()
    whole = asyncio.get_running_loop().time()
    await spoken(espeak, "word " * 1000)
    whole = asyncio.get_running_loop().time() - whole
    speeches = espeak.speak(CALL, "word " * 1000)
    waiting = asyncio.ensure_future(anext(speeches))
    await asyncio.sleep(whole / 20)
    waiting.cancel()
    begin = asyncio.get_running_loop().time()
    await spoken(espeak, "Next.")
    assert asyncio.get_running_loop().time() - begin < whole / 2
    assert not espeak.busy


async def test_close_ends_the_process_even_in_mid_clause() -> None:
    """After `close` no process is left, not even as a zombie, and the engine stays closed."""
    engine = Espeak()
    await engine.start()
    pid = engine.worker_pid
    speaking = asyncio.ensure_future(spoken(engine, "word " * 5000))
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(EngineError, match="closed"):
        await speaking
    assert not running(pid)
    assert engine.worker_pid is None
    with pytest.raises(EngineError, match="closed"):
        await spoken(engine, "Hello.")


async def test_a_consumer_may_stop_reading() -> None:
    """Closing the iterator before it was begun, or after its end, leaves nothing to do."""
    engine = Espeak()
    async with aclosing(engine.speak(CALL, "Hello.")):
        pass
    assert engine.worker_pid is None
    await engine.close()


def test_the_library_is_never_loaded_here() -> None:
    """eSpeak NG is GPL-3: a process that speaks through the driver has not loaded it."""
    script = """
import asyncio, sys
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext

async def main():
    engine = Espeak()
    assert [speech async for speech in engine.speak(CallContext("c"), "Hello.")][0].mulaw
    print([name for name in sys.modules if "espeak" in name and not name.startswith("client_caller")])
    print([line for line in open("/proc/self/maps") if "espeak" in line])
    await engine.close()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["[]", "[]"]


async def test_without_the_extra_the_error_says_what_to_install(
    espeak: Espeak, broken_library: Callable[[], None]
) -> None:
    """A missing package is a typed error that names the extra."""
    broken_library()
    with pytest.raises(EngineError, match=r"pip install 'client-caller\[demo\]'") as caught:
        await espeak.start()
    assert caught.value.stage == "tts"
    assert espeak.worker_pid is None
