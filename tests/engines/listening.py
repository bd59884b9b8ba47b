"""What tests of speech to text say, and how they listen."""

import asyncio

from client_caller.audio.g711 import SAMPLE_RATE, SILENCE
from client_caller.engines.protocols import Final, SttResult
from client_caller.engines.stt_socket import SttSocket
from client_caller.simulator import tones


def utterance(*words: str, silence: float = 0.0) -> bytes:
    """Words of a quarter second each, and silence behind them."""
    return b"".join(tones.spell(word, SAMPLE_RATE // 4) for word in words) + SILENCE * round(silence * SAMPLE_RATE)


async def until(stream: SttSocket, last: SttResult) -> list[SttResult]:
    """All results up to this one."""
    results: list[SttResult] = []
    async with asyncio.timeout(5):
        async for result in stream:
            results.append(result)
            if result == last:
                return results
    raise AssertionError(f"the stream ended with {results}")


def finals(results: list[SttResult]) -> list[str]:
    return [result.text for result in results if isinstance(result, Final)]
