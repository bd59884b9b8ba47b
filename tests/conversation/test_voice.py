"""The laws of the voice within what sounds like speech: it is what is loud, and it comes back only for sure."""

from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.policy import Policy
from client_caller.conversation.turn import WINDOW
from client_caller.conversation.voice import Voice

POLICY = Policy()
LOUD, SOFT = -20.0, -50.0


def follow(voice: Voice, *windows: tuple[float, float | None], in_breath: bool = False, start: int = 0) -> int:
    """Have it hear windows of a probability and a level each; returns where the last one ends."""
    for number, (probability, level) in enumerate(windows, start=1):
        voice.follow(start + number * WINDOW, WINDOW, probability, level, POLICY, in_breath=in_breath)
    return start + len(windows) * WINDOW


def test_it_ends_where_it_fades_below_the_loudest_of_late() -> None:
    """What is so much softer is breath."""
    voice = Voice()
    loud = follow(voice, *[(0.9, LOUD)] * 5)
    follow(voice, *[(0.9, SOFT)] * 3, start=loud)
    assert voice.ended == loud


def test_it_begins_where_it_rises_above_what_was_before_it() -> None:
    """A hiss that passes for speech is not counted in, nor how sure it was."""
    voice = Voice()
    hiss = follow(voice, *[(0.6, SOFT)] * 4)
    assert (voice.started, voice.surest) == (0, 0.6)
    follow(voice, (0.5, SOFT + POLICY.breath_below), start=hiss)
    assert (voice.started, voice.surest) == (hiss, 0.5)


def test_after_breath_it_has_to_be_sure_for_as_long_as_any_speech() -> None:
    """One window of a hiss that swells is no voice, and neither are many that are hardly speech."""
    loud = (POLICY.speech_threshold, LOUD)
    for windows in ([loud], [(POLICY.speech_threshold - 0.01, LOUD)] * 4, [loud, (0.9, SOFT), loud]):
        voice = Voice()
        spoken = follow(voice, *[(0.9, LOUD)] * 5)
        breath = follow(voice, *[(0.9, SOFT)] * 2, start=spoken)
        follow(voice, *windows, in_breath=True, start=breath)
        assert voice.ended == spoken, windows
    voice = Voice()
    breath = follow(voice, (0.9, LOUD), (0.9, SOFT), (0.9, SOFT))
    assert voice.ended == WINDOW
    assert follow(voice, loud, loud, in_breath=True, start=breath) == voice.ended


@given(st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(-100, 0), st.booleans()), min_size=1, max_size=60))
def test_it_ends_with_the_speech_or_a_little_before(windows: list[tuple[float, float | None, bool]]) -> None:
    """However it fades: no more than the longest breath is taken away, and where no level is known nothing is."""
    voice, through = Voice(), 0
    for probability, level, in_breath in windows:
        through = follow(voice, (probability, level), in_breath=in_breath, start=through)
        assert through - POLICY.longest_breath <= voice.ended <= through
        assert level is not None or voice.ended == through
        assert voice.surest >= probability
