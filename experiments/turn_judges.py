"""Where should turns be judged: in the event loop, a thread, a thread that yields, a process?

    python experiments/turn_judges.py
    taskset -c 0 python experiments/turn_judges.py  # everything on one core

50 calls on a heartbeat with the real voice activity detection, as a server has them, and a judgement every 100 ms (each
call pauses every 5 s). Ways take turns, round by round, because the machine is shared; each line is over all rounds.
Late: by how much the heartbeat woke too late. Answer: from the question to it.

On a virtual machine of two EPYC cores, shared with other work (load 2 to 4), Python 3.11, onnxruntime 1.31:

    two cores         late P50   P99 P99.9   max   answer P50   P95 ms
    none                   0.0   4.0  13.2  18.0
    event loop            47.0  1019  1087  1132           82   154
    thread                 1.0  19.0  27.0  35.0          102   195
    thread, nice           1.0  14.0  24.7  34.0          127   211
    process, nice          0.0  13.7  20.3  33.0          120   164

    one core
    none                   0.0   5.0  13.4  34.0
    event loop            18.0   402   534   541           55    83
    thread                 0.0   9.0  16.3  22.0           67   101
    thread, nice           0.0   7.0  11.0  14.0           62    88
    process, nice          1.0  13.0  17.0  27.0           67    91

A nice thread costs the heartbeat no more than a process does, so the model releases the interpreter, and there is
nothing to start, feed and watch. In the loop it is out of the question.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import uvloop

from client_caller.audio import g711
from client_caller.audio.turn_model import SAMPLES, TurnModel
from client_caller.audio.voices import Voice, VoiceBatch
from client_caller.models.cache import find
from client_caller.runtime.heartbeat import Heartbeat

CALLS = 50
ROUNDS = 4
SECONDS = 6
EVERY = 0.1

AUDIO = bytes(range(256)) * (SAMPLES // 256)

Judge = Callable[[bytes], float]
_judge: Judge


class OneCall:
    """A call whose line brings a frame with each beat."""

    voice_of_it: Voice

    def beat(self) -> None:
        self.voice_of_it.feed(AUDIO[: g711.FRAME])

    def voice(self, samples_through: int, probability: float, level: float) -> None:
        pass


def load() -> None:
    """In a process of its own."""
    global _judge
    os.nice(5)
    _judge = TurnModel(find("smart-turn")).judge


def judge_there(mulaw: bytes) -> float:
    return _judge(mulaw)


def yielding() -> None:
    """On Linux each thread has a niceness of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


async def measure(executor: Executor | None, judge: Judge | None) -> tuple[list[float], list[float]]:
    """Milliseconds by which beats were late, and from asking to the answer."""
    loop = asyncio.get_running_loop()
    late: list[float] = []
    answers: list[float] = []
    heartbeat = Heartbeat(VoiceBatch(find("silero-vad")), late.append)
    for _ in range(CALLS):
        call = OneCall()
        call.voice_of_it = heartbeat.join(call)
    beating = loop.create_task(heartbeat.run())

    async def ask(judge: Judge) -> None:
        asked = loop.time()
        if executor is None:
            judge(AUDIO)
        else:
            await loop.run_in_executor(executor, judge, AUDIO)
        answers.append(loop.time() - asked)

    if judge is None:
        await asyncio.sleep(SECONDS)
    else:
        start = loop.time()
        for number in range(int(SECONDS / EVERY)):
            await asyncio.sleep(start + number * EVERY - loop.time())
            await ask(judge)
    beating.cancel()
    return [value * 1000 for value in late], [value * 1000 for value in answers]


def main() -> None:
    model = TurnModel(find("smart-turn"))
    process = ProcessPoolExecutor(1, get_context("spawn"), load)
    process.submit(judge_there, AUDIO).result()
    ways: dict[str, tuple[Executor | None, Judge | None]] = {
        "none": (None, None),
        "event loop": (None, model.judge),
        "thread": (ThreadPoolExecutor(1), model.judge),
        "thread, nice": (ThreadPoolExecutor(1, initializer=yielding), model.judge),
        "process, nice": (process, judge_there),
    }
    late: dict[str, list[float]] = {way: [] for way in ways}
    answers: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, (executor, judge) in ways.items():
            more_late, more_answers = uvloop.run(measure(executor, judge))
            late[way] += more_late
            answers[way] += more_answers
    print(f"{'late, ms':14s}   P50   P99 P99.9   max   answer P50   P95 ms")
    for way in ways:
        p50, p99, p999 = np.percentile(late[way], [50, 99, 99.9])
        asked = np.percentile(answers[way], [50, 95]) if answers[way] else (0, 0)
        print(f"{way:14s} {p50:5.1f} {p99:5.1f} {p999:5.1f} {max(late[way]):5.1f}   {asked[0]:10.0f} {asked[1]:5.0f}")
    process.shutdown()


if __name__ == "__main__":
    main()
