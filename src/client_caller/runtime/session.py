"""The shell around one call's conversation.

It turns what happens on the line and in the engines into events, and the conversation's commands into deeds. It knows
the time; it decides nothing. Everything runs in the event loop, one event at a time: an event that arises while another
is being dealt with waits until that one's commands are carried out.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, Protocol, cast

from client_caller.agents.agent import Agent
from client_caller.agents.tool import ToolFailed
from client_caller.audio.turn_model import SAMPLES as JUDGED
from client_caller.calls.call import Call
from client_caller.conversation import commands, events
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.history import Entry, Message
from client_caller.conversation.policy import Policy
from client_caller.engines.protocols import (
    Attentive,
    CallContext,
    EngineError,
    Engines,
    Final,
    Finished,
    LlmResult,
    Partial,
    SttResult,
    Token,
)
from client_caller.runtime import mouth
from client_caller.runtime.ear import Ear
from client_caller.runtime.hearing import Hearing
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.player import SAMPLES_A_MS, Player
from client_caller.runtime.turn_judges import TurnJudges
from client_caller.telephony.leg import Leg

log = logging.getLogger(__name__)

UNNOTICED = 350
"""Milliseconds of speech before it is noticed, at worst (docs/benchmarks.md, who speaks)."""
NEAR = 60
"""Milliseconds: longer than it takes until the next event of a live line, one window and one beat."""

Watch = Callable[[events.Event, Sequence[commands.Command]], None]


class Keeper(Protocol):
    """What remembers the call: `calls.keeper.CallKeeper`. Positions are samples at 8 kHz on the call's clock."""

    def note(self, event: events.Event, commands: Sequence[commands.Command]) -> None: ...
    def hear(self, mulaw: bytes, at_sample: int) -> None: ...
    def play(self, mulaw: bytes, at_sample: int) -> None: ...
    def start_recording(self, at: int) -> None: ...
    def close(self, reason: str, history: tuple[Entry, ...]) -> Future[None]: ...


class CallSession:
    """One call, from the moment when the line is connected until everything of it is freed."""

    def __init__(
        self,
        *,
        call: Call,
        agent: Agent,
        engines: Engines,
        leg: Leg,
        keeper: Keeper,
        heartbeat: Heartbeat,
        judges: TurnJudges | None = None,
        spare: mouth.Spare | None = None,
        policy: Policy | None = None,
        earlier: tuple[Entry, ...] = (),
        watch: Watch | None = None,
    ) -> None:
        """
        Args:
            judges: The turn model of the process. Without one, turns end by their words and by silence.
            spare: What can be said without a voice (`readiness.get_ready`).
            policy: Instead of the agent's own.
            earlier: What was said before, when a call is resumed after a lost connection.
            watch: Told of each event and its commands, after they were carried out: for a live view.
        """
        self.call = call
        self.conversation = Conversation(policy or agent.policy, agent.phrases)
        self._agent = agent
        self._engines = engines
        self._leg = leg
        self._keeper = keeper
        self._heartbeat = heartbeat
        self._judges = judges
        self._spare = spare or {}
        self._judging: asyncio.Task[None] | None = None
        self._past = bytearray()
        """The caller's last seconds, for the turn model."""
        self._earlier = earlier
        self._watch = watch
        self._context = CallContext(call.id, agent.language, agent.hints)
        self._attentive = engines.tts if isinstance(engines.tts, Attentive) else None
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._over: asyncio.Future[str] = self._loop.create_future()
        self._hearing = Hearing(self.conversation.policy)
        self._player = Player(leg, self._tell, self._played)
        self._ear = Ear(engines.stt, self._context, self._heard, self._ear_failed)
        self._facts: deque[events.Event] = deque()
        self._telling = False
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tools: set[asyncio.Task[None]] = set()
        self._work: dict[int, list[asyncio.Task[None]]] = {}
        """For each reply, the tasks that think and speak for it."""
        self._speaking: asyncio.Task[None] | None = None
        """The clause that was asked for last: clauses are synthesised one after the other."""

    @property
    def now(self) -> int:
        """Whole milliseconds since the call began."""
        return int(self._exactly_now)

    @property
    def _exactly_now(self) -> float:
        """The same with its fractions: the player counts samples."""
        return (self._loop.time() - self._started) * 1000

    # ---------------------------------------------------------------- the line

    def begin(self) -> None:
        """The line is connected: listen, prepare, and greet."""
        self._started = self._loop.time()
        self._voice = self._heartbeat.join(self)
        self._start(self._ear.run())
        self._start(self._warm())
        self._attend(self._earlier)
        self._tell(events.CallStarted(0, self._earlier))

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        """The caller's audio; `timestamp`: of its first sample, in milliseconds on the line's own clock."""
        if self._over.done():
            return
        at = self._hearing.hear(mulaw, timestamp, self.now)
        self._keeper.hear(mulaw, at * SAMPLES_A_MS)
        self._voice.feed(mulaw)
        self._ear.feed(mulaw)
        if self._judges is not None:
            self._past += mulaw
            del self._past[:-JUDGED]

    def _played(self, mulaw: bytes, at_sample: int) -> None:
        """The far end has played something of the agent's."""
        self._keeper.play(mulaw, at_sample)
        self._hearing.play(mulaw, at_sample)

    def acknowledge(self, mark: str) -> None:
        """The far end returned a mark."""
        fact = self._player.acknowledge(mark, self._exactly_now, self._hearing.through)
        if fact is not None:
            self._tell(fact)

    def press(self, digit: str) -> None:
        """The caller pressed a key."""
        self._tell(events.DigitPressed(self.now, digit))

    def lose(self, reason: str) -> None:
        """The line is gone."""
        self._tell(events.CallEnded(self.now, reason))
        self._finish(reason)

    async def ended(self) -> str:
        """Wait until the call is over and everything of it is freed; returns the reason.

        Tools that are still running are waited for: what they do is not undone by hanging up.
        """
        try:
            return await asyncio.shield(self._over)
        finally:
            await self._free()

    # ---------------------------------------------------------------- the heartbeat

    def beat(self) -> None:
        """20 ms have passed."""
        now = self._exactly_now
        self._player.beat(now)
        deadline = self.conversation.deadline
        if deadline is not None and deadline <= now:
            self._tell(events.TimePassed(int(now)))

    def voice(self, samples_through: int, probability: float, level: float) -> None:
        """One window of the caller's audio has been heard; `level` in dBFS."""
        if probability >= self.conversation.policy.silence_threshold:
            self._player.run_down(self._exactly_now)  # it may be an echo of what was played by now
        window, line = self._hearing.window(samples_through, probability, level, self.now)
        self._tell(window)
        if line is not None:
            self._tell(line)

    # ---------------------------------------------------------------- events in, commands out

    def _tell(self, event: events.Event) -> None:
        self._facts.append(event)
        if self._telling:
            return
        self._telling = True
        try:
            while self._facts:
                self._deal_with(self._facts.popleft())
        except Exception:
            # Not even a mistake of ours may take other calls down, or leave this one on the line for ever.
            log.exception("call %s: the conversation broke", self.call.id)
            self._finish("server_error")
        finally:
            self._telling = False
        self._set_alarm()

    def _deal_with(self, event: events.Event) -> None:
        asked = self.conversation.receive(event)
        self._keeper.note(event, asked)
        for command in asked:
            self._carry_out(command)
        if self._watch is not None:
            self._watch(event, asked)

    def _set_alarm(self) -> None:
        """Deadlines are met to the millisecond: one that is near gets a timer of its own."""
        deadline = self.conversation.deadline
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if deadline is not None and not self._over.done() and deadline <= self.now + NEAR:
            # Half a millisecond late, so that the clock has certainly reached it.
            self._alarm = self._loop.call_at(self._started + (deadline + 0.5) / 1000, self.beat)

    def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.StartReply(reply):
                system = Message("system", self._agent.instructions)
                self._work_on(reply, self._think(reply, (system, *self.conversation.messages(reply))))
            case commands.Speak(reply, clause, text):
                self._player.expect(reply, clause, text)
                before = self._speaking
                self._speaking = self._work_on(reply, self._speak(reply, clause, text, before))
            case commands.Release(reply):
                self._player.release(reply, self._exactly_now)
            case commands.Hold(reply):
                self._player.hold(reply)
            case commands.Duck(reply):
                self._player.duck(reply, self._exactly_now)
            case commands.Pause(reply):
                self._player.pause(reply, self._exactly_now)
            case commands.Resume(reply):
                self._player.resume(reply, self._exactly_now)
            case commands.CancelReply(reply):
                self._player.cancel(reply, self._exactly_now)
                for task in self._work.pop(reply, ()):
                    task.cancel()
            case commands.FinishTranscript(request):
                self._ear.finish(request)
            case commands.JudgeTurn(request, since):
                if self._judging is not None:
                    self._judging.cancel()
                if self._judges is not None:
                    self._judging = self._start(self._judge(self._judges, request, since))
            case commands.RunTool(tool_call, name, arguments):
                self._start(self._use(tool_call, name, arguments), self._tools)
            case commands.StartRecording():
                self._keeper.start_recording(self.now)
            case commands.EndCall(reason):
                self._finish(reason)

    # ---------------------------------------------------------------- engines

    async def _warm(self) -> None:
        system = Message("system", self._agent.instructions)
        try:
            await self._engines.llm.warm(self._context, (system,), self._agent.tools())
        except EngineError as error:
            log.warning("call %s: the language model was not warmed up: %s", self.call.id, error)

    async def _think(self, reply: int, messages: Sequence[Message]) -> None:
        tools = self._agent.tools()
        try:
            results = self._engines.llm.reply(self._context, messages, tools)
            async with aclosing(cast("AsyncGenerator[LlmResult]", results)) as stream:
                async for result in stream:
                    if isinstance(result, Token):
                        self._tell(events.ReplyText(self.now, reply, result.text))
                    else:
                        filler = self._agent.filler(result.name)
                        self._tell(
                            events.ToolRequested(self.now, reply, result.id, result.name, result.arguments, filler)
                        )
            self._tell(events.ReplyFinished(self.now, reply))
        except Exception as error:
            self._engine_failed("llm", error, reply)

    async def _speak(self, reply: int, clause: int, text: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        started = False
        try:
            async with aclosing(mouth.speak(self._engines.tts, self._context, text, self._spare)) as stream:
                async for speech in stream:
                    if speech.mulaw and not started:
                        started = True
                        self._tell(events.ClauseAudioStarted(self.now, reply, clause))
                    self._player.add(reply, clause, speech.mulaw, speech.words, self._exactly_now)
            if not started:
                raise EngineError("tts", "text to speech gave no audio for a clause")
            samples = self._player.finish(reply, clause, self._exactly_now)
            self._tell(events.ClauseAudioFinished(self.now, reply, clause, samples))
        except Exception as error:
            self._engine_failed("tts", error, reply)

    async def _use(self, tool_call: str, name: str, arguments: str) -> None:
        try:
            result, failed = await self._agent.run_tool(name, arguments, self._context), False
        except ToolFailed as error:
            result, failed = str(error), True
        self._tell(events.ToolFinished(self.now, tool_call, result, failed))

    async def _judge(self, judges: TurnJudges, request: int, since: int) -> None:
        spoken = (max(self._hearing.through - since, 0) + UNNOTICED) * SAMPLES_A_MS
        try:
            completion = await judges.ask(bytes(self._past[-spoken:]))
        except Exception:
            # Nothing waits for a judgement: a turn whose sound can't be judged ends by its words.
            log.exception("call %s: the turn model broke", self.call.id)
            return
        if completion is not None:
            self._tell(events.TurnJudged(self.now, request, round(completion, 3)))

    def _heard(self, result: SttResult) -> None:
        match result:
            case Partial(text):
                self._tell(events.PartialTranscript(self.now, text))
            case Final(text, confidence):
                self._tell(events.FinalTranscript(self.now, text, confidence))
            case Finished(request):
                self._tell(events.TranscriptFinished(self.now, request))

    def _ear_failed(self, error: EngineError) -> None:
        self._engine_failed("stt", error, None)

    def _engine_failed(self, stage: str, error: Exception, reply: int | None) -> None:
        if isinstance(error, EngineError):
            log.warning("call %s: %s failed: %s", self.call.id, stage, error)
        else:
            log.error("call %s: %s broke", self.call.id, stage, exc_info=error)
        reason = str(error) if isinstance(error, EngineError) else f"unexpected {type(error).__name__}"
        self._tell(events.EngineFailed(self.now, stage, reason, reply))

    def _attend(self, history: Sequence[Entry]) -> None:
        if self._attentive is not None:
            self._attentive.attend(self._context, history)

    # ---------------------------------------------------------------- tasks, and the end

    def _start(
        self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]] | None = None
    ) -> asyncio.Task[None]:
        tasks = self._tasks if among is None else among
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    def _work_on(self, reply: int, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if reply not in self._work:
            self._attend(self.conversation.said_before(reply))
            self._work = {reply: []}  # there is one reply at a time: the work for those before is done or cancelled
        task = self._start(work)
        self._work[reply].append(task)
        return task

    def _finish(self, reason: str) -> None:
        if self._over.done():
            return
        self._over.set_result(reason)
        self._leg.hang_up(reason)

    async def _free(self) -> None:
        self._heartbeat.leave(self._voice)
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._tools, return_exceptions=True)
        if self._attentive is not None:
            await self._attentive.leave(self._context)
        reason = self._over.result() if self._over.done() else "cancelled"
        await asyncio.wrap_future(self._keeper.close(reason, self.conversation.history))
