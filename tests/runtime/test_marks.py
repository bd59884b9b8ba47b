"""The laws of marks: what comes back proves all before it, in its own epoch only, and one that is lost costs little."""

import pytest

from client_caller.runtime.marks import CARE, TRUSTED, Marks, place


def put(marks: Marks, word: int) -> tuple[str, ...]:
    """A mark behind a word, a second after the one before."""
    return marks.put((1, 0, word), word * 8000, 0, word * 2000)


def trusted() -> Marks:
    """Those of a line that has lost none of very many."""
    marks = Marks()
    for word in range(TRUSTED):
        for name in put(marks, word):
            marks.back(name)
    return marks


def test_a_mark_tells_its_place() -> None:
    """Which words were heard is read from the name alone: the far end returns nothing else."""
    assert place(Marks().put((3, 2, -1), 0, 2, 100)[0]) == (3, 2, -1)


def test_what_comes_back_stands_for_all_before_it() -> None:
    """Marks come back in order: those before it were played, whether they came or not."""
    marks = Marks()
    first, second = put(marks, 0)[0], put(marks, 1)[0]
    returned = marks.back(second)
    assert returned is not None
    assert (returned.clause, returned.sample) == (0, 2000)
    assert marks.back(first) is None


def test_after_a_clear_none_from_before_is_believed_at_once() -> None:
    """The clear returned it, perhaps. One that is put behind the same word again is another."""
    marks = Marks()
    before = put(marks, 0)[0]
    marks.clear()
    assert marks.back(before) is None
    again = put(marks, 0)[0]
    assert again != before
    assert marks.back(again) is not None


def test_a_line_is_trusted_with_one_once_it_has_returned_very_many() -> None:
    """Until then each goes out in copies: any of them is the proof."""
    marks = Marks()
    for word in range(TRUSTED):
        names = put(marks, word)
        assert len(names) == (CARE if word * CARE < TRUSTED else 1)
        for name in names:
            assert marks.back(name) is not None


def test_a_line_that_loses_one_is_never_trusted_again() -> None:
    """However many it returns after that."""
    marks = trusted()
    put(marks, TRUSTED)
    for word in range(TRUSTED + 1, 3 * TRUSTED):
        names = put(marks, word)
        assert len(names) == (1 if word == TRUSTED + 1 else CARE)
        for name in names:
            assert marks.back(name) is not None


@pytest.mark.parametrize("lost", range(CARE))
def test_any_copy_is_proof(lost: int) -> None:
    """The far end owes nothing for a copy that is lost."""
    marks = Marks()
    names = put(marks, 1)
    assert marks.overdue(7000) == 0
    assert marks.overdue(9000) == 1000
    for name in names[:lost] + names[lost + 1 :]:
        marks.back(name)
    assert marks.overdue(9000) == 0
    put(marks, 2)
    assert marks.overdue(17000) == 1000


def test_what_is_forgotten_is_not_owed() -> None:
    """Of a reply that is over nothing more is awaited."""
    marks = Marks()
    name = put(marks, 1)[0]
    marks.forget()
    assert marks.overdue(90000) == 0
    assert marks.back(name) is None


def test_a_mark_may_be_proven_late() -> None:
    """By the caller's voice that came between it and the next: a clear would have returned both at once."""
    marks = Marks()
    first, second = put(marks, 0)[0], put(marks, 1)[0]
    marks.clear()
    assert marks.late(first, 100) is None
    assert marks.late(second, 200) == first
