"""The law of how the HTTP doubles are served: what a client does to one request harms no other."""

import asyncio
import logging

import httpx
import pytest

from client_caller.simulator.doubles.openai_llm import LlmDouble


async def test_a_request_given_up_halfway_is_nobodys_error(caplog: pytest.LogCaptureFixture) -> None:
    """A reply may be withdrawn before its request has arrived whole: nothing is logged, and the next is served."""
    double = LlmDouble(first_token=0)
    async with double.serving() as url, httpx.AsyncClient() as client:
        address = httpx.URL(url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + b"{")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        whole = await client.post(f"{url}/chat/completions", json={"messages": [{"role": "user", "content": "x"}]})
    assert whole.status_code == 200
    assert len(double.requests) == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
