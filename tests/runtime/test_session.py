"""The laws of a call's shell, on whole calls in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from client_caller.agents.agent import Agent
from client_caller.conversation import commands, events
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, Message, ToolCall, ToolUsed
from client_caller.conversation.policy import Phrases, Policy
from client_caller.engines.protocols import CallContext, EngineError, LlmResult, Speech, SttStream, Token, Tool
from client_caller.runtime.readiness import get_ready
from client_caller.runtime.turn_judges import TurnJudges
from client_caller.simulator import tones
from client_caller.simulator.caller import Caller, Part
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.impairments import Impairments
from client_caller.simulator.virtual_time import run_virtual

if TYPE_CHECKING:
    from .conftest import Scene, Stage


HISS = bytes(random.Random(1).choices(b"\xa8\x28", k=4800))
"""600 ms as loud as a word in tones, and as unlike them as possible: a steady tone could be the agent's own."""


def words(text: str) -> bytes:
    """A caller's words as tones of 300 ms each."""
    return b"".join(tones.spell(word, 2400) + b"\xff" * 320 for word in text.split())


def polite(caller: Caller) -> Part:
    """Hears the greeting out, asks once, hears the answer out and hangs up."""
    yield from caller.until_agent_finished(700)
    yield from caller.say(words("may I come"))
    yield from caller.until_agent_finished(700)


def impatient(caller: Caller) -> Part:
    """Hears the greeting out, asks, and cuts the answer off after a second."""
    yield from caller.until_agent_finished(700)
    yield from caller.say(words("tell me everything"))
    yield from caller.until_agent_talks(1000)
    yield from caller.say(words("stop that please"))
    caller.ear.listen_anew()
    yield from caller.until_agent_finished(700)


def test_a_call_from_greeting_to_hang_up(stage: "Stage") -> None:
    """The agent greets, answers what was asked, and everything it said was heard; nothing is left when it is over."""
    scene = run_virtual(stage.play(polite))
    assert scene.reason == "caller_hung_up"
    assert scene.heard_words == ["Good", "morning,", "who", "is", "there?", "All", "right", "then."]
    assert scene.played_words == scene.heard_words
    assert [e.text for e in scene.session.conversation.history if isinstance(e, CallerSaid)] == ["may I come"]
    assert scene.notes.closed == ("caller_hung_up", scene.session.conversation.history)
    assert scene.tasks_left == 0


@pytest.mark.parametrize("delay", [0.0, 0.08])
def test_an_interrupted_reply_is_remembered_as_far_as_it_was_heard(stage: "Stage", delay: float) -> None:
    """After a barge-in the history holds words that were really played, and misses at most those on their way back."""
    answer = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    stage.model(lambda messages: answer if messages[-1].content.startswith("tell") else "Sorry.")
    scene = run_virtual(stage.play(impatient, impairments=Impairments(delay=delay)))
    cut = [e for e in scene.session.conversation.history if isinstance(e, AgentSaid) and e.cut]
    assert len(cut) == 1
    assert (cut[0].heard + " " + cut[0].unheard).split() == answer.split()
    played = scene.played_words
    begin = played.index("One")
    really = played[begin : played.index("Sorry.")]
    heard = cut[0].heard.split()
    assert heard == really[: len(heard)]
    assert len(really) - len(heard) <= 1


class AttentiveSpeech:
    """A voice with a memory (`engines.protocols.Attentive`), and what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[Entry, ...] | str] = []
        self._voice = ToneSpeech()

    def attend(self, context: CallContext, history: Sequence[Entry]) -> None:
        self.told.append(tuple(history))

    async def leave(self, context: CallContext) -> None:
        self.told.append("left")

    def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        self.told.append(text)
        return self._voice.speak(context, text)

    async def close(self) -> None:
        """Nothing is shared."""


TOLD = "caller: tell me everything"


def said_by(entry: Entry) -> str:
    """Who said what, as far as it was heard."""
    if isinstance(entry, AgentSaid):
        return f"agent: {entry.heard}"
    return f"caller: {entry.text}" if isinstance(entry, CallerSaid) else "a tool"


def test_an_attentive_voice_knows_what_was_heard(stage: "Stage") -> None:
    """It is told the history at the call's beginning and before each reply, with the words that the reply answers: of a
    reply that was cut off, what was heard; and that the call is over."""
    voice = AttentiveSpeech()
    stage.engines = replace(stage.engines, tts=voice)
    stage.model(
        lambda messages: "One two three four five six." if messages[-1].content.startswith("tell") else "Sorry."
    )
    scene = run_virtual(stage.play(impatient))
    history = scene.session.conversation.history
    assert voice.told[0] == ()
    assert [n for n, told in enumerate(voice.told) if told == "left"] == [len(voice.told) - 1]
    before = {text: told for told, text in pairwise(voice.told) if isinstance(told, tuple) and isinstance(text, str)}
    assert before.keys() == {"Good morning, who is there?", "One two three four five six.", "Sorry."}
    said = {text: [said_by(entry) for entry in told] for text, told in before.items()}
    whole = [said_by(entry) for entry in history]
    assert said["Good morning, who is there?"] == []
    assert said["One two three four five six."] == whole[:2] == ["agent: Good morning, who is there?", TOLD]
    assert said["Sorry."] == whole[:4]
    _, cut = [entry for entry in before["Sorry."] if isinstance(entry, AgentSaid)]
    assert cut.cut
    assert 0 < len(cut.heard.split()) < 6


def test_a_noise_pauses_the_reply_and_no_word_of_it_is_lost(stage: "Stage") -> None:
    """600 ms without a word in them: silence while nobody knows what it is, then on from the first unheard word."""
    answer = "One two three four five six seven eight nine ten."
    stage.model(lambda messages: answer)

    def noisy(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("tell me"))
        yield from caller.until_agent_talks(1000)
        yield from caller.say(HISS)
        yield from caller.until_agent_finished(2500)

    scene = run_virtual(stage.play(noisy))
    assert yielding(scene) == [commands.Duck, commands.Pause, commands.Resume]
    assert scene.played_words == scene.heard_words
    assert " ".join(scene.heard_words).endswith(answer)


def yielding(scene: "Scene") -> list[type[commands.Command]]:
    """What was asked for because the caller spoke over the agent."""
    kinds = commands.Duck | commands.Pause | commands.Resume
    return [type(command) for _, asked in scene.notes.events for command in asked if isinstance(command, kinds)]


def test_a_cough_does_not_silence_the_reply(stage: "Stage") -> None:
    """What is over before it could be an interruption makes the agent softer for as long, and takes no word from it."""
    stage.model(lambda messages: "One two three four five six seven eight nine ten.")

    def coughs(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("tell me"))
        yield from caller.until_agent_talks(1000)
        yield from caller.say(HISS[:1200])
        yield from caller.until_agent_finished(2500)

    scene = run_virtual(stage.play(coughs))
    assert yielding(scene) == [commands.Duck, commands.Resume]
    assert scene.played_words == scene.heard_words


def test_what_was_played_until_now_is_known_when_a_sound_is_judged(stage: "Stage") -> None:
    """A sound may be the agent's own, come back: whether it is can't be told from what was played a moment ago."""
    stage.model(lambda messages: "One two three four five six seven eight nine ten. " * 3)
    known: list[bool] = []

    def watch(event: events.Event, asked: Sequence[commands.Command]) -> None:
        reply = stage.sessions[-1].conversation.memory.reply
        begins = isinstance(event, events.SpeechProbability) and event.probability > 0.5 and not asked
        if begins and reply is not None and reply.begun:
            at, mulaw = stage.notes.played[-1]
            known.append(at + len(mulaw) >= event.at * 8)

    def coughs(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("tell me"))
        yield from caller.until_agent_talks(1000)
        for _ in range(4):
            yield from caller.say(HISS[:800])
            yield from caller.silence(730)
        yield from caller.until_agent_finished(2500)

    run_virtual(stage.play(coughs, watch=watch))
    assert len(known) >= 4
    assert all(known)


@pytest.mark.parametrize("delay", [0.0, 0.05])
def test_the_greeting_can_be_interrupted_from_its_first_word(stage: "Stage", delay: float) -> None:
    """The caller speaks into its first sound: the agent falls silent, and has understood everything."""
    stage.model(lambda messages: "Certainly.")

    def hasty(caller: Caller) -> Part:
        yield from caller.until_agent_talks(0)
        yield from caller.say(words("may I come today") + HISS[:1600])
        yield from caller.until_agent_finished(2000)

    scene = run_virtual(stage.play(hasty, impairments=Impairments(delay=delay)))
    greeting, said, answer = scene.session.conversation.history
    assert isinstance(greeting, AgentSaid)
    assert greeting.cut
    assert (greeting.heard + " " + greeting.unheard).split() == ["Good", "morning,", "who", "is", "there?"]
    assert isinstance(said, CallerSaid)
    assert said.text == "may I come today"
    assert isinstance(answer, AgentSaid)
    assert answer.heard == "Certainly."
    assert scene.played_words[: len(scene.heard_words) - 1] == greeting.heard.split()


def test_the_first_answer_comes_soon_after_the_caller_s_last_sound(stage: "Stage") -> None:
    """With models that answer at once, the reply is on the wire one endpoint's silence after the caller's last word.

    What still sounds like speech behind it is no part of it.
    """
    stage.model(lambda messages: "Yes.", first_token=0.0)
    stage.engines = replace(stage.engines, stt=EchoStt(0.0), tts=ToneSpeech(first_audio=0.0))
    scene = run_virtual(stage.play(polite))
    said = next(e for e in scene.session.conversation.history if isinstance(e, CallerSaid))
    answer = [e for e in scene.session.conversation.history if isinstance(e, AgentSaid)][-1]
    assert answer.started - scene.session.conversation.memory.turn.voice.ended == Policy().endpoint_sure
    assert said.ended - Policy().longest_breath <= scene.session.conversation.memory.turn.voice.ended <= said.ended


def test_the_recording_holds_both_sides_in_their_places(stage: "Stage") -> None:
    """The caller's channel is the caller's audio, sample for sample; the agent's is what the far end played."""
    scene = run_virtual(stage.play(impatient))
    heard = b"".join(mulaw for _, mulaw in scene.notes.heard)
    assert [spelled.word for spelled in tones.read(heard)] == ["tell", "me", "everything", "stop", "that", "please"]
    ends = [at + len(mulaw) for at, mulaw in scene.notes.heard]
    assert [at for at, _ in scene.notes.heard][1:] == ends[:-1]
    recorded = b"".join(mulaw for _, mulaw in scene.notes.played)
    assert [spelled.word for spelled in tones.read(recorded)] == scene.played_words


@pytest.mark.parametrize("frames", range(60, 66))
def test_the_recording_ends_with_the_call(stage: "Stage", frames: int) -> None:
    """Of an agent in the middle of a word it has all that the far end played until the caller hung up."""
    scene = run_virtual(stage.play(lambda caller: iter([b"\xff" * 160] * frames)))
    at, mulaw = scene.notes.played[-1]
    ended, _ = scene.notes.events[-1]
    assert isinstance(ended, events.CallEnded)
    assert ended.at <= (at + len(mulaw)) / 8 <= ended.at + 1


class Broken:
    """A language model that fails as often as told, then works."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left = failures
        self.error = error

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        yield Token("Better now.")

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        raise EngineError("llm", "no warm-up here")

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [EngineError("llm", "the server is gone"), ValueError("a mistake of the driver")])
def test_a_model_that_fails_is_apologised_for(stage: "Stage", error: Exception) -> None:
    """Whatever a driver throws becomes one typed event; the caller hears an apology, and the next turn is answered."""

    def again(caller: Caller) -> Part:
        yield from polite(caller)
        yield from caller.say(words("once more"))
        yield from caller.until_agent_finished(700)

    stage.engines = replace(stage.engines, llm=Broken(2, error))
    scene = run_virtual(stage.play(again))
    failed = [event for event, _ in scene.notes.events if isinstance(event, events.EngineFailed)]
    assert [event.stage for event in failed] == ["llm", "llm"]
    assert "Sorry, something went wrong on my side. Could you say that again? Better now." in " ".join(
        scene.heard_words
    )
    assert "mistake" not in "".join(event.reason for event in failed)


def test_without_a_voice_the_call_ends_by_itself(stage: "Stage") -> None:
    """When text to speech fails every time, the agent hangs up instead of leaving the line silent."""

    class Mute(ToneSpeech):
        async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
            raise EngineError("tts", "no voice today")
            yield Speech(b"")

    stage.engines = replace(stage.engines, tts=Mute())
    scene = run_virtual(stage.play(lambda caller: caller.stay()))
    assert scene.reason == "engine_failed"
    assert scene.how == "closed"
    assert scene.tasks_left == 0


def test_without_a_voice_the_caller_hears_what_was_spoken_beforehand(stage: "Stage") -> None:
    """An apology for each turn, and then a goodbye; nobody sits in silence until the line is closed."""
    greeting = str(stage.agent.phrases.greeting)

    class Lost(ToneSpeech):
        async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
            if text != greeting:
                raise EngineError("tts", "no voice any more")
            async for speech in super().speak(context, text):
                yield speech

    async def play() -> "Scene":
        spare = await get_ready(stage.agent, stage.engines)
        stage.engines = replace(stage.engines, tts=Lost())
        return await stage.play(insistent, spare=spare)

    def insistent(caller: Caller) -> Part:
        while True:
            yield from caller.until_agent_finished(700)
            yield from caller.say(words("do you hear me"))

    scene = run_virtual(play())
    phrases = stage.agent.phrases
    sorry, goodbye = phrases.trouble.split(), phrases.trouble_goodbye.split()
    assert scene.heard_words == [*greeting.split(), *sorry, *sorry, *goodbye]
    assert scene.played_words == scene.heard_words
    assert scene.reason == "engine_failed"


def test_a_clause_without_audio_is_a_failure(stage: "Stage") -> None:
    """A voice that ends without a sample has failed: its words would never be heard."""

    class Empty(ToneSpeech):
        async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
            yield Speech(b"")

    stage.engines = replace(stage.engines, tts=Empty())
    scene = run_virtual(stage.play(lambda caller: caller.stay()))
    assert scene.reason == "engine_failed"


class DeafFor(EchoStt):
    """Speech to text that can't be opened at first, or breaks in the middle."""

    opened = 0

    async def open(self, context: CallContext) -> SttStream:  # type: ignore[override]
        type(self).opened += 1
        if type(self).opened <= 2:
            raise EngineError("stt", "still starting")
        return await super().open(context)


def test_what_is_said_while_the_ear_opens_is_not_lost(stage: "Stage") -> None:
    """Speech to text that takes its time to open hears the audio that waited, and the caller is answered."""
    DeafFor.opened = 0
    stage.engines = replace(stage.engines, stt=DeafFor())

    def hasty(caller: Caller) -> Part:
        yield from caller.say(words("it is me again"))
        yield from caller.until_agent_finished(700)

    scene = run_virtual(stage.play(hasty))
    said = [e.text for e in scene.session.conversation.history if isinstance(e, CallerSaid)]
    assert said == ["it is me again"]
    assert DeafFor.opened == 3


def test_an_ear_that_stays_shut_ends_the_call_with_a_goodbye(stage: "Stage") -> None:
    """An outage of speech to text: the caller is told, hears it to the end, and the line is closed."""

    class Shut(EchoStt):
        async def open(self, context: CallContext) -> SttStream:  # type: ignore[override]
            raise EngineError("stt", "closed today")

    stage.engines = replace(stage.engines, stt=Shut())
    scene = run_virtual(stage.play(lambda caller: caller.stay()))
    assert scene.reason == "engine_failed"
    assert " ".join(scene.played_words).endswith("Please call again later. Goodbye.")


class Asking:
    """A language model that uses a tool and then tells the result."""

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        if any(message.role == "tool" and message.content == "done" for message in messages):
            yield Token("It is done.")
        elif messages[-1].role == "user":
            yield Token("Let me see.")
            yield ToolCall("t1", "work", "{}")
        else:
            yield Token("Still at it.")

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        pass

    async def close(self) -> None:
        pass


def agent_with_tool(seconds: float, log: list[str]) -> Agent:
    agent = Agent("Be kind.", greeting="Hello.")

    @agent.tool(filler="Bear with me.", timeout=30)
    async def work() -> str:
        """Do the work."""
        await asyncio.sleep(seconds)
        log.append("worked")
        return "done"

    return agent


def test_a_slow_tool_is_bridged_and_its_result_told(stage: "Stage") -> None:
    """While a tool runs the caller hears its filler; the answer follows in the same reply."""
    log: list[str] = []
    stage.agent = agent_with_tool(4.0, log)
    stage.engines = replace(stage.engines, llm=Asking())

    def patient(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("please do"))
        yield from caller.until_agent_finished(3500)

    scene = run_virtual(stage.play(patient))
    assert " ".join(scene.heard_words) == "Hello. Let me see. Bear with me. It is done."
    assert log == ["worked"]


def test_barge_in_and_hang_up_do_not_stop_a_tool(stage: "Stage") -> None:
    """What a tool does is done, though the caller interrupts and hangs up; the call is over when the tool is."""
    log: list[str] = []
    stage.agent = agent_with_tool(6.0, log)
    stage.engines = replace(stage.engines, llm=Asking())

    def rude(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("please do"))
        yield from caller.until_agent_talks(200)
        yield from caller.say(words("no no no no"))

    scene = run_virtual(stage.play(rude))
    assert scene.reason == "caller_hung_up"
    assert log == ["worked"]
    assert isinstance(scene.notes.events[-1][0], events.ToolFinished)


def test_a_tool_that_fails_tells_the_model_why(stage: "Stage") -> None:
    """A failed tool is a result like any other, marked as failed."""
    agent = Agent("Be kind.", greeting="Hello.")

    @agent.tool
    async def work() -> str:
        """Do the work."""
        raise RuntimeError("out of order")

    stage.agent = agent
    stage.engines = replace(stage.engines, llm=Asking())
    scene = run_virtual(stage.play(polite))
    used = [e for e in scene.session.conversation.history if isinstance(e, ToolUsed)]
    assert [(tool.name, tool.failed) for tool in used] == [("work", True)]


def test_a_broken_conversation_ends_its_own_call_only(stage: "Stage") -> None:
    """A mistake of ours in one call hangs that call up; the call beside it does not notice."""

    async def run() -> "tuple[Scene, Scene]":
        first = asyncio.create_task(stage.play(polite, name="good"))
        await asyncio.sleep(1.0)
        second = asyncio.create_task(stage.play(lambda caller: caller.stay(), name="bad", watch=explode))
        bad = await second
        return await first, bad

    def explode(event: events.Event, asked: Sequence[commands.Command]) -> None:
        raise ZeroDivisionError

    good, bad = run_virtual(run())
    assert bad.reason == "server_error"
    assert bad.how == "closed"
    assert good.reason == "caller_hung_up"
    assert good.heard_words == ["Good", "morning,", "who", "is", "there?", "All", "right", "then."]


def test_a_resumed_call_goes_on_where_it_was(stage: "Stage") -> None:
    """The model is told what was said before the line broke, and the caller is told that it broke."""
    told: list[Sequence[Message]] = []

    def answer(messages: Sequence[Message]) -> str:
        told.append(messages)
        return "Gladly."

    stage.model(answer)
    earlier = (CallerSaid(0, 900, "my name is Ada"), AgentSaid(1000, 2000, "Nice to", "meet you.", cut=True))
    scene = run_virtual(stage.play(polite, earlier=earlier))
    assert " ".join(scene.heard_words).startswith("Nice to " + Phrases().resumed)
    assert [m.content for m in told[0]][:2] == ["Be kind.", "my name is Ada"]


def test_recording_starts_when_the_notice_was_heard(stage: "Stage") -> None:
    """The keeper is told to record at the moment when the notice's last mark is back."""
    scene = run_virtual(stage.play(polite, policy=Policy(announce_recording=True)))
    notice = tones.read(bytes(scene.line.phone.far_end.played))[3]
    assert notice.word == "recorded."
    assert scene.notes.recording_from is not None
    assert 0 <= scene.notes.recording_from - notice.end // 8 <= 40


def test_who_watches_is_told_when_the_keeper_knows(stage: "Stage") -> None:
    """Of every event, once, after it was kept: a watch may look at what the keeper made of it."""
    watched: list[object] = []
    kept: list[object] = []

    def watch(event: object, _: object) -> None:
        watched.append(event)
        keeper: Any = stage.sessions[0]._keeper
        kept.append(keeper.events[-1][0])

    scene = run_virtual(stage.play(polite, watch=watch))
    assert watched == kept == [event for event, _ in scene.notes.events]


def test_keys_are_words(stage: "Stage") -> None:
    """A key that the caller presses is part of the turn."""

    def presses(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        stage.sessions[0].press("7")
        yield from caller.until_agent_finished(700)

    scene = run_virtual(stage.play(presses))
    assert [e.text for e in scene.session.conversation.history if isinstance(e, CallerSaid)] == ["[pressed 7]"]


def test_speculative_work_is_given_up_when_the_caller_goes_on(stage: "Stage") -> None:
    """A reply that was begun on a guess is cancelled at its engine the moment the caller says more."""
    closed: list[str] = []

    class Watched(CannedModel):
        async def reply(
            self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
        ) -> AsyncIterator[LlmResult]:
            try:
                yield Token("Let me")
                await asyncio.sleep(10 if "more" not in messages[-1].content else 0)
                yield Token(" answer that.")
            finally:
                closed.append(messages[-1].content)

    stage.engines = replace(stage.engines, llm=Watched(lambda messages: ""), stt=EchoStt(0.02))

    def hesitant(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("one thing"))
        yield from caller.silence(300)
        yield from caller.say(words("and one more"))
        yield from caller.until_agent_finished(700)

    scene = run_virtual(stage.play(hesitant))
    assert closed == ["one thing", "one thing and one more"]
    assert [e.text for e in scene.session.conversation.history if isinstance(e, CallerSaid)] == [
        "one thing and one more"
    ]
    cancelled = [c for _, asked in scene.notes.events for c in asked if isinstance(c, commands.CancelReply)]
    assert len(cancelled) == 1


def test_the_turn_model_hears_the_caller_s_pause(stage: "Stage") -> None:
    """It is asked in each pause, with the caller's audio up to then; a sure answer shortens the wait."""
    heard: list[bytes] = []

    judges = TurnJudges(lambda mulaw: heard.append(mulaw) or 0.97)  # type: ignore[func-returns-value]
    scene = run_virtual(stage.play(polite, judges=judges), busy=lambda: judges.busy)
    judges.close()
    judged = [event for event, _ in scene.notes.events if isinstance(event, events.TurnJudged)]
    assert {event.completion for event in judged} == {0.97}
    assert [spelled.word for spelled in tones.read(heard[-1])] == ["may", "I", "come"]
    assert len(heard[-1]) <= 8 * 8000


def test_the_turn_model_does_not_hear_what_was_answered(stage: "Stage") -> None:
    """Only what nobody has answered yet, though the turn before was a few seconds ago."""
    heard: list[bytes] = []

    def twice(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("may I come"))
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("with my dog"))
        yield from caller.until_agent_finished(700)

    judges = TurnJudges(lambda mulaw: heard.append(mulaw) or 0.97)  # type: ignore[func-returns-value]
    run_virtual(stage.play(twice, judges=judges), busy=lambda: judges.busy)
    judges.close()
    assert [[spelled.word for spelled in tones.read(mulaw)] for mulaw in heard] == [
        ["may", "I", "come"],
        ["with", "my", "dog"],
    ]


def test_a_turn_model_that_breaks_is_done_without(stage: "Stage") -> None:
    """The caller is answered all the same."""

    def broken(mulaw: bytes) -> float:
        raise RuntimeError("no model today")

    judges = TurnJudges(broken)
    scene = run_virtual(stage.play(polite, judges=judges), busy=lambda: judges.busy)
    judges.close()
    assert scene.heard_words == ["Good", "morning,", "who", "is", "there?", "All", "right", "then."]
