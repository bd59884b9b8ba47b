"""A language model that plays a script: its place in it, and how it streams."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.agents.script import Script
from client_caller.agents.script_file import parse_script
from client_caller.agents.scripted import ScriptedModel
from client_caller.conversation.history import (
    CONNECTED,
    STILL_RUNNING,
    AgentSaid,
    CallerSaid,
    Entry,
    Message,
    ToolCall,
    ToolUsed,
    messages,
    with_draft,
)
from client_caller.conversation.policy import HANG_UP, Phrases
from client_caller.engines.protocols import CallContext, Token
from client_caller.simulator.virtual_time import VirtualLoop

CALL = CallContext("call-1")
ORDER = "Gladly. White bread or brown bread, or one of the small ones with seeds?"
FOUND = "There are 2 left for three euros."
RESULT = '{"count": 2, "price": "three euros"}'
FILLER = "Let me look on the shelf."
GREETING = "Hello, this is the bakery. What would you like?"


def caller(text: str, backchannel: bool = False) -> CallerSaid:
    return CallerSaid(0, 0, text, backchannel)


def agent(heard: str, cut: bool = False) -> AgentSaid:
    return AgentSaid(0, 0, heard, "", cut)


def looked(result: str = RESULT) -> ToolUsed:
    return ToolUsed(0, "tool-0", "look", "{}", result, False)


async def parts(model: ScriptedModel, chat: Sequence[Message]) -> tuple[str, list[ToolCall]]:
    """The whole of a reply: its text and its tool calls."""
    results = [result async for result in model.reply(CALL, chat, ())]
    text = "".join(result.text for result in results if isinstance(result, Token))
    return text, [result for result in results if isinstance(result, ToolCall)]


@pytest.fixture
def model(bakery: Script) -> ScriptedModel:
    return ScriptedModel(bakery, first_token=0, words_per_second=1e9)


async def said(model: ScriptedModel, *entries: Entry) -> str:
    """The answer to a call so far; a tool that it wants is named in brackets."""
    text, tools = await parts(model, (Message("system", "Sell bread."), *messages(entries)))
    return text + "".join(f"[{tool.name} {tool.arguments}]" for tool in tools)


LOOK = '[look {"kind": "brown", "at": "7:30"}]'


async def test_before_anybody_spoke_it_greets(model: ScriptedModel) -> None:
    """With a connected line, and with nothing at all; a greeting that was heard is not the caller's turn."""
    assert await said(model) == GREETING
    assert (await parts(model, ()))[0] == GREETING
    assert await said(model, agent(GREETING)) == GREETING
    assert messages([agent(GREETING)])[0].content == CONNECTED


async def test_it_follows_the_script_from_state_to_state(model: ScriptedModel) -> None:
    """The tool first, then the answer with what the tool found; in the end the last words, and then the hang-up."""
    call: list[Entry] = [agent(GREETING), caller("some bread please")]
    assert await said(model, *call) == ORDER
    call += [agent(ORDER), caller("the brown one")]
    assert await said(model, *call) == LOOK
    draft = with_draft(messages(call), "", [(ToolCall("tool-0", "look", "{}"), RESULT)])
    assert await parts(model, draft) == (FOUND, [])
    call += [looked(), agent(FOUND), caller("goodbye then")]
    assert await said(model, *call) == f"Goodbye, and thank you.[{HANG_UP} {{}}]"
    draft = with_draft(messages(call), "Goodbye, and thank you.", [(ToolCall("t", HANG_UP, "{}"), "The call ends.")])
    assert await parts(model, draft) == ("", [])


async def test_what_it_does_not_know_it_asks_for_in_turn(model: ScriptedModel) -> None:
    """The place in the script stays; the next miss has the next words, and then the first again."""
    call: list[Entry] = [agent(GREETING)]
    for otherwise in ["Pardon me.", "Once more please.", "Pardon me."]:
        call.append(caller("a hat"))
        assert await said(model, *call) == otherwise
        call.append(agent(otherwise))
    assert await said(model, *call, caller("bread")) == ORDER


async def test_a_rule_that_leads_nowhere_keeps_its_state(model: ScriptedModel) -> None:
    """So that the caller can say something else there."""
    call: list[Entry] = [caller("water"), agent("We have none.")]
    assert await said(model, *call, caller("bread")) == ORDER


async def test_after_a_cut_it_is_in_the_next_state_and_knows_of_the_cut(model: ScriptedModel) -> None:
    """What was heard of the answer, if only one word, has moved the script on; `when_cut` says so to the caller."""
    call: list[Entry] = [caller("bread"), agent("Gladly. White", cut=True), caller("brown"), looked()]
    assert await said(model, *call) == f"Of course. {FOUND}"
    whole: list[Entry] = [caller("bread"), agent(ORDER), caller("brown"), looked()]
    assert await said(model, *whole) == FOUND
    later: list[Entry] = [
        caller("water"),
        agent("We", cut=True),
        caller("bread"),
        agent(ORDER),
        caller("white"),
        looked(),
    ]
    assert await said(model, *later) == FOUND


async def test_an_answer_of_which_nothing_was_heard_was_not_given(model: ScriptedModel) -> None:
    """The caller has the same choice as before, with what they say now, or else with what they said then."""
    cut: list[Entry] = [caller("bread"), agent("", cut=True)]
    assert await said(model, *cut, caller("water")) == "We have none."
    assert await said(model, *cut, caller("hello?")) == ORDER


@pytest.mark.parametrize("aside", [FILLER, *Phrases().fillers, *Phrases().still_there, Phrases().trouble])
async def test_what_the_agent_says_on_its_own_is_no_answer(model: ScriptedModel, aside: str) -> None:
    """Whole, cut, or in one message with the answer: a filler or a question moves nothing on."""
    assert await said(model, caller("bread"), agent(aside), caller("hm")) == ORDER
    first = " ".join(aside.split()[:2])
    assert await said(model, caller("bread"), agent(first, cut=True), caller("hm")) == ORDER
    assert await said(model, caller("bread"), agent(aside), agent(ORDER), caller("brown")) == LOOK


async def test_a_filler_while_the_tool_runs_keeps_the_place(model: ScriptedModel) -> None:
    """Whether it is heard before the tool is done or after."""
    call: list[Entry] = [caller("bread"), agent(ORDER), caller("brown")]
    assert await said(model, *call, agent(FILLER), looked()) == FOUND
    assert await said(model, *call, looked(), agent(FILLER)) == FOUND
    assert await said(model, *call, agent(FILLER), caller("okay"), looked()) == FOUND
    assert await said(model, *call, looked(STILL_RUNNING), caller("okay")) == Phrases().fillers[-1]


async def test_a_backchannel_is_no_turn_of_its_own(model: ScriptedModel) -> None:
    """It joins what the caller says next."""
    call: list[Entry] = [caller("bread"), agent(ORDER), caller("mm hm", backchannel=True), caller("brown")]
    assert await said(model, *call) == LOOK


@pytest.mark.parametrize("result", ["the shelf fell down", "[2]", '{"count": 2}', "{"])
async def test_a_tool_that_failed_is_not_talked_about_as_if_it_had_not(model: ScriptedModel, result: str) -> None:
    """The caller hears an apology, and the script waits in the same state for another try."""
    failed: list[Entry] = [caller("bread"), agent(ORDER), caller("brown"), looked(result)]
    apology = "I am sorry, that did not work just now. Please say it once more."
    assert await said(model, *failed) == apology
    assert await said(model, *failed, agent(apology), caller("brown")) == LOOK


async def test_when_all_is_said_it_says_nothing(model: ScriptedModel) -> None:
    """Asked again after an answer that was heard, it has nothing to add."""
    assert await said(model, caller("bread"), agent(ORDER)) == ""


async def test_a_rule_without_fields_needs_no_json(bakery_text: str, in_bakery: object) -> None:
    """The tool's result may then be any text."""
    text = bakery_text.replace("There are {count} left for {price}.", "It is there.")
    model = ScriptedModel(parse_script(text, "bakery.yaml"), first_token=0)
    call: list[Entry] = [caller("bread"), agent(ORDER), caller("brown"), looked("yes")]
    assert await said(model, *call) == "It is there."
    assert await said(model, *call, agent("It is there."), caller("bye, goodbye")) == (
        f"Goodbye, and thank you.[{HANG_UP} {{}}]"
    )


async def test_a_tool_call_has_an_id_of_its_own(model: ScriptedModel, bakery: Script) -> None:
    """Also when the same is asked twice, and when another process goes on with the call."""
    chat = messages([caller("bread"), agent(ORDER), caller("brown")])
    longer = messages([caller("bread"), agent(ORDER), caller("brown"), looked("broken"), agent("x"), caller("brown")])
    calls = [(await parts(model, chat))[1][0] for _ in range(2)]
    calls += (await parts(ScriptedModel(bakery, first_token=0), longer))[1]
    assert len({call.id for call in calls}) == 3
    assert json.loads(calls[0].arguments) == {"kind": "brown", "at": "7:30"}


def test_words_come_one_by_one_like_a_model_s(bakery: Script) -> None:
    """The first after `first_token`, each other one word's time later; the tokens join to the text."""

    async def stream() -> list[tuple[float, str]]:
        model = ScriptedModel(bakery, first_token=0.25, words_per_second=20)
        await model.warm(CALL, (), ())
        now = asyncio.get_running_loop().time
        results = model.reply(CALL, messages([caller("water")]), ())
        times = [(now(), result.text) async for result in results if isinstance(result, Token)]
        await model.close()
        return times

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        tokens = runner.run(stream())
    assert [text for _, text in tokens] == ["We", " have", " none."]
    assert [time for time, _ in tokens] == pytest.approx([0.25, 0.3, 0.35])


@pytest.mark.parametrize("entries", [[], [caller("bread")]])
async def test_a_reply_can_be_given_up_at_any_moment(bakery: Script, entries: list[Entry]) -> None:
    """Closing the stream ends it, before its first word and after."""
    replies = ScriptedModel(bakery, first_token=0, words_per_second=1e9).reply(CALL, messages(entries), ())
    await anext(replies)
    await replies.aclose()  # type: ignore[attr-defined]
    with pytest.raises(StopAsyncIteration):
        await anext(replies)


SAYINGS = st.sampled_from(["bread", "water", "brown", "white please", "goodbye", "hm", "", "a hat"])


@settings(deadline=None)
@given(turns=st.lists(st.tuples(SAYINGS, st.integers(0, 20), st.booleans(), st.booleans()), max_size=8))
def test_whatever_happens_it_answers_and_remembers_nothing(turns: list[tuple[str, int, bool, bool]]) -> None:
    """Random sayings, cuts at random words (also before the first), fillers before the answer: there is an answer each
    time, and another model that sees only the messages gives the same one.
    """
    script = parse_script(PLAIN, "plain.yaml")
    entries: list[Entry] = [agent(GREETING)]

    async def play() -> None:
        for saying, cut_after, filler, resumed in turns:
            entries.append(caller(saying))
            if filler:
                entries.append(agent(Phrases().fillers[0]))
            model = ScriptedModel(script, first_token=0, words_per_second=1e9)
            text, _ = await parts(model, messages(entries))
            assert text
            if resumed:
                assert (await parts(ScriptedModel(script, first_token=0), messages(entries)))[0] == text
            words = text.split()
            entries.append(agent(" ".join(words[:cut_after]), cut=cut_after < len(words)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())


PLAIN = """
greeting: Hello.
start: order
states:
  order:
    - hears: bread
      says: White or brown?
      then: kind
  kind:
    - hears: [white, brown]
      when_cut: Of course.
      says: It is yours.
      then: order
anywhere:
  - hears: goodbye
    says: Goodbye.
    end: true
otherwise: Pardon me?
"""
