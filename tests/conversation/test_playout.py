"""The laws of the ledger of words: heard is what was acknowledged, of what was sent, of what was queued."""

from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.playout import START, Playout

CLAUSES = st.lists(st.lists(st.text("abc.", min_size=1, max_size=4), min_size=1, max_size=4).map(" ".join), max_size=4)
PLACES = st.lists(st.tuples(st.booleans(), st.integers(-1, 4), st.integers(-1, 4)), max_size=30)


@given(CLAUSES, PLACES)
def test_heard_is_a_prefix_and_nothing_of_the_text_is_lost(
    clauses: list[str], facts: list[tuple[bool, int, int]]
) -> None:
    """Whatever marks come, in whatever order: heard and unheard together are what was queued, and heard only grows."""
    playout = Playout()
    assert [playout.queue(clause) for clause in clauses] == list(range(len(clauses)))
    before = 0
    for acknowledged, clause, word in facts:
        known = (playout.sent, playout.acknowledged)
        news = (playout.acknowledge if acknowledged else playout.send)(clause, word)
        assert news == (known != (playout.sent, playout.acknowledged))
        assert playout.acknowledged <= playout.sent <= max(playout.end, START)
        assert f"{playout.heard} {playout.unheard}".strip() == playout.text
        heard = len(playout.heard.split())
        assert heard >= before
        before = heard


def test_a_mark_stands_for_everything_before_it() -> None:
    """The far end plays in order: one acknowledged word proves all words before."""
    playout = Playout()
    playout.queue("It costs nine.")
    playout.queue("Euros, that is.")
    assert playout.send(1, 1)
    assert playout.acknowledge(1, 0)
    assert playout.heard == "It costs nine. Euros,"
    assert playout.unheard == "that is."


def test_a_mark_that_was_not_sent_proves_nothing() -> None:
    """Nor does one that came back before, nor one of a word that there is not."""
    playout = Playout()
    playout.queue("It costs nine.")
    assert not playout.acknowledge(0, 0)
    assert playout.send(0, 1)
    assert not playout.acknowledge(0, 2)
    assert playout.acknowledge(0, 1)
    assert not playout.acknowledge(0, 1)
    assert not playout.acknowledge(0, 0)
    assert not playout.send(0, 1)
    assert not playout.send(0, 3)
    assert not playout.send(1, 0)
    assert not playout.send(-1, 0)
    assert not playout.send(0, -1)
    assert playout.heard == "It costs"


def test_nothing_is_all_of_nothing() -> None:
    """A reply without words has been sent and heard; with the first clause that is no longer so."""
    playout = Playout()
    assert playout.all_sent
    assert playout.all_heard
    assert (playout.end, playout.text, playout.heard, playout.unheard) == (START, "", "", "")
    playout.queue("Yes.")
    assert not playout.all_sent
    assert not playout.all_heard
    assert playout.end == (0, 0)


def test_a_clause_was_heard_when_its_last_word_was() -> None:
    """Not before, and not if there is no such clause."""
    playout = Playout()
    playout.queue("This call")
    playout.queue("is recorded.")
    playout.send(1, 1)
    playout.acknowledge(0, 0)
    assert not playout.heard_clause(0)
    playout.acknowledge(0, 1)
    assert playout.heard_clause(0)
    assert not playout.heard_clause(1)
    playout.acknowledge(1, 1)
    assert playout.heard_clause(1)
    assert not playout.heard_clause(2)
    assert playout.all_sent
    assert playout.all_heard
