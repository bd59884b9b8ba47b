"""Running a tool: what comes back, and how it fails."""

import asyncio
import contextvars
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator

from client_caller.agents.signature import read
from client_caller.agents.tool import REASON_CHARACTERS, RESULT_BYTES, FunctionTool, ToolFailed
from client_caller.engines.protocols import CallContext

CALL = CallContext("call-1")
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def run(threads: ThreadPoolExecutor) -> Run:
    """Run a function as a tool."""

    async def run(function: Callable[..., Any], arguments: str = "{}", timeout: float = 5.0) -> str:
        return await FunctionTool(function, read(function), timeout, "").run(arguments, CALL, threads)

    return run


async def reason_of(awaitable: Awaitable[str]) -> str:
    with pytest.raises(ToolFailed) as caught:
        await awaitable
    return caught.value.reason


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        ({"day": date(2026, 3, 1), "free": (1, 2)}, '{"day":"2026-03-01","free":[1,2]}'),
        ("a lone half \ud800", "a lone half ?"),
    ],
)
async def test_a_result_is_text_as_it_is_or_json(run: Run, result: object, text: str) -> None:
    """The model reads text; whatever else can be written as JSON is."""

    def tool() -> object:
        """Answer."""
        return result

    assert await run(tool) == text


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), times=st.integers(1, 20_000))
def test_a_result_is_never_longer_than_its_bound(text: str, times: int) -> None:
    """A short result is whole; a long one is a prefix, and says that it was cut."""

    async def tool() -> str:
        """Answer."""
        return text * times

    with ThreadPoolExecutor(1) as unused:
        result = asyncio.run(FunctionTool(tool, read(tool), 5.0, "").run("{}", CALL, unused))
    assert len(result.encode()) <= RESULT_BYTES
    if len((text * times).encode()) <= RESULT_BYTES:
        assert result == text * times
    else:
        kept, _, note = result.rpartition(" [cut: ")
        assert (text * times).startswith(kept)
        assert note.endswith("bytes were too long]")


async def test_a_tool_that_is_not_async_never_blocks_the_loop(run: Run) -> None:
    """While it waits in its thread, the loop goes on; and it sees the context variables of the call."""
    called = contextvars.ContextVar("called", default="")
    called.set("by the call")
    loop_goes_on = threading.Event()
    asyncio.get_running_loop().call_soon(loop_goes_on.set)

    def tool() -> str:
        """Wait."""
        assert loop_goes_on.wait(5)
        return called.get()

    assert await run(tool) == "by the call"


async def test_a_tool_may_know_its_call(run: Run) -> None:
    """The call's context goes where the function asks for it, beside the model's arguments."""

    async def tool(text: str, context: CallContext) -> str:
        """Answer."""
        return f"{text} {context.call_id}"

    assert await run(tool, '{"text": "in"}') == "in call-1"


async def test_without_the_call_a_tool_that_needs_it_is_not_run(threads: ThreadPoolExecutor) -> None:
    """That is a mistake of whoever runs it, not a failure to tell the model of."""

    async def tool(context: CallContext) -> str:
        """Answer."""
        raise AssertionError

    with pytest.raises(TypeError, match="give `run_tool` the call's context"):
        await FunctionTool(tool, read(tool), 5.0, "").run("{}", None, threads)


async def test_an_async_tool_is_cancelled_by_its_timeout(run: Run) -> None:
    """It gets the chance to clean up, and the model learns that it may have taken effect."""
    cleaned = asyncio.Event()

    async def tool() -> None:
        """Wait."""
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    reason = await reason_of(run(tool, timeout=0.01))
    assert reason == "'tool' did not answer within 0.01 s; it may still take effect."
    assert cleaned.is_set()


async def test_a_thread_that_is_too_slow_is_no_longer_waited_for(run: Run) -> None:
    """The thread can't be stopped, but the model has its answer."""
    release = threading.Event()

    def tool() -> None:
        """Wait."""
        release.wait(5)

    try:
        assert "did not answer within 0.01 s" in await reason_of(run(tool, timeout=0.01))
    finally:
        release.set()


async def test_wrong_arguments_do_not_reach_the_function(run: Run) -> None:
    """The model is told what does not fit."""

    async def tool(number: int) -> None:
        """Count."""
        raise AssertionError

    assert (await reason_of(run(tool, '{"number": "x"}'))).startswith("argument 'number'")


WORDS = " ".join(["words", "of", "the", "caller"])  # so that no source line in a traceback holds them


def in_the_function() -> None:
    """Fail."""
    raise KeyError(WORDS)


async def in_the_coroutine() -> None:
    """Fail."""
    raise KeyError(WORDS)


def no_more() -> str:
    """Fail."""
    return next(iter([]))


async def timeout_of_its_own() -> None:
    """Fail."""
    raise TimeoutError(WORDS)


async def waits_for_something_cancelled() -> None:
    """Fail."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


def exits() -> None:
    """Fail."""
    sys.exit(WORDS)


def refuse(_: int) -> int:
    raise KeyError(WORDS)


async def broken_validator(number: Annotated[int, AfterValidator(refuse)] = 0) -> None:
    """Fail."""


@pytest.mark.parametrize(
    ("function", "arguments", "kind"),
    [
        (in_the_function, "{}", "KeyError"),
        (in_the_coroutine, "{}", "KeyError"),
        (no_more, "{}", "RuntimeError"),
        (timeout_of_its_own, "{}", "TimeoutError"),
        (waits_for_something_cancelled, "{}", "RuntimeError"),
        (exits, "{}", "SystemExit"),
        (broken_validator, '{"number": 1}', "KeyError"),
    ],
)
async def test_whatever_breaks_inside_is_one_failure_and_one_log_line(
    run: Run, caplog: pytest.LogCaptureFixture, function: Callable[..., Any], arguments: str, kind: str
) -> None:
    """The model learns the kind; the log has the places too; neither has words that the caller may have said."""
    reason = await reason_of(run(function, arguments))
    assert reason == f"{function.__name__!r} failed inside ({kind}); the same again will hardly help."
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"{function.__name__!r} failed with {kind}" in record.getMessage()
    assert 'test_tool.py", line' in record.getMessage() or kind == "RuntimeError"
    assert WORDS not in caplog.text


async def test_a_result_that_can_not_be_read_is_a_failure(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """The tool ran; only its result is lost."""

    async def tool() -> object:
        """Answer."""
        return object()

    assert await reason_of(run(tool)) == "'tool' ran, but its result can't be read."
    assert "neither text nor JSON" in caplog.text


async def test_a_tool_may_choose_the_words_of_its_failure(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """`ToolFailed` out of a tool reaches the model as it is, at a bounded length, and is nobody's bug."""

    async def tool() -> None:
        """Fail."""
        raise ToolFailed("We are closed on Monday. " + "x" * 1000)

    reason = await reason_of(run(tool))
    assert reason.startswith("We are closed on Monday. ")
    assert len(reason) == REASON_CHARACTERS
    assert not caplog.records


async def test_whoever_runs_a_tool_can_still_cancel_it(run: Run) -> None:
    """At the end of a server, a running tool is cancelled like any task."""
    begun = asyncio.Event()

    async def tool() -> None:
        """Wait."""
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(run(tool))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
