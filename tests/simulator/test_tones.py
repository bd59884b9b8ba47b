"""The laws of words in audio."""

from hypothesis import given
from hypothesis import strategies as st

from client_caller.audio.g711 import SOFTLY
from client_caller.simulator import tones

words = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)
speech = st.lists(st.tuples(words, st.integers(0, 3000), st.integers(0, 400)), max_size=12)


def written(spoken: list[tuple[str, int, int]]) -> bytes:
    return b"".join(tones.spell(word, samples) + b"\xff" * pause for word, samples, pause in spoken)


@given(speech)
def test_what_was_written_is_read(spoken: list[tuple[str, int, int]]) -> None:
    """Every word comes back, in order, with the very samples that it fills."""
    audio = written(spoken)
    found = tones.read(audio)
    assert [one.word for one in found] == [word for word, _, _ in spoken]
    for one, (word, samples, _) in zip(found, spoken, strict=True):
        assert audio[one.start : one.end] == tones.spell(word, samples)
        assert one.end - one.start == max(samples, len(tones.spell(word)))


@given(speech, st.data())
def test_a_word_counts_only_with_its_last_sample(spoken: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """Of cut audio exactly the words are read that end before the cut, also if other words follow."""
    audio = written(spoken)
    cut = data.draw(st.integers(0, len(audio)))
    whole = [one.word for one in tones.read(audio) if one.end <= cut]
    after = tones.spell("after")
    assert [one.word for one in tones.read(audio[:cut] + after)] == [*whole, "after"]


def test_no_place_to_cut_makes_a_whole_word_of_two() -> None:
    """Wherever a word is cut, it does not become whole by what follows."""
    first, second = tones.spell("first", 200), tones.spell("second", 200)
    for cut in range(200):
        assert [one.word for one in tones.read(first[:cut] + second)] == ["second"], cut


@given(speech, st.data())
def test_silence_inside_a_word_is_skipped(spoken: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """A line that runs dry stretches a word and does not lose it."""
    audio = written(spoken)
    gap = data.draw(st.integers(0, len(audio)))
    found = tones.read(audio[:gap] + b"\xff" * 500 + audio[gap:])
    assert [one.word for one in found] == [word for word, _, _ in spoken]


@given(speech, st.integers(1, 700))
def test_pieces_make_no_difference(spoken: list[tuple[str, int, int]], piece: int) -> None:
    """A reader finds the same words however the audio is cut, each with the piece that completes it."""
    audio = written(spoken)
    reader = tones.Reader()
    starts = range(0, len(audio), piece)
    found = [(word, start) for start in starts for word in reader.feed(audio[start : start + piece])]
    ends = [one.end for one in tones.read(audio)]
    assert [word for word, _ in found] == [word for word, _, _ in spoken]
    assert all(start < end <= start + piece for (_, start), end in zip(found, ends, strict=True))


@given(st.binary(max_size=4000))
def test_other_audio_says_nothing(noise: bytes) -> None:
    """Audio that holds no start mark holds no word, and a reader forgets it."""
    reader = tones.Reader()
    if b"\xc0\x40" * 4 not in noise.replace(b"\xff", b""):
        assert tones.read(noise) == ()
        assert reader.feed(noise) == []
    assert reader.feed(tones.spell("now"))[-1:] == ["now"]


@given(speech, st.data())
def test_words_are_read_however_softly_they_are_spoken(spoken: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """Also where a word becomes soft, or loud again, at any of its samples."""
    audio = written(spoken)
    first, second = sorted((data.draw(st.integers(0, len(audio))), data.draw(st.integers(0, len(audio)))))
    heard = audio[:first] + audio[first:second].translate(SOFTLY) + audio[second:]
    assert [(one.word, one.end) for one in tones.read(heard)] == [(one.word, one.end) for one in tones.read(audio)]


def test_a_stretch_that_is_said_twice_makes_no_other_words() -> None:
    """Of two words, wherever the line goes back and by how much: each is read as itself, and never half of it."""
    audio = tones.spell("first", 200) + b"\xff" * 40 + tones.spell("second", 200)
    for place in range(len(audio)):
        for back in (1, 30, 100, 250):
            again = audio[:place] + audio[max(0, place - back) :]
            assert {one.word for one in tones.read(again)} <= {"first", "second"}


@given(words, st.integers(400, 1500), st.data())
def test_a_word_of_which_a_part_is_played_twice_is_whole(word: str, samples: int, data: st.DataObject) -> None:
    """A player went back, from any of its samples to any before it; words with a buzz in the middle."""
    audio = tones.spell(word, samples)
    cut = data.draw(st.integers(1, len(audio) - 1))
    back = data.draw(st.integers(1, cut))
    read = tones.read(audio[:cut] + audio[cut - back :])
    assert [one.word for one in read] == [word]


@given(words, st.integers(0, 1500), st.data())
def test_a_word_of_which_a_part_was_dropped_is_not_whole(word: str, samples: int, data: st.DataObject) -> None:
    """Wherever that was, and however little."""
    audio = tones.spell(word, samples)
    cut = data.draw(st.integers(0, len(audio) - 1))
    dropped = data.draw(st.integers(1, len(audio) - cut))
    assert tones.read(audio[:cut] + audio[cut + dropped :]) == ()
