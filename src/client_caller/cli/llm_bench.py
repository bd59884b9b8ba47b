"""How soon and how fast does a language model server answer, by our own driver and on a prompt as calls have it?"""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field

from client_caller.cli.llm_prompt import chat, interrupted, partial
from client_caller.cli.spread import Spread
from client_caller.cli.together import together
from client_caller.conversation.history import Message
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.openai_server import Refused
from client_caller.engines.protocols import CallContext, EngineError, LlmResult

PATIENCE = 120.0
"""Seconds for a first token: a slow server is measured, not given up."""
REPLY_TOKENS = 100
"""A long answer on the telephone: half a minute of speech."""
LONG_TOKENS = 400
"""A reply that is still being written when the caller cuts in."""
_CONTEXT = CallContext("bench")
_Reply = AsyncGenerator[LlmResult, None]


@dataclass(frozen=True, slots=True)
class Load:
    """So many calls at once. Times are milliseconds from a request to its first token."""

    calls: int
    cold: Spread | None
    """Nothing of the prompt is known to the server."""
    warmed: Spread | None
    """All but the end of the caller's last sentence is, as by a warm-up on a partial transcript."""
    after_cancel: Spread | None
    """Each caller cuts in: the reply under way is closed, and the next one asked for in the same moment."""
    beside: Spread | None
    """The same without closing it: what the next turn would wait if the server did not stop."""
    rate: Spread | None
    """Tokens a second of each call after its first one, where nobody cuts in. Counted are pieces: vLLM and llama.cpp
    send a token in each."""


async def measure(
    made: Callable[[int], OpenAiModel], calls: Sequence[int], rounds: int, tell: Callable[[int, int], None]
) -> list[Load]:
    """Each number of calls, `rounds` times. `made` gives a driver whose replies have at most so many tokens and which
    waits `PATIENCE`. Raises `EngineError`."""
    total, done = 4 * rounds * len(calls), 0
    async with _open(made(REPLY_TOKENS)) as model, _open(made(LONG_TOKENS)) as long:
        await _reach(model)
        loads = []
        for count in calls:
            bench = _Bench(model, long, count)
            for _ in range(rounds):
                for step in (bench.ask_cold, bench.ask_warmed, bench.cut_in, bench.ask_beside):
                    await step()
                    done += 1
                    tell(done, total)
            loads.append(bench.load())
        return loads


@asynccontextmanager
async def _open(model: OpenAiModel) -> AsyncIterator[OpenAiModel]:
    try:
        yield model
    finally:
        await model.close()


async def _reach(model: OpenAiModel) -> None:
    """Ask for one token: says at once what is wrong with the server or the model's name."""
    try:
        await model.warm(_CONTEXT, [Message("user", "Hello.")], ())
    except Refused:
        raise
    except EngineError as error:
        raise EngineError("llm", f"{error} To start one: client-caller models serve gemma --help") from None


@dataclass(slots=True)
class _Bench:
    """So many calls at once, and what was measured of them."""

    model: OpenAiModel
    long: OpenAiModel
    """Its replies go on for longer."""
    count: int
    cold: list[float] = field(default_factory=list)
    warmed: list[float] = field(default_factory=list)
    after_cancel: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    async def ask_cold(self) -> None:
        await self._ask(self._chats(), self.cold, self.rate)

    async def ask_warmed(self) -> None:
        chats = self._chats()
        await together(self.model.warm(_CONTEXT, partial(messages), ()) for messages in chats)
        await self._ask(chats, self.warmed, self.rate)

    async def cut_in(self) -> None:
        chats = self._chats()
        async with self._speaking(chats) as replies:
            closing = (_closed(reply) for reply in replies)
            await together([*closing, self._ask(list(map(interrupted, chats)), self.after_cancel, [])])

    async def ask_beside(self) -> None:
        chats = self._chats()
        async with self._speaking(chats) as replies:
            reading = (_read(reply) for reply in replies)
            await together([*reading, self._ask(list(map(interrupted, chats)), self.beside, [])])

    def load(self) -> Load:
        columns = (self.cold, self.warmed, self.after_cancel, self.beside, self.rate)
        return Load(self.count, *map(Spread.of, columns))

    def _chats(self) -> list[list[Message]]:
        return [chat(secrets.token_hex(4)) for _ in range(self.count)]

    async def _ask(self, chats: Sequence[Sequence[Message]], first_tokens: list[float], rates: list[float]) -> None:
        """One reply to each chat, all at once and each to its end."""
        await together(self._reply(messages, first_tokens, rates) for messages in chats)

    async def _reply(self, messages: Sequence[Message], first_tokens: list[float], rates: list[float]) -> None:
        asked = time.perf_counter()
        moments = []
        async with aclosing(self.model.reply(_CONTEXT, messages, ())) as results:
            async for _ in results:
                moments.append(time.perf_counter())  # noqa: PERF401 - the moment is what counts
        first_tokens.append((moments[0] - asked) * 1000)
        if moments[-1] > moments[0]:
            rates.append((len(moments) - 1) / (moments[-1] - moments[0]))

    @asynccontextmanager
    async def _speaking(self, chats: Sequence[Sequence[Message]]) -> AsyncIterator[Sequence[_Reply]]:
        """Replies that have all begun."""
        async with AsyncExitStack() as stack:
            replies = [self.long.reply(_CONTEXT, messages, ()) for messages in chats]
            for reply in replies:
                await stack.enter_async_context(aclosing(reply))
            await together(_begun(reply) for reply in replies)
            yield replies


async def _begun(reply: _Reply) -> None:
    await anext(reply)


async def _closed(reply: _Reply) -> None:
    await reply.aclose()


async def _read(reply: _Reply) -> None:
    async for _ in reply:
        pass
