"""The language model over chat completions: against a double for what can go wrong, against llama.cpp for real."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_caller.conversation.history import Message, ToolCall
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import CallContext, EngineError, LlmResult, Token, Tool
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply

CONTEXT = CallContext("call")
SYSTEM = Message("system", "You answer a telephone.")
HELLO = [SYSTEM, Message("user", "what about my secret plan")]
LOOK_UP = Tool("look_up", "Looks an order up.", {"type": "object", "properties": {"number": {"type": "string"}}})


@pytest.fixture
def double() -> LlmDouble:
    return LlmDouble(first_token=0.01, words_per_second=500)


@pytest.fixture
async def base_url(double: LlmDouble) -> AsyncIterator[str]:
    async with double.serving() as url:
        yield url


@pytest.fixture
async def model(base_url: str) -> AsyncIterator[OpenAiModel]:
    made = OpenAiModel(base_url=base_url, model="m", api_key="sk-key")
    yield made
    await made.close()


async def collect(model: OpenAiModel, messages: list[Message] = HELLO, tools: tuple[Tool, ...] = ()) -> list[LlmResult]:
    return [result async for result in model.reply(CONTEXT, messages, tools)]


def text_of(results: list[LlmResult]) -> str:
    return "".join(result.text for result in results if isinstance(result, Token))


async def test_a_reply_streams(model: OpenAiModel, double: LlmDouble) -> None:
    """The words come one by one, while the server still writes."""
    double.words_per_second = 20
    double.replies.append(Reply("one two three"))
    seen = []
    async for result in model.reply(CONTEXT, HELLO, ()):
        assert isinstance(result, Token)
        seen.append((result.text, double.requests[0].ending))
    assert [text for text, _ in seen] == ["one", " two", " three"]
    assert seen[0][1] is None


async def test_the_request(base_url: str, double: LlmDouble) -> None:
    """Everything that was configured is in the request; what was not is left to the server."""
    model = OpenAiModel(
        base_url=base_url + "/", model="m", api_key="k", temperature=0.0, max_tokens=5, extra_body={"priority": -1}
    )
    await collect(model, HELLO, (LOOK_UP,))
    await model.close()
    bare = OpenAiModel(base_url=base_url, model="m")
    await collect(bare)
    await bare.close()
    full, plain = double.requests
    assert full.authorization == "Bearer k"
    assert full.body.items() >= {"model": "m", "temperature": 0.0, "max_tokens": 5, "priority": -1}.items()
    assert full.body["stream"] is True
    assert full.body["tools"][0]["function"]["name"] == "look_up"
    assert [message["role"] for message in full.body["messages"]] == ["system", "user"]
    assert plain.authorization is None
    assert not {"temperature", "tools"} & plain.body.keys()


async def test_tool_calls(model: OpenAiModel, double: LlmDouble) -> None:
    """A tool call comes after the words before it."""
    delta = {"index": 0, "id": "a", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    double.replies.append(Reply("One moment.", tool_calls=[delta]))
    results = await collect(model, HELLO, (LOOK_UP,))
    assert text_of(results) == "One moment."
    assert results[-1] == ToolCall("a", "look_up", "{}")


async def test_closing_aborts_at_once(model: OpenAiModel, double: LlmDouble) -> None:
    """When a reply is given up, the server knows in the same moment, and not when its next word fails."""
    double.replies.append(Reply("one two three four", stall_after=2))
    async with aclosing(model.reply(CONTEXT, HELLO, ())) as reply:
        await anext(reply)
    async with asyncio.timeout(5):
        await double.requests[0].over.wait()
    assert double.requests[0].ending == "aborted"


async def test_cancelling_before_the_first_token_aborts(model: OpenAiModel, double: LlmDouble) -> None:
    """The same holds for a reply of which nothing has come yet."""
    double.replies.append(Reply("one", stall_after=0))
    waiting = asyncio.create_task(collect(model))
    await double.arrived.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    async with asyncio.timeout(5):
        await double.requests[0].over.wait()
    assert double.requests[0].ending == "aborted"


async def test_one_connection_serves_turn_after_turn(model: OpenAiModel, double: LlmDouble) -> None:
    """A reply that was read to its end leaves its connection to the next; so does the warm-up."""
    await model.warm(CONTEXT, [SYSTEM], ())
    await collect(model)
    await collect(model)
    assert len({request.connection for request in double.requests}) == 1
    assert double.requests[0].body["max_tokens"] == 1
    assert "stream" not in double.requests[0].body


async def test_warming_up_waits_behind_live_turns(model: OpenAiModel, double: LlmDouble) -> None:
    """Warm-ups ask for less priority than replies, which ask for none; a server that refuses it is asked once."""
    await model.warm(CONTEXT, [SYSTEM], ())
    double.replies.append(Reply(status=400, error={"error": {"message": "Priority scheduling is not enabled."}}))
    await model.warm(CONTEXT, [SYSTEM], ())
    await model.warm(CONTEXT, [SYSTEM], ())
    await collect(model)
    assert [request.body.get("priority") for request in double.requests] == [1, 1, None, None, None]


async def test_other_refusals_of_a_warm_up_are_errors(model: OpenAiModel, double: LlmDouble) -> None:
    """A wrong key is no doubt about priorities: nothing is asked twice."""
    double.replies.append(Reply(status=401, error={"error": {"message": "Who are you?"}}))
    with pytest.raises(EngineError, match="401: Who are you"):
        await model.warm(CONTEXT, [SYSTEM], ())
    assert len(double.requests) == 1


async def test_a_long_call_is_told_from_a_cut_on(base_url: str, double: LlmDouble) -> None:
    """What does not fit the server's context is left out from the oldest turn on; the instructions stay."""
    model = OpenAiModel(base_url=base_url, model="m", context_tokens=1000, max_tokens=100)
    chat = [SYSTEM]
    for number in range(60):
        chat += [Message("user", f"question {number} " * 5), Message("assistant", f"answer {number} " * 5)]
    await collect(model, [*chat, Message("user", "the last question")])
    await model.close()
    told = double.requests[0].body["messages"]
    assert told[0]["content"] == SYSTEM.content
    assert told[1]["role"] == "user"
    assert told[-1]["content"] == "the last question"
    assert 3 < len(told) < 40


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    """A kept connection that dies between two turns costs nothing but a new one."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request on a connection, and drops the connection when the second has arrived."""
        nonlocal served
        for last in (False, True):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(length)
            if last:
                break
            chunk = json.dumps({"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]})
            body = f"data: {chunk}\n\ndata: [DONE]\n\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            served += 1
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        model = OpenAiModel(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", model="m")
        assert text_of(await collect(model)) == "hi"
        assert text_of(await collect(model)) == "hi"
        await model.close()
    assert served == 2


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            Reply(status=404, error={"error": {"message": "The model `m` does not exist."}}),
            "404: The model `m` does not",
        ),
        (Reply(status=401, error={"error": {"message": "Wrong key sk-key"}}), "Wrong key \\*\\*\\*. Check the API key"),
        (Reply(status=400, error={"detail": "input: 'What about MY secret plan'"}), "400: \\(not shown"),
        (Reply(status=503, error={}), "answered 503"),
        (Reply("one two", stall_after=0), "nothing in time"),
        (Reply("one two", stall_after=1), "nothing in time"),
        (Reply("one two", break_after=1), "broke the connection"),
        (Reply(events=['{"choices":[{"delta":{"content":"a"}}]}']), "in the middle of a reply"),
        (Reply(events=['{"error":{"message":"CUDA out of memory"}}']), "reported: CUDA out of memory"),
        (Reply(events=['{"error":"about my secret plan"}']), "not shown"),
        (Reply(events=["<html>"]), "no chat completion"),
        (Reply(events=["x" * 1_200_000]), "no event stream"),
        (Reply(events=['{"choices":[{"delta":{},"finish_reason":"length"}]}', "[DONE]"]), "without a word.*length"),
    ],
)
async def test_failures_are_typed(base_url: str, double: LlmDouble, reply: Reply, said: str) -> None:
    """Whatever goes wrong is an `EngineError` of the stage `llm` that names the server, and neither key nor caller."""
    double.replies.append(reply)
    patience = 10.0 if reply.stall_after is None else 0.3
    model = OpenAiModel(base_url=base_url, model="m", api_key="sk-key", first_token=patience, next_token=patience)
    with pytest.raises(EngineError, match=said) as caught:
        await collect(model)
    await model.close()
    assert caught.value.stage == "llm"
    assert base_url in str(caught.value)
    assert "sk-key" not in str(caught.value)
    assert "secret plan" not in str(caught.value).lower()


async def test_a_server_that_is_not_there() -> None:
    """Nobody listening is said in words, for replies and for the warm-up."""
    model = OpenAiModel(base_url="http://user:hush@127.0.0.1:9/v1", model="m")
    with pytest.raises(EngineError, match=r"http://127\.0\.0\.1:9/v1 can't be reached"):
        await collect(model)
    with pytest.raises(EngineError, match="can't be reached"):
        await model.warm(CONTEXT, HELLO, ())
    await model.close()


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8000", "ftp://host/v1", "http://", "http://host:port"])
def test_an_address_that_is_none(base_url: str) -> None:
    """A wrong base_url is refused when the engine is made, with an example."""
    with pytest.raises(EngineError, match="looks like http://"):
        OpenAiModel(base_url=base_url, model="m")


async def test_silence_after_a_tool_is_allowed(model: OpenAiModel, double: LlmDouble) -> None:
    """A model that has said goodbye and hung up has nothing to add."""
    double.replies.append(Reply(events=['{"choices":[{"delta":{},"finish_reason":"stop"}]}', "[DONE]"]))
    after_tool = [
        *HELLO,
        Message("assistant", "Bye.", (ToolCall("a", "hang_up", "{}"),)),
        Message("tool", "ok", tool_call_id="a"),
    ]
    assert await collect(model, after_tool) == []


async def test_a_complete_reply_does_not_wait_for_the_end_of_the_stream(model: OpenAiModel, double: LlmDouble) -> None:
    """A server that gives a reason to stop but never ends the stream does not hold up the turn, nor fail it."""
    event = '{"choices":[{"delta":{"content":"Yes."},"finish_reason":"stop"}]}'
    double.replies.append(Reply(events=[event, "[DONE]"], stall_after=1))
    assert text_of(await collect(model)) == "Yes."


async def test_calls_do_not_mix(model: OpenAiModel, double: LlmDouble) -> None:
    """Twenty replies at once each get their own words."""
    double.replies.extend(Reply(f"this is reply {n}") for n in range(20))
    replies = await asyncio.gather(*(collect(model) for _ in range(20)))
    assert sorted(map(text_of, replies)) == sorted(f"this is reply {n}" for n in range(20))


# ---------------------------------------------------------------- a real server


@contextmanager
def llama_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """llama.cpp's own server with one place, in a process of its own: its base URL and the process."""
    command = [sys.executable, str(Path(__file__).with_name("llama_server.py")), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        assert address, "llama.cpp's server did not start"
        yield f"{address}/v1", process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def llama_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as (url, _):
        yield url


@pytest.fixture
async def llama(llama_url: str) -> AsyncIterator[OpenAiModel]:
    """Any number of lower-case letters: the grammar makes the random model write text, and never stop by itself."""
    extra = {"grammar": "root ::= [a-z]+", "ignore_eos": True}
    made = OpenAiModel(base_url=llama_url, model="tiny", temperature=0.0, max_tokens=30, extra_body=extra)
    yield made
    await made.close()


def slot(llama_url: str) -> dict[str, Any]:
    """What the server's only place does."""
    (only,) = httpx.get(llama_url.removesuffix("/v1") + "/slots").json()
    return dict(only)


async def test_llama_streams(llama: OpenAiModel) -> None:
    """A real server's reply comes in pieces, and `extra_body` reaches it: the grammar holds."""
    results = await collect(llama)
    assert len(results) > 5
    assert text_of(results).isalpha()
    assert text_of(results).islower()


async def test_llama_tells_of_what_it_can_not_do(llama: OpenAiModel) -> None:
    """A request that the server refuses comes back with its reason: this one takes no tools beside a grammar."""
    with pytest.raises(EngineError, match=r"answered 400: .*grammar.*tools"):
        await collect(llama, HELLO, (LOOK_UP,))


async def test_llama_stops_when_a_reply_is_closed(llama_url: str, llama: OpenAiModel) -> None:
    """Closing a reply frees its place at once, in the middle of what there was to say, and the next request has it."""
    extra = {"grammar": "root ::= [a-z]+", "ignore_eos": True}
    endless = OpenAiModel(base_url=llama_url, model="tiny", max_tokens=8000, extra_body=extra)
    async with aclosing(endless.reply(CONTEXT, HELLO, ())) as reply:
        await anext(reply)
    async with asyncio.timeout(10):
        while slot(llama_url)["is_processing"]:  # noqa: ASYNC110 - the server tells only when it is asked
            await asyncio.sleep(0.01)
    assert slot(llama_url)["next_token"][0]["has_next_token"]
    await collect(llama)
    assert not slot(llama_url)["next_token"][0]["has_next_token"]
    await endless.close()


async def test_llama_warms_and_takes_tools(llama_url: str) -> None:
    """The warm-up is a request that a real server takes, and so is one with tools and a tool's answer in it."""
    used = [
        *HELLO,
        Message("assistant", "", (ToolCall("a", "look_up", '{"number":"1"}'),)),
        Message("tool", "shipped", tool_call_id="a"),
    ]
    extra = {"ignore_eos": True}
    plain = OpenAiModel(base_url=llama_url, model="tiny", temperature=0.0, max_tokens=5, extra_body=extra)
    await plain.warm(CONTEXT, [SYSTEM], (LOOK_UP,))
    assert await collect(plain, used, (LOOK_UP,))
    await plain.close()


async def test_llama_is_probed(llama_url: str) -> None:
    """A real server's capabilities: it holds to a JSON schema, and takes what it knows and ignores the rest."""
    plain = OpenAiModel(base_url=llama_url, model="tiny", max_tokens=5)
    found = {capability.name: capability.works for capability in await plain.capabilities()}
    await plain.close()
    assert list(found) == ["tools", "JSON schema", "prefill", "priority"]
    assert found["JSON schema"]
    assert found["tools"]


async def test_llama_that_dies_in_mid_reply(tmp_path: Path) -> None:
    """A server that is killed while it speaks is one typed error, and from then on it can't be reached."""
    with llama_server(tmp_path) as (url, process):
        extra = {"grammar": "root ::= [a-z]+", "ignore_eos": True}
        model = OpenAiModel(base_url=url, model="tiny", max_tokens=7000, extra_body=extra)
        async with aclosing(model.reply(CONTEXT, HELLO, ())) as reply:
            await anext(reply)
            process.kill()
            with pytest.raises(EngineError, match="broke the connection"):
                async for _ in reply:
                    pass
        with pytest.raises(EngineError, match="can't be reached"):
            await collect(model)
        await model.close()


async def test_llama_errors(llama_url: str) -> None:
    """A wrong path and an impossible request come back as the server's own words."""
    elsewhere = OpenAiModel(base_url=llama_url + "/nowhere", model="tiny")
    with pytest.raises(EngineError, match="404: File Not Found"):
        await collect(elsewhere)
    too_long = OpenAiModel(base_url=llama_url, model="tiny")
    with pytest.raises(EngineError, match=r"answered 400: .*context"):
        await collect(too_long, [SYSTEM, Message("user", "x" * 20_000)])
    await elsewhere.close()
    await too_long.close()


async def test_keeps_the_laws(check_llm: Callable[..., Awaitable[None]], base_url: str, double: LlmDouble) -> None:
    """The laws of every driver."""

    async def make() -> OpenAiModel:
        return OpenAiModel(base_url=base_url, model="m", first_token=1.0, next_token=0.5)

    async def refuse(engine: OpenAiModel) -> None:
        double.replies.append(Reply(status=500, error={"error": {"message": "out of memory"}}))

    async def break_off(engine: OpenAiModel) -> None:
        double.replies.append(Reply(break_after=1))

    async def fall_silent(engine: OpenAiModel) -> None:
        double.replies.append(Reply(stall_after=1))

    asks = [[SYSTEM, Message("user", text)] for text in ("Wednesday evening", "Perhaps another month")]
    await check_llm(make, asks=asks, breaks=[refuse, break_off, fall_silent])


async def test_llama_keeps_the_laws(check_llm: Callable[..., Awaitable[None]], llama_url: str) -> None:
    """The same laws with a real server."""

    async def make() -> OpenAiModel:
        extra = {"grammar": "root ::= [a-z]+", "ignore_eos": True}
        return OpenAiModel(base_url=llama_url, model="tiny", temperature=0.0, max_tokens=30, extra_body=extra)

    asks = [[SYSTEM, Message("user", text)] for text in ("Wednesday evening", "Perhaps another month")]
    await check_llm(make, asks=asks, breaks=[])
