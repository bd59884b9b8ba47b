"""The words of recordings: whoever plays one says beforehand which words end where."""

from collections import deque


class KnownWords:
    """A `deepgram.WordReader` that goes by the position in the audio alone.

    It has to get all audio of a call, from its first sample; then recordings can be played as they are, with nothing
    written into them.
    """

    def __init__(self) -> None:
        self._position = 0
        self._coming: deque[tuple[int, str]] = deque()

    def expect(self, end: int, word: str) -> None:
        """A word will end at this sample of the call; words are told in order."""
        self._coming.append((end, word))

    def feed(self, mulaw: bytes) -> list[str]:
        """The words that end in the next piece."""
        self._position += len(mulaw)
        words = []
        while self._coming and self._coming[0][0] <= self._position:
            words.append(self._coming.popleft()[1])
        return words
