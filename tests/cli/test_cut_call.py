"""The laws of what was heard, by the thousand cuts: on any line, no word is in the history that was not played."""

import pytest

from client_caller.cli.cut_call import CutCall, Line, Stuck
from client_caller.cli.cut_judge import Tally, judge
from client_caller.cli.cut_shell import Shell
from client_caller.cli.cuts_bench import LINES
from client_caller.conversation.events import WordAcknowledged

WORST = LINES[-1]


def tally(line: Line, calls: int) -> Tally:
    total = Tally()
    for number in range(calls):
        call = CutCall(line, f"law/{number}")
        call.run(50)
        total += judge(call)
    return total


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_no_word_is_believed_that_was_not_heard(line: Line) -> None:
    """And at most one that was heard is missing of a reply: its proof was on its way, or lost."""
    found = tally(line, 8)
    assert found.cuts >= 400
    assert found.extra == 0
    assert found.unexplained == 0
    assert found.on_its_way + found.lost == sum(words * cuts for words, cuts in found.missing.items())
    assert found.played > 500
    assert found.lost == 0 or line.lost
    assert max(found.missing) <= 1


def test_without_delay_nothing_is_missing() -> None:
    """What was played is proven at once, so the history has every word but one that ends with the very cut."""
    found = tally(Line("no delay"), 4)
    assert found.missing[0] >= found.cuts - 1
    assert found.on_its_way <= 1


def test_believing_cleared_marks_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """If marks that a clear returns were taken for proof, there would be words too many: the law can be broken."""

    def believe(self: Shell, mark: str) -> None:
        reply, clause, word, _ = map(int, mark.split("."))
        self._tell(WordAcknowledged(self.now, reply, clause, word))

    monkeypatch.setattr(Shell, "acknowledge", believe)
    assert tally(WORST, 3).extra > 0


def test_a_shell_that_loses_proof_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a mark that came in time were ignored, a word would be missing without a reason."""
    acknowledge = Shell.acknowledge
    place = 2
    monkeypatch.setattr(
        Shell, "acknowledge", lambda self, mark: int(mark.split(".")[place]) % 3 and acknowledge(self, mark)
    )
    assert tally(Line("no delay"), 2).unexplained > 0


def test_the_same_seed_gives_the_same_call() -> None:
    """Sample for sample; another seed is another call."""
    calls = [CutCall(WORST, seed) for seed in ("one", "one", "two")]
    for call in calls:
        call.run(5)
    first, again, other = (bytes(call.far_end.played) for call in calls)
    assert first == again
    assert first != other


def test_the_last_cut_is_judged_when_its_marks_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that comes while the call settles: a mark on its way when the call ends would explain nothing."""
    arrived: set[str] = set()
    acknowledge = Shell.acknowledge

    def note(self: Shell, mark: str) -> None:
        arrived.add(mark)
        acknowledge(self, mark)

    monkeypatch.setattr(Shell, "acknowledge", note)
    for seed in ("settles/80", "settles/86", "settles/200"):
        call = CutCall(LINES[3], seed)
        call.run(1)
        returned = {mark for mark, _ in call.far_end.returned if int(mark.partition(".")[0]) in call.shell.cut}
        assert returned <= arrived
        arrived.clear()


def test_an_agent_that_says_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call in which there is nothing to cut off does not go on for ever."""
    monkeypatch.setattr(Shell, "_think", lambda self, reply: None)
    monkeypatch.setattr("client_caller.cli.cut_call.LONGEST", 80_000)
    with pytest.raises(Stuck, match="'no delay' the agent could not be cut off 2 times"):
        CutCall(Line("no delay"), "one").run(2)
