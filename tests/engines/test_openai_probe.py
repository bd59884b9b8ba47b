"""What a server can do, found out before the first call."""

from collections.abc import AsyncIterator

import pytest

from client_caller.engines.openai_probe import Capability, probe
from client_caller.engines.openai_server import OpenAiServer
from client_caller.engines.protocols import EngineError
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply

HELLO = " ```j"  # how llama.cpp's grammar may begin an object


@pytest.fixture
async def double() -> LlmDouble:
    return LlmDouble(first_token=0.0)


@pytest.fixture
async def server(double: LlmDouble) -> AsyncIterator[OpenAiServer]:
    async with double.serving() as url:
        made = OpenAiServer("llm", url, None)
        yield made
        await made.close()


async def test_a_server_that_can_do_everything(server: OpenAiServer, double: LlmDouble) -> None:
    """Each is asked for in the server's own terms, with what all requests have, for a few tokens."""
    double.replies.extend([Reply("Hello"), Reply(HELLO), Reply(" there"), Reply("Hello")])
    found = await probe(server, {"model": "m", "max_tokens": 300})
    assert found == [Capability(name, True) for name in ("tools", "JSON schema", "prefill", "priority")]
    tools, schema, prefill, priority = (request.body for request in double.requests)
    assert tools["tools"][0]["type"] == "function"
    assert schema["response_format"]["type"] == "json_schema"
    assert (prefill["continue_final_message"], prefill["messages"][-1]["role"]) == (True, "assistant")
    assert priority["priority"] == 1
    assert all(body["model"] == "m" and body["max_tokens"] <= 4 for body in (tools, schema, prefill, priority))


async def test_what_it_can_not_do_is_told_in_its_own_words(server: OpenAiServer, double: LlmDouble) -> None:
    """A refusal is a capability that is not there; free text in place of JSON is one too."""
    refusal = Reply(status=400, error={"error": {"message": "tools need --enable-auto-tool-choice"}})
    double.replies.extend([refusal, Reply("Hello, how are you?"), Reply(status=422, error={"detail": "extra field"})])
    tools, schema, prefill, priority = await probe(server, {"model": "m"})
    assert not tools.works
    assert "--enable-auto-tool-choice" in tools.reason
    assert schema == Capability("JSON schema", False, "It takes a JSON schema and answers in free text.")
    assert "extra field" in prefill.reason
    assert priority.works


async def test_no_server_is_an_error() -> None:
    """Nobody there is not a server that can do nothing."""
    nobody = OpenAiServer("llm", "http://127.0.0.1:9/v1", None)
    with pytest.raises(EngineError, match="can't be reached"):
        await probe(nobody, {"model": "m"})
    await nobody.close()
