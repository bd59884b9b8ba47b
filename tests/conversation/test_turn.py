"""The laws of the caller's turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.policy import Policy
from client_caller.conversation.state import TurnState, TurnTrigger
from client_caller.conversation.turn import WINDOW, CallerTurn

POLICY = Policy()


def listen(turn: CallerTurn, *probabilities: float) -> None:
    for probability in probabilities:
        turn.listen(turn.heard_through + WINDOW, probability, POLICY)


def test_one_window_is_a_click_and_two_are_speech() -> None:
    """An utterance needs 64 ms; it then began where the first of its windows did."""
    turn = CallerTurn()
    listen(turn, 0.9)
    assert (turn.state, turn.voiced) == (TurnState.QUIET, 0)
    listen(turn, 0.1, 0.9, 0.9)
    assert turn.state is TurnState.SPEAKING
    assert (turn.started, turn.utterance_started, turn.last_speech, turn.voiced) == (64, 64, 128, 64)


def test_speech_begins_at_one_threshold_and_ends_at_a_lower_one() -> None:
    """A voice that fades between 0.5 and 0.35 is still speaking; a noise at that level never begins to."""
    turn = CallerTurn()
    listen(turn, 0.49, 0.49, 0.49)
    states = [turn.state]
    listen(turn, 0.5, 0.5, 0.35)
    states.append(turn.state)
    listen(turn, 0.34)
    assert [*states, turn.state] == [TurnState.QUIET, TurnState.SPEAKING, TurnState.PAUSING]


def test_a_caller_whose_voice_fades_in_a_pause_has_not_resumed() -> None:
    """After a silence the higher threshold counts again."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9, 0.1, 0.4, 0.4, 0.4)
    assert turn.state is TurnState.PAUSING
    assert turn.last_speech == 2 * WINDOW


@pytest.mark.parametrize(("gap", "one"), [(160, True), (192, True), (224, False)])
def test_a_short_silence_does_not_end_an_utterance(gap: int, one: bool) -> None:
    """Gaps inside words and between them last up to 200 ms; a longer one begins another in the same turn."""
    turn = CallerTurn()
    listen(turn, *[0.9] * 4, *[0.1] * (gap // WINDOW), *[0.9] * 2)
    resumed = 4 * WINDOW + gap
    assert turn.started == 0
    assert turn.utterance_started == (0 if one else resumed)
    assert turn.utterance == turn.last_speech - turn.utterance_started
    assert turn.voiced == 6 * WINDOW


def test_audio_that_was_heard_already_is_not_heard_again() -> None:
    """A window that repeats or overlaps what came before counts for what is new in it."""
    turn = CallerTurn(heard_through=1000)
    assert not turn.listen(1000, 0.9, POLICY)
    assert not turn.listen(900, 0.9, POLICY)
    turn.listen(1010, 0.9, POLICY)
    turn.listen(1042, 0.9, POLICY)
    assert turn.state is TurnState.QUIET
    turn.listen(1074, 0.9, POLICY)
    assert (turn.started, turn.voiced) == (1000, 74)


def test_lost_audio_is_not_speech() -> None:
    """Where windows are missing, only those that came count."""
    turn = CallerTurn()
    turn.listen(5000, 0.9, POLICY)
    assert (turn.state, turn.heard_through) == (TurnState.QUIET, 5000)
    turn.listen(6000, 0.9, POLICY)
    assert turn.voiced == 64


def test_only_what_changes_a_turn_is_news() -> None:
    """Silence in silence and a click are not; every window of speech is, and the one that ends it."""
    turn = CallerTurn()
    heard = [0.1, 0.9, 0.9, 0.9, 0.1, 0.1]
    news = [turn.listen((place + 1) * WINDOW, probability, POLICY) for place, probability in enumerate(heard)]
    assert news == [False, False, True, True, True, False]


def test_speech_without_words_holds_the_floor_only_for_a_while() -> None:
    """A radio is ignored after three seconds, and heard again as soon as it has a word."""
    turn = CallerTurn()
    assert not turn.holds_floor(0, POLICY)
    listen(turn, 0.9, 0.9)
    assert turn.holds_floor(2999, POLICY)
    assert not turn.holds_floor(3000, POLICY)
    turn.partial = "news"
    assert turn.holds_floor(3000, POLICY)


def test_a_pause_holds_the_floor() -> None:
    """Until it is decided what the pause means."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9, 0.1)
    assert turn.holds_floor(60_000, POLICY)


def test_a_final_takes_the_place_of_the_partial_before_it() -> None:
    """Finals follow each other; a partial is the guess of what comes after them."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9)
    turn.partial = "I wand"
    assert turn.text == "I wand"
    turn.add("I want", 100)
    assert turn.text == "I want"
    turn.partial = "two"
    assert turn.text == "I want two"
    turn.add("two boxes.", 200)
    assert turn.text == "I want two boxes."
    assert turn.state is TurnState.SPEAKING


def test_words_without_any_speech_noticed_make_a_turn() -> None:
    """A whisper that voice activity missed is still answered; it is taken to have been said when it was understood."""
    turn = CallerTurn()
    turn.add("hello", 700)
    assert turn.state is TurnState.PAUSING
    assert (turn.started, turn.utterance_started, turn.last_speech) == (700, 700, 700)


def test_more_speech_makes_the_words_incomplete_again() -> None:
    """The request for final words covered what was said before it."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9, 0.1)
    turn.request, turn.understood = 1, True
    listen(turn, 0.1)
    known = [(turn.request, turn.understood)]
    listen(turn, 0.9, 0.9)
    assert [*known, (turn.request, turn.understood)] == [(1, True), (None, False)]


def test_the_next_turn_hears_on_where_this_one_stops() -> None:
    """It forgets the words and keeps the clock, so a repeated window can't begin it."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9, 0.1)
    turn.add("yes", 96)
    after = turn.finish(TurnTrigger.TAKEN)
    assert (after.state, after.text, after.voiced) == (TurnState.QUIET, "", 0)
    assert (after.heard_through, after.last_speech) == (96, 64)


def test_a_turn_does_not_end_while_the_caller_speaks() -> None:
    """Only a pause can turn out to be the end."""
    turn = CallerTurn()
    listen(turn, 0.9, 0.9)
    with pytest.raises(KeyError):
        turn.finish(TurnTrigger.TAKEN)


def test_what_is_much_quieter_than_the_speech_before_is_breath() -> None:
    """The silence that ends a turn begins before it; but not for long, for it may be speech after all."""
    turn, policy = CallerTurn(), Policy()
    for window in range(1, 21):
        turn.listen(window * 32, 0.9, policy, -20.0)
    assert turn.voice.ended == turn.last_speech == 640
    for window in range(21, 24):
        turn.listen(window * 32, 0.9, policy, -70.0)
    assert (turn.voice.ended, turn.last_speech) == (640, 736)
    for window in range(24, 31):
        turn.listen(window * 32, 0.9, policy, -70.0)
    assert (turn.voice.ended, turn.last_speech) == (960 - policy.longest_breath, 960)


@pytest.mark.parametrize(("probability", "voice"), [(0.35, False), (0.49, False), (0.5, True)])
def test_what_follows_breath_is_voice_only_if_it_would_be_after_a_silence(probability: float, voice: bool) -> None:
    """However loud it is, by the higher threshold: a hiss that swells is still heard as speech by the lower one."""
    turn = CallerTurn()
    hiss = [(probability, -25.0)] * 2
    for window, (heard, level) in enumerate([(0.9, -20.0)] * 20 + [(0.9, -70.0)] * 3 + hiss, start=1):
        turn.listen(window * 32, heard, POLICY, level)
    assert turn.state is TurnState.SPEAKING
    assert turn.last_speech == 25 * 32
    assert turn.voice.ended == (25 if voice else 20) * 32


def test_one_soft_window_is_no_breath() -> None:
    """A closure inside a word: what follows it belongs to the voice, by the lower threshold."""
    turn = CallerTurn()
    windows = [(0.9, -20.0)] * 20 + [(0.9, -70.0), (0.4, -25.0)]
    for window, (heard, level) in enumerate(windows, start=1):
        turn.listen(window * 32, heard, POLICY, level)
    assert turn.voice.ended == turn.last_speech == 22 * 32


def test_one_loud_window_in_breath_is_no_voice() -> None:
    """As one after a silence is no speech: two are."""
    turn = CallerTurn()
    ends = []
    for window, level in enumerate([-20.0] * 20 + [-70.0] * 2 + [-25.0, -70.0, -25.0, -25.0], start=1):
        turn.listen(window * 32, 0.9, POLICY, level)
        ends.append(turn.voice.ended // 32)
    assert ends[19:] == [20, 20, 20, 20, 20, 20, 26]


def test_what_begins_an_utterance_is_voice_at_once() -> None:
    """After a silence the two windows that make it speech have proven it."""
    turn = CallerTurn()
    for window, probability in enumerate([0.9] * 4 + [0.1] * 4 + [0.9] * 2, start=1):
        turn.listen(window * 32, probability, POLICY, -20.0)
    assert turn.voice.ended == turn.last_speech == 10 * 32


def test_a_voice_that_fades_without_breath_is_voice_to_its_end() -> None:
    """Where nothing soft came between, the lower threshold says what is speech."""
    turn = CallerTurn()
    for window, heard in enumerate([0.9] * 20 + [0.4] * 3, start=1):
        turn.listen(window * 32, heard, POLICY, -20.0 - window)
    assert turn.voice.ended == turn.last_speech == 23 * 32


def test_who_goes_on_more_quietly_is_heard() -> None:
    """What is loud is measured by what was said of late."""
    turn, policy = CallerTurn(), Policy()
    for window in range(1, 21):
        turn.listen(window * 32, 0.9, policy, -20.0)
    for window in range(21, 42):
        turn.listen(window * 32, 0.9, policy, -45.0)
    assert turn.voice.ended == turn.last_speech == 41 * 32


def test_a_voice_begins_where_it_is_loud() -> None:
    """A hiss of the line, a breath, or talk in the room before the first word are no part of the caller's voice."""
    turn, policy = CallerTurn(), Policy()
    for level in (-71.0, -60.0, -32.0, -22.0, -20.0, -31.0):
        turn.listen(turn.heard_through + WINDOW, 0.9, policy, level)
    assert (turn.utterance, turn.voice_length(policy)) == (6 * WINDOW, 4 * WINDOW)
    turn = CallerTurn()
    for level in (-36.0, -20.0, -4.0):
        turn.listen(turn.heard_through + WINDOW, 0.9, policy, level)
    assert turn.voice_length(policy) == turn.utterance == 3 * WINDOW, "steps of 16 dB are found inside words"


def test_a_sound_is_a_voice_once_it_was_surely_speech() -> None:
    """Then all of it is one. A sneeze that is a little like speech never is, and each new sound has to show it anew."""
    turn, policy = CallerTurn(), Policy()
    listen(turn, *[0.79] * 12)
    assert turn.voice_length(policy) == 0
    listen(turn, 0.8)
    assert turn.voice_length(policy) == 13 * WINDOW
    listen(turn, *[0.1] * 7, *[0.79] * 2)
    assert turn.voice_length(policy) == 0


def test_a_sound_with_words_is_a_voice() -> None:
    """However little the model takes it for speech."""
    turn, policy = CallerTurn(), Policy()
    listen(turn, *[0.6] * 5)
    turn.guess("tomorrow", 160)
    assert turn.voice_length(policy) == 5 * WINDOW


@pytest.mark.parametrize(("text", "windows", "goes_on"), [("four", 12, True), ("four", 13, False), ("", 7, False)])
def test_after_a_word_a_voice_goes_on_for_longer(text: str, windows: int, goes_on: bool) -> None:
    """Who speaks with breaks between the words is believed at once; a second noise is judged like the first."""
    turn, policy = CallerTurn(), Policy()
    listen(turn, *[0.9] * 7)
    turn.guess(text, turn.heard_through)
    listen(turn, *[0.1] * windows, *[0.9] * 2)
    assert turn.voice_length(policy) == ((9 + windows) * WINDOW if goes_on else 2 * WINDOW)
    assert turn.utterance == 2 * WINDOW


@given(st.lists(st.tuples(st.floats(0, 1), st.one_of(st.none(), st.floats(-100, 0))), max_size=60))
def test_without_words_a_voice_is_no_longer_than_its_utterance(windows: list[tuple[float, float | None]]) -> None:
    """Whatever the levels; and a window of speech that is as loud as can be is always a part of it."""
    turn, policy = CallerTurn(), Policy()
    for probability, level in windows:
        turn.listen(turn.heard_through + WINDOW, probability, policy, level)
        assert 0 <= turn.voice_length(policy) <= turn.utterance
    for _ in range(2):
        turn.listen(turn.heard_through + WINDOW, 1.0, policy, 0.0)
    assert turn.voice_length(policy) >= WINDOW


@given(st.lists(st.tuples(st.floats(0, 1), st.one_of(st.none(), st.floats(-100, 0))), max_size=60))
def test_the_voice_ends_with_the_speech_or_a_little_before(windows: list[tuple[float, float | None]]) -> None:
    """Whatever the levels, by no more than the longest breath."""
    turn, policy = CallerTurn(), Policy()
    for window, (probability, level) in enumerate(windows, start=1):
        turn.listen(window * 32, probability, policy, level)
        assert turn.last_speech - policy.longest_breath <= turn.voice.ended <= turn.last_speech
