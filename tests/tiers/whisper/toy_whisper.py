"""A Whisper of 0.2 million parameters that reads seven spoken sounds, trained by whoever needs it in about a minute.

    python toy_whisper.py FOLDER    # makes FOLDER/model and, in mu-law, FOLDER/sounds/LANGUAGE-WORD

Its words are vowels in eSpeak NG's voice through G.711: our voice activity model takes them for speech, as it would not
take tones. Vocabulary, special tokens, prompt, mel input and file formats are Whisper's own (Radford et al. 2022), so
all code that loads and runs the real one runs on this; only its window is 4 s instead of 30. It knows languages and
silence, and some of its training begins with a prompt or ends in the middle of a word, as calls do.

Like the real one it was never shown audio that ends within a word and asked for that word: it may guess.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
import numpy.typing as npt
import tokenizers
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import decoders, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, WhisperConfig, WhisperForConditionalGeneration

from client_caller.audio import g711
from client_caller.audio.resample import resample
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext

WORDS = {
    "en": ("ah", "ee", "oo", "er", "mm"),
    "de": ("eh", "au"),
}
WINDOW = 4
"""Seconds."""
RATE = 16_000
_BANDS = 80
_STEPS = 360
_RATE = 3e-3
_BATCH = 16
MAX_LOSS = 0.4
"""A toy that knows its words ends near 0.15: words that are cut off can only be guessed."""

Floats = npt.NDArray[np.float32]


async def speak_words() -> dict[tuple[str, str], bytes]:
    """The sound of each word alone, by language and word: mu-law at 8 kHz without the silence around it."""
    voice = Espeak()
    sounds = {}
    try:
        for language, words in WORDS.items():
            for word in words:
                context = CallContext("toy", language="en-us" if language == "en" else language)
                mulaw = b"".join([speech.mulaw async for speech in voice.speak(context, word)])
                loud = np.flatnonzero(np.abs(g711.decode_float(mulaw)) > 0.01)
                sounds[language, word] = mulaw[max(0, loud[0] - 160) : loud[-1] + 160]
    finally:
        await voice.close()
    return sounds


def make_tokenizer() -> tokenizers.Tokenizer:
    """Byte-level BPE in which each word is one token, then the special tokens in Whisper's order."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    merges = []
    for word in dict.fromkeys(word for words in WORDS.values() for word in words):
        whole = "Ġ"
        for letter in word:
            if whole + letter not in vocabulary:
                merges.append((whole, letter))
                vocabulary[whole + letter] = len(vocabulary)
            whole += letter
    # CTranslate2 takes a model for multilingual if its vocabulary has the empty string.
    vocabulary[""] = len(vocabulary)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = [f"<|{language}|>" for language in WORDS]
    tasks = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens(["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks])
    return tokenizer


@dataclass
class _Example:
    audio: Floats
    """The window, at 16 kHz."""
    tokens: list[int]
    begin: int
    """Index of `<|startoftranscript|>`: what lies before is prompt, and not to be learned."""
    spans: list[tuple[int, int]]
    """Where each word lies, in encoder positions of 20 ms: the last so many tokens before the end."""


@dataclass
class _Examples:
    """Makes what the toy learns from."""

    sounds: Mapping[tuple[str, str], bytes]
    tokenizer: tokenizers.Tokenizer
    random: np.random.Generator

    def make(self, longest: int) -> _Example:
        """One utterance of up to `longest` words."""
        language = str(self.random.choice(list(WORDS), p=[0.7, 0.3]))
        audio, words, spans = self._utterance(language, longest)
        prompt: list[int] = []
        if self.random.random() < 0.2:
            prompt = [self._id("<|startofprev|>")]
            for word in self.random.choice(WORDS["en"], self.random.integers(1, 4)):
                prompt += self.tokenizer.encode(f" {word}").ids
        tokens = [*prompt, self._id("<|startoftranscript|>")]
        if words:
            tokens += [self._id(f"<|{language}|>"), self._id("<|transcribe|>"), self._id("<|notimestamps|>")]
            tokens += self.tokenizer.encode("".join(f" {word}" for word in words)).ids
        else:
            tokens.append(self._id("<|nospeech|>"))
        return _Example(audio, [*tokens, self._id("<|endoftext|>")], len(prompt), spans)

    def _utterance(self, language: str, longest: int) -> tuple[Floats, list[str], list[tuple[int, int]]]:
        """Words at some loudness on a line with some noise; one in four is cut off somewhere."""
        pieces, words, spans = [self._pause(0.0, 0.25)], [], []
        for word in self._choose(WORDS[language], int(self.random.integers(0, longest + 1))):
            begin = sum(map(len, pieces))
            pieces += [g711.decode_float(self.sounds[language, word]), self._pause(0.06, 0.3)]
            words.append(word)
            spans.append((begin, begin + len(pieces[-2])))
        audio = np.concatenate(pieces)
        if words and self.random.random() < 0.25:
            audio = audio[: self.random.integers(len(audio) // 8, len(audio))]
            spans = [span for span in spans if span[1] <= len(audio) + 400]
        audio = audio * 10 ** self.random.uniform(-0.5, 0.1)
        audio += self.random.normal(0, 10 ** self.random.uniform(-4.5, -3.2), len(audio))
        heard = resample(g711.decode_float(g711.encode_float(audio.astype(np.float32))), g711.SAMPLE_RATE, RATE)
        window = np.pad(heard, (0, WINDOW * RATE))[: WINDOW * RATE]
        return window, words[: len(spans)], [(begin // 160, end // 160) for begin, end in spans]

    def _choose(self, words: Sequence[str], count: int) -> list[str]:
        """No word twice in a row: how often "ah ah ah" has it, even a larger model miscounts."""
        chosen: list[str] = []
        while len(chosen) < count:
            word = str(self.random.choice(words))
            chosen += [word] if chosen[-1:] != [word] else []
        return chosen

    def _pause(self, shortest: float, longest: float) -> Floats:
        return np.zeros(round(self.random.uniform(shortest, longest) * g711.SAMPLE_RATE), np.float32)

    def _id(self, token: str) -> int:
        return int(self.tokenizer.token_to_id(token))


def _log_mel(audio: Floats) -> torch.Tensor:
    """What faster-whisper's feature extractor makes of each row, for a whole batch: (B, bands, frames)."""
    filters = torch.from_numpy(FeatureExtractor(feature_size=_BANDS, chunk_length=WINDOW).mel_filters)
    spectrum = torch.stft(torch.from_numpy(audio), 400, 160, window=torch.hann_window(400), return_complex=True)
    bands = torch.log10((filters @ spectrum[..., :-1].abs() ** 2).clamp(min=1e-10))
    return (torch.maximum(bands, bands.amax((1, 2), keepdim=True) - 8) + 4) / 4


def _train(model: WhisperForConditionalGeneration, examples: _Examples, end: int) -> float:
    """Returns the last loss. Two teachers beside the text make it quick: what the encoder hears at each moment, and
    where the decoder looks for each word, which also makes the word times good."""
    hears = torch.nn.Linear(model.config.d_model, model.config.vocab_size)
    parameters = [*model.parameters(), *hears.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=_STEPS, pct_start=0.15)
    for step in range(_STEPS):
        batch = [examples.make(longest=3 if step < _STEPS // 3 else 5) for _ in range(_BATCH)]
        longest = max(len(example.tokens) for example in batch)
        tokens = torch.full((_BATCH, longest), end)
        labels = torch.full((_BATCH, longest), -100)
        moments = torch.zeros((_BATCH, WINDOW * 50), dtype=torch.long)
        looks = torch.zeros((_BATCH, longest - 1, WINDOW * 50))
        for row, example in enumerate(batch):
            ids, spans = torch.tensor(example.tokens), example.spans
            tokens[row, : len(ids)] = ids
            labels[row, example.begin + 1 : len(ids)] = ids[example.begin + 1 :]
            first = len(ids) - 1 - len(spans)
            for place, (begin, until) in enumerate(spans, first):
                moments[row, begin:until] = ids[place]
                looks[row, place - 1, begin:until] = 1
        mel = _log_mel(np.stack([example.audio for example in batch]))
        output = model(input_features=mel, decoder_input_ids=tokens[:, :-1], output_attentions=True)
        text = torch.nn.functional.cross_entropy(output.logits.transpose(1, 2), labels[:, 1:])
        heard = torch.nn.functional.cross_entropy(hears(output.encoder_last_hidden_state).transpose(1, 2), moments)
        seen = (output.cross_attentions[-1].mean(1) * looks).sum(-1)[looks.any(-1)]
        loss = text + heard - torch.log(seen + 1e-6).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    return float(text.detach())


def _configure(tokenizer: tokenizers.Tokenizer) -> WhisperConfig:
    end = tokenizer.token_to_id("<|endoftext|>")
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size() + WINDOW * 50 + 1,
        num_mel_bins=_BANDS,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        d_model=64,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_source_positions=WINDOW * 50,
        max_target_positions=128,
        dropout=0.0,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


def make_toy(folder: Path, sounds: Mapping[tuple[str, str], bytes]) -> Path:
    """Train, convert to CTranslate2 in int8, and return the model's directory, `folder` / "model"."""
    torch.manual_seed(1)
    torch.set_num_threads(1)  # more would gain little, and add up the same numbers in another order
    tokenizer = make_tokenizer()
    config = _configure(tokenizer)
    model = WhisperForConditionalGeneration._from_config(config, attn_implementation="eager")
    examples = _Examples(sounds, tokenizer, np.random.default_rng(1))
    loss = _train(model, examples, config.eos_token_id)
    if loss > MAX_LOSS:
        raise RuntimeError(f"The toy did not learn its words: its loss is {loss:.2f}")
    model.generation_config = GenerationConfig(
        alignment_heads=[[1, head] for head in range(4)],
        lang_to_id={f"<|{language}|>": tokenizer.token_to_id(f"<|{language}|>") for language in WORDS},
        is_multilingual=True,
        suppress_tokens=[tokenizer.token_to_id("<|startoftranscript|>")],
        begin_suppress_tokens=[tokenizer.token_to_id("Ġ"), config.eos_token_id],
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
    )
    source = folder / "transformers"
    model.save_pretrained(source)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(source)
    (source / "preprocessor_config.json").write_text(json.dumps({"feature_size": _BANDS, "chunk_length": WINDOW}))
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    return Path(converter.convert(str(folder / "model"), quantization="int8", force=True))


def main(folder: Path) -> None:
    sounds = asyncio.run(speak_words())
    (folder / "sounds").mkdir(parents=True)
    for (language, word), mulaw in sounds.items():
        (folder / "sounds" / f"{language}-{word}").write_bytes(mulaw)
    make_toy(folder, sounds)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
