"""What the history says after a call full of interruptions, against what its far end played, word for word."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from client_caller.cli.cut_call import CutCall
from client_caller.conversation.history import AgentSaid
from client_caller.simulator import tones


@dataclass(slots=True)
class Tally:
    """Counts over many cuts; two of them add up."""

    cuts: int = 0
    played: int = 0
    """Words that the far end played to their last sample, of replies that were cut off."""
    extra: int = 0
    """Words in the history that were not played: there must be none."""
    missing: dict[int, int] = field(default_factory=dict)
    """In how many cuts so many words were played and are not in the history."""
    on_its_way: int = 0
    """Of the missing words, those whose mark was on its way when the agent was silenced, and of which could not be told
    afterwards whether the `clear` had returned it. At most one of each cut: a later mark proves those before.
    """
    lost: int = 0
    """Those of which a mark never arrived, be it one of several copies: any of them proves the word."""
    unexplained: int = 0
    """All others: there must be none."""

    def __iadd__(self, other: "Tally") -> "Tally":
        self.cuts += other.cuts
        self.played += other.played
        self.extra += other.extra
        for words, cuts in other.missing.items():
            self.missing[words] = self.missing.get(words, 0) + cuts
        self.on_its_way += other.on_its_way
        self.lost += other.lost
        self.unexplained += other.unexplained
        return self

    @property
    def good(self) -> bool:
        """Whether the history can be believed, and knows what can be known."""
        return self.extra == 0 and self.unexplained == 0


def judge(call: CutCall) -> Tally:
    """Compare every reply that was cut off. A word that was played twice, after a pause, was heard once."""
    played = _by_reply(spelled.word for spelled in tones.read(bytes(call.far_end.played)))
    history = [entry for entry in call.shell.conversation.history if isinstance(entry, AgentSaid)]
    heard = _by_reply(word.strip(".,?") for entry in history for word in entry.heard.split())
    marks: dict[str, list[str]] = {}
    for mark, _ in call.far_end.returned:
        number, clause, place, _ = map(int, mark.split("."))
        if place >= 0:
            marks.setdefault(call.shell.words[number, clause][place], []).append(mark)
    tally = Tally()
    for reply in call.shell.cut:
        truth, told = played.get(reply, set()), heard.get(reply, set())
        missing = truth - told
        tally.cuts += 1
        tally.played += len(truth)
        tally.extra += len(told - truth)
        tally.missing[len(missing)] = tally.missing.get(len(missing), 0) + 1
        on_its_way = 0
        for word in missing:
            returned = marks.get(word, [])
            if not returned or not call.tap.in_time.isdisjoint(returned):
                tally.unexplained += 1
            elif not call.lost.isdisjoint(returned):
                tally.lost += 1
            else:
                on_its_way += 1
        tally.on_its_way += min(1, on_its_way)
        tally.unexplained += max(0, on_its_way - 1)
    return tally


def _by_reply(words: Iterable[str]) -> dict[int, set[str]]:
    """The words of each reply, by the number that stands in them: `r12w3` is of reply 12."""
    found: dict[int, set[str]] = {}
    for word in words:
        found.setdefault(int(word[1:].partition("w")[0]), set()).add(word)
    return found
