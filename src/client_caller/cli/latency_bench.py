"""Calls at the wire: how soon the agent answers, how soon it yields, and whether it yields when it should not."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random

import httpx

from client_caller.calls.journal import JournalError
from client_caller.calls.store import JOURNAL
from client_caller.cli.latency_figures import Answer, Disturbance, answers, disturbances
from client_caller.cli.latency_ledger import LedgerView
from client_caller.cli.latency_target import Delays, NotMeasured, Target, target
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.examiner import Examiner, Said
from client_caller.simulator.network import FarEnd, Refused
from client_caller.simulator.provider import Provider
from client_caller.simulator.utterances import Repertoire, Utterance
from client_caller.simulator.wire import first_sound

SHORT_REPLY = "Yes of course, that is fine. What else can I do?"
LONG_REPLY = (
    "Yes of course, that is fine. We are open from nine to five on every single day. "
    "If you come by car, you can park right behind the house at no cost."
)
"""32 words. Of both replies the first clause has three words and the first sentence six, as when other frameworks were
measured."""
LONG_ENOUGH = 800 * 8
"""Samples of speech that are an interruption whatever they say."""
PATIENCE = 25.0
"""Seconds in a call for each thing that its caller is to say, before the call counts as stuck."""


@dataclass(frozen=True, slots=True)
class Figures:
    answers: tuple[Answer, ...]
    interruptions: tuple[Disturbance, ...]
    backchannels: tuple[Disturbance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyBench:
    """So many calls, one after the other, to one server."""

    repertoire: Repertoire
    calls: int
    turns: int
    """Questions in each call."""
    interruptions: int
    """In one more call, together with every backchannel once; 0 for no such call."""
    seed: int
    delays: Delays
    agent: str
    """Which of `bench_agent` is called."""
    tell: Callable[[Said], None]
    """Told of everything that the caller has said, when it is over."""

    async def run(self) -> Figures:
        """Raises `NotMeasured`."""
        with tempfile.TemporaryDirectory() as folder:
            async with target(Path(folder), self.delays, self.agent) as server:
                return await self._measure(server, Random(self.seed))

    async def _measure(self, server: Target, random: Random) -> Figures:
        given: list[Answer] = []
        for _ in range(self.calls):
            asked = partial(Examiner.ask, questions=_some(self.repertoire.sentences, self.turns, random))
            said, far_end = await self._call(server, SHORT_REPLY, random, asked, self.turns)
            given += answers(said, far_end, _view(server, far_end))
        if not self.interruptions:
            return Figures(tuple(given), (), ())
        long = [one for one in self.repertoire.sentences if one.ends - one.begins >= LONG_ENOUGH]
        question, *cuts = _some(long, 1 + self.interruptions, random)
        hums = self.repertoire.backchannels
        disturbed = partial(Examiner.disturb, question=question, interruptions=cuts, backchannels=hums)
        things = len(cuts) + 2 * len(hums) + 1
        said, far_end = await self._call(server, LONG_REPLY, random, disturbed, things)
        view = _view(server, far_end)
        return Figures(
            tuple(given),
            tuple(disturbances(said, far_end, view, "interruption")),
            tuple(disturbances(said, far_end, view, "backchannel")),
        )

    async def _call(
        self, server: Target, reply: str, random: Random, instruct: Callable[[Examiner], Examiner], things: int
    ) -> tuple[Sequence[Said], FarEnd]:
        words = KnownWords()
        server.prepare(words, reply)
        caller = instruct(Examiner(words, self.tell, random))
        try:
            async with asyncio.timeout(PATIENCE * (things + 1)):
                record = await Provider(server.voice_url).call(caller)
        except TimeoutError:
            raise NotMeasured(f"After {len(caller.said)} of {things} things to say a call was stuck.") from None
        except (httpx.HTTPError, Refused) as error:
            raise NotMeasured(f"A call failed: {error}") from error
        if record.how != "hung_up" or len(record.streams) != 1:
            raise NotMeasured(f"A call ended too early: {record.how}, {record.verbs}, {record.refusals}")
        return caller.said, record.streams[0]


def _some(utterances: Sequence[Utterance], number: int, random: Random) -> list[Utterance]:
    """In random order, all of them before any comes again."""
    return list(islice(cycle(random.sample(utterances, len(utterances))), number))


def _view(server: Target, far_end: FarEnd) -> LedgerView:
    """The ledger of the call that was made last."""
    greeting = first_sound(bytes(far_end.played), 0, len(far_end.played))
    if greeting is None:
        raise NotMeasured("The agent was never heard.")
    newest = max(server.calls.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    try:
        return LedgerView(newest / JOURNAL, greeting // 8)
    except (JournalError, OSError) as error:
        raise NotMeasured(f"The server's journal can't be read: {error}") from error
