"""The language model's driver against a real vLLM, started with the command that `models serve gemma` prints.

Opt-in, because vLLM takes gigabytes and minutes: `make vllm`, or VLLM_COMMAND=…/bin/vllm with one of your own.
"""

import asyncio
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from client_caller.conversation.history import Message
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import CallContext, EngineError, Token
from client_caller.models.gpus import GPUS
from client_caller.models.plan import make_plan
from client_caller.models.profiles import GEMMA_4_26B, STTS
from client_caller.models.vllm import CONTEXT, QUIET, Serving

VLLM = os.environ.get("VLLM_COMMAND", "")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not VLLM, reason="opt-in: make vllm")]

START = 600.0
"""Seconds that vLLM may take to start on a busy machine."""
CALL = CallContext("call")
SYSTEM = Message("system", "You answer a telephone. " * 40)
HELLO = [SYSTEM, Message("user", "hello")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """vLLM with a tiny Gemma 3, by the plan's own command; only memory and precision are a CPU's."""
    folder = tmp_path_factory.mktemp("vllm")
    python = Path(VLLM).with_name("python")
    subprocess.run([python, Path(__file__).with_name("tiny_gemma.py"), folder / "tiny"], check=True)
    plan = replace(make_plan(GPUS["a100-80"], GEMMA_4_26B, STTS["small.en"]), kv=0.5, slots=4)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    on_a_cpu = ["--dtype", "bfloat16", "--enforce-eager"]
    serving = Serving(plan, model=str(folder / "tiny"), port=port, vllm=VLLM, extra=on_a_cpu)
    cpu = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "HF_HUB_OFFLINE": "1"}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(serving.command(), stdout=log, stderr=log, env={**os.environ, **QUIET, **cpu}) as process,
    ):
        try:
            asyncio.run(_healthy(f"http://127.0.0.1:{port}/health", process))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def _healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(START), httpx.AsyncClient() as client:
        while True:
            assert process.poll() is None, "vLLM ended: see its log"
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(1.0)


@pytest.fixture
async def model(server: str) -> AsyncIterator[OpenAiModel]:
    """It never stops by itself. A token is a byte here, so the context is told three times too small."""
    made = OpenAiModel(
        base_url=f"{server}/v1",
        model="gemma",
        temperature=1.0,
        max_tokens=60,
        context_tokens=CONTEXT // 3,
        extra_body={"ignore_eos": True},
        first_token=60.0,
        next_token=60.0,
    )
    yield made
    await made.close()


async def metric(server: str, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{server}/metrics")).text
    return sum(float(value) for value in re.findall(rf"^vllm:{name}\{{.*\}} (\S+)$", text, re.MULTILINE))


async def test_all_that_the_flags_are_for(model: OpenAiModel) -> None:
    """Tools, JSON schema, prefill and priority: this command line gives all four."""
    assert {one.name: one.works for one in await model.capabilities()} == {
        "tools": True,
        "JSON schema": True,
        "prefill": True,
        "priority": True,
    }


async def test_a_reply_streams_from_a_warm_prefix(server: str, model: OpenAiModel) -> None:
    """Once warmed, the instructions come from the prefix cache, and the reply comes in pieces."""
    await model.warm(CALL, [SYSTEM], ())
    before = await metric(server, "prefix_cache_hits_total")
    pieces = [piece async for piece in model.reply(CALL, HELLO, ())]
    assert len(pieces) > 1
    assert all(isinstance(piece, Token) for piece in pieces)
    assert await metric(server, "prefix_cache_hits_total") - before > len(SYSTEM.content) * 0.8


async def test_closing_a_reply_frees_its_place(server: str) -> None:
    """vLLM stops to generate for a reply that is given up in the middle."""
    endless = OpenAiModel(
        base_url=f"{server}/v1", model="gemma", max_tokens=6000, extra_body={"ignore_eos": True}, first_token=60.0
    )
    async with aclosing(endless.reply(CALL, HELLO, ())) as reply:
        await anext(reply)
        assert await metric(server, "num_requests_running") == 1
    async with asyncio.timeout(30):
        while await metric(server, "num_requests_running"):
            pass
    assert await metric(server, "generation_tokens_total") < 6000
    await endless.close()


async def test_a_long_call_fits_and_an_impossible_turn_is_told(server: str, model: OpenAiModel) -> None:
    """Three hundred turns are cut to what the context takes; one turn that is too long comes back with its size."""
    chat = [SYSTEM] + [Message("assistant" if n % 2 else "user", f"turn {n} " * 20) for n in range(301)]
    assert [piece async for piece in model.reply(CALL, chat, ())]
    with pytest.raises(EngineError, match=rf"answered 400: .*maximum context length is {CONTEXT} tokens"):
        [piece async for piece in model.reply(CALL, [SYSTEM, Message("user", "x" * CONTEXT)], ())]


async def test_replies_at_a_time_are_batched(server: str, model: OpenAiModel) -> None:
    """Four calls' replies run side by side, and each is whole."""
    replies = [model.reply(CALL, [SYSTEM, Message("user", f"call {n}")], ()) for n in range(4)]

    async def collected(reply: AsyncIterator[object]) -> int:
        return len([piece async for piece in reply])

    assert all(await asyncio.gather(*map(collected, replies)))
