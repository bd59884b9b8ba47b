"""One of an agent's tools: a function of the user's, run for a language model."""

import asyncio
import contextvars
import inspect
import logging
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from client_caller.agents.signature import ArgumentsWrong, Signature
from client_caller.engines.protocols import CallContext, Tool

RESULT_BYTES = 8000
"""No result is longer in UTF-8: about 2000 tokens, which a language model reads again at every further reply."""
REASON_CHARACTERS = 500
"""No reason of a failure is longer."""
TIMEOUT = 10.0
"""Seconds a tool has if nothing else is said. Callers bear a few fillers, not more."""

logger = logging.getLogger(__name__)


class ToolFailed(Exception):
    """A tool did not do its work. `reason` is one or two sentences for the language model.

    A tool may raise it itself, to choose those words.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason if len(reason) <= REASON_CHARACTERS else reason[: REASON_CHARACTERS - 1] + "…"
        super().__init__(self.reason)


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function, and how to run it."""

    function: Callable[..., Any]
    signature: Signature
    timeout: float
    """Seconds."""
    filler: str
    """What to say when it is slow; empty for one of the agent's usual phrases."""

    @property
    def described(self) -> Tool:
        """What the language model is told of it."""
        return Tool(self.signature.name, self.signature.description, self.signature.schema)

    async def run(self, arguments: str, context: CallContext | None, threads: Executor) -> str:
        """Run it with a model's `arguments` (a JSON object) and return its result: text as it is, the rest as JSON.

        A function that is not async runs in one of `threads`. Raises `ToolFailed`; and `TypeError` when the tool
        takes the call's context and there is none.
        """
        name = self.signature.name
        if self.signature.context and context is None:
            raise TypeError(f"Tool {name!r} takes the CallContext: give `run_tool` the call's context.")
        try:
            values = self.signature.parse(arguments)
            call = partial(self.function, **values, **dict.fromkeys(self.signature.context, context))
            return _as_text(await self._in_time(call, threads))
        except ToolFailed:
            raise
        except ArgumentsWrong as error:
            raise ToolFailed(str(error)) from None
        except PydanticSerializationError:
            logger.error("tool %r returned something that is neither text nor JSON", name)
            raise ToolFailed(f"{name!r} ran, but its result can't be read.") from None
        except (Exception, SystemExit) as error:  # a library that exits must not end other callers' calls
            raise self._broken(error) from None

    async def _in_time(self, call: Callable[[], Any], threads: Executor) -> Any:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                if inspect.iscoroutinefunction(self.function):
                    return await call()
                run = contextvars.copy_context().run
                return await asyncio.get_running_loop().run_in_executor(threads, run, _without_stop_iteration, call)
        except TimeoutError:
            if not limit.expired():
                raise  # the tool's own, from something it waited for
            name = self.signature.name
            raise ToolFailed(f"{name!r} did not answer within {self.timeout:g} s; it may still take effect.") from None
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not we are cancelled, but something the tool waited for.
            raise RuntimeError("cancelled inside") from error

    def _broken(self, error: BaseException) -> ToolFailed:
        # The message of an exception often quotes what it was given: the caller's words. The places do not.
        kind = type(error).__qualname__
        places = "".join(traceback.format_tb(error.__traceback__))
        logger.error("tool %r failed with %s\n%s", self.signature.name, kind, places)
        return ToolFailed(f"{self.signature.name!r} failed inside ({kind}); the same again will hardly help.")


def _without_stop_iteration(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except StopIteration as error:
        # asyncio can't carry this one out of a thread: the tool would seem to hang.
        raise RuntimeError("StopIteration") from error


def _as_text(result: Any) -> str:
    raw = result.encode(errors="replace") if isinstance(result, str) else to_json(result)
    if len(raw) <= RESULT_BYTES:
        return raw.decode()
    note = f" [cut: {len(raw)} bytes were too long]"
    return raw[: RESULT_BYTES - len(note)].decode(errors="ignore") + note
