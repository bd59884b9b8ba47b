"""Whisper by way of faster-whisper and CTranslate2. The only module that imports them.

faster-whisper loads the model and makes its input; the CTranslate2 model below it is run directly, because only there
several calls go through it together. In one run `<|startoftranscript|>` has to be at the same place of all prompts, so
windows are grouped by the length of theirs: calls of one agent have the same hints, and share a run.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats
from client_caller.models.hearing.words import Word
from client_caller.models.whisper.backend import Hypothesis, Window

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Files of a converted model. Without the tokenizer faster-whisper would ask the hub for one in mid start-up."""
MAX_PROMPT = 100
"""Tokens of a prompt: half of Whisper's limit of 223; each costs a call's every decoding."""
SURE = 0.8
"""Probability from which on a language that was found out is believed against the one before."""
ROOM = 2.5
"""Seconds of silence behind the audio that a shortened window keeps: words at its very end suffer with less."""
STEP = 5
"""Seconds by which shortened windows differ, so that calls share their sizes and with them a run."""
_FRAMES = 100
"""Mel frames a second."""
_TOKENS_PER_SECOND = 10
"""Words are at most five a second, of about one and a half tokens: what is longer is a loop."""


class WhisperUnavailable(Exception):
    """The model can't be loaded. `str(error)` says what is missing and what to do."""


class FasterWhisper:
    """A loaded model; implements `Backend`."""

    def __init__(
        self,
        model: str,
        *,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 0,
        offline: bool = False,
        shortest: float | None = None,
    ) -> None:
        """`model`: a directory, or a name that faster-whisper knows or finds at the model hub. `compute_type`: as
        CTranslate2 names them. `threads`: of a CPU, 0 for its own choice. `shortest`: seconds to which windows that
        are not final are shortened where their audio allows it; None: never. Raises `WhisperUnavailable`.
        """
        self._model = _loaded(model, device, compute_type, threads, offline)
        self._extractor = self._model.feature_extractor
        self.seconds = float(self._extractor.chunk_length)
        self.languages = frozenset(_languages(self._model))
        self._shortest = self.seconds if shortest is None else min(shortest, self.seconds)
        self._prompt = lru_cache(maxsize=256)(self._prompt_tokens)
        self._tokenizer = lru_cache(maxsize=None)(self._tokenizer_of)

    def transcribe(self, windows: Sequence[Window]) -> list[Hypothesis]:
        groups: dict[tuple[bool, int, int], list[int]] = {}
        for number, window in enumerate(windows):
            key = (window.final, self._frames(window), len(self._prompt(window.prompt)))
            groups.setdefault(key, []).append(number)
        answers: dict[int, Hypothesis] = {}
        for (final, frames, _), numbers in groups.items():
            together = [windows[number] for number in numbers]
            answers |= zip(numbers, self._run(together, frames, final), strict=True)
        return [answers[number] for number in range(len(windows))]

    def _run(self, windows: list[Window], frames: int, final: bool) -> Iterator[Hypothesis]:
        mels = np.stack([self._mel(window.samples, frames) for window in windows])
        encoded = self._model.model.encode(ctranslate2.StorageView.from_array(mels))
        tokenizers = [self._tokenizer(language) for language in self._chosen(windows, encoded)]
        prompts = [
            [*self._prompt(window.prompt), *tokenizer.sot_sequence, tokenizer.no_timestamps]
            for window, tokenizer in zip(windows, tokenizers, strict=True)
        ]
        longest = max(len(window.samples) for window in windows) / SAMPLE_RATE
        results = self._model.model.generate(
            encoded,
            prompts,
            beam_size=1,
            max_length=min(self._model.max_length, len(prompts[0]) + math.ceil(longest * _TOKENS_PER_SECOND) + 16),
            return_scores=True,
            return_no_speech_prob=True,
        )
        spoken = [[token for token in result.sequences_ids[0] if token < tokenizers[0].eot] for result in results]
        if final:
            words = self._aligned(windows, encoded, tokenizers, spoken)
        else:
            words = [_plain(tokenizer, tokens) for tokenizer, tokens in zip(tokenizers, spoken, strict=True)]
        for result, tokenizer, said in zip(results, tokenizers, words, strict=True):
            # The score is per token of the text; the end of it counts as one more.
            length = len(result.sequences_ids[0])
            mean_logprob = result.scores[0] * length / (length + 1)
            yield Hypothesis(tuple(said), tokenizer.language_code, result.no_speech_prob, mean_logprob)

    def _frames(self, window: Window) -> int:
        if window.final:
            return round(self.seconds) * _FRAMES
        wanted = max(self._shortest, len(window.samples) / SAMPLE_RATE + ROOM)
        return round(min(self.seconds, math.ceil(wanted / STEP) * STEP)) * _FRAMES

    def _mel(self, samples: Floats, frames: int) -> Floats:
        """The features of the audio and of silence behind it: (bands, frames).

        They are not computed for the silence, where all are at the floor: 8 powers of ten below the loudest, which is 2
        on Whisper's scale.
        """
        audio = samples[: frames * SAMPLE_RATE // _FRAMES]
        heard = min(frames, len(audio) * _FRAMES // SAMPLE_RATE + 4)
        padded = np.pad(audio, (0, heard * SAMPLE_RATE // _FRAMES - len(audio)))
        mel = self._extractor(padded, padding=0)
        rest = frames - mel.shape[1]
        floor = max(float(mel.max()) - 2.0, -1.5)
        return np.ascontiguousarray(np.pad(mel, ((0, 0), (0, rest)), constant_values=floor), dtype=np.float32)

    def _chosen(self, windows: list[Window], encoded: ctranslate2.StorageView) -> list[str]:
        """The language of each window."""
        if not self._model.model.is_multilingual:
            return ["en"] * len(windows)
        if not any(window.language is None or window.detect for window in windows):
            return [str(window.language) for window in windows]
        found = [ranked[0] for ranked in self._model.model.detect_language(encoded)]
        return [
            token[2:-2] if window.language is None or (window.detect and sure >= SURE) else window.language
            for window, (token, sure) in zip(windows, found, strict=True)
        ]

    def _aligned(
        self,
        windows: list[Window],
        encoded: ctranslate2.StorageView,
        tokenizers: list[Tokenizer],
        spoken: list[list[int]],
    ) -> list[list[Word]]:
        """The words with times and confidence. One run aligns one language; nearly always there is but one."""
        frames = [max(1, len(window.samples) * _FRAMES // SAMPLE_RATE) for window in windows]
        words: list[list[Word]] = [[] for _ in windows]
        for language in {tokenizer.language_code: tokenizer for tokenizer in tokenizers}.values():
            results = self._model.model.align(encoded, language.sot_sequence, spoken, frames)
            for row, result in enumerate(results):
                if tokenizers[row].language_code == language.language_code and spoken[row]:
                    words[row] = _timed(language, spoken[row], result)
        return words

    def _tokenizer_of(self, language: str) -> Tokenizer:
        multilingual = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, multilingual, task="transcribe", language=language)

    def _prompt_tokens(self, prompt: str) -> tuple[int, ...]:
        if not prompt:
            return ()
        tokenizer = self._tokenizer("en")
        return (tokenizer.sot_prev, *tokenizer.encode(f" {prompt}")[:MAX_PROMPT])


def _loaded(model: str, device: str, compute_type: str, threads: int, offline: bool) -> WhisperModel:
    folder = Path(model)
    if folder.is_dir():
        missing = [name for name in NEEDED if not (folder / name).is_file()]
        if not any((folder / name).is_file() for name in ("vocabulary.json", "vocabulary.txt")):
            missing.append("vocabulary.json")
        if missing:
            raise WhisperUnavailable(
                f"{model} has no {', '.join(missing)}. Convert a model with ct2-transformers-converter "
                "--copy_files tokenizer.json preprocessor_config.json, or name one such as base.en"
            )
    elif folder.is_absolute() or model.startswith("."):
        raise WhisperUnavailable(f"There is no directory {model}.")
    try:
        return WhisperModel(
            model, device=device, compute_type=compute_type, cpu_threads=threads, local_files_only=offline
        )
    except Exception as error:
        # Hub, CTranslate2 and tokenizer fail with whatever they have; here is where it is made one.
        raise WhisperUnavailable(_why(model, device, compute_type, offline, error)) from error


def _why(model: str, device: str, compute_type: str, offline: bool, error: Exception) -> str:
    kind = type(error).__name__
    if offline and kind == "LocalEntryNotFoundError":
        return f"The model {model} is not on this machine, and --offline forbids to fetch it. Fetch it once without."
    said = " ".join(str(error).split())[:200].rstrip(".")
    advice = "Check the name, and the way to the model hub; or name a directory with a converted model."
    if isinstance(error, ValueError | RuntimeError) and not kind.startswith("HF"):
        advice = f"Check --device {device} and --compute-type {compute_type}."
    return f"The model {model} can't be loaded ({kind}: {said}). {advice}"


def _languages(model: WhisperModel) -> Iterator[str]:
    """Those of the tokenizer, since not every model has all that faster-whisper knows."""
    for language in model.supported_languages:
        if not model.model.is_multilingual or model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None:
            yield language


def _plain(tokenizer: Tokenizer, tokens: list[int]) -> list[Word]:
    return [Word(text) for text, _, _ in _words(tokenizer, tokens)]


def _timed(tokenizer: Tokenizer, tokens: list[int], result: "ctranslate2.models.WhisperAlignmentResult") -> list[Word]:
    """A token lasts from the first moment that is aligned with it to the first of the next."""
    begins: dict[int, float] = {}
    for token, moment in result.alignments:
        begins.setdefault(token, moment * 2 / _FRAMES)
    end = max(begins.values(), default=0.0)
    marks = [begins.get(token, end) for token in range(len(tokens) + 1)]
    return [
        Word(text, marks[first], marks[last], float(np.mean(result.text_token_probs[first:last])))
        for text, first, last in _words(tokenizer, tokens)
    ]


def _words(tokenizer: Tokenizer, tokens: list[int]) -> list[tuple[str, int, int]]:
    """Each word with the tokens it takes, from and to; signs belong to the word before."""
    texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    marks = [0, *np.cumsum([len(part) for part in parts]).tolist()]
    words: list[tuple[str, int, int]] = []
    for text, (first, last) in zip(texts[:-1], pairwise(marks), strict=False):
        plain = text.strip()
        if words and not any(map(str.isalnum, plain)):
            before, begin, _ = words.pop()
            words.append((before + plain, begin, last))
        elif plain:
            words.append((plain, first, last))
    return words
