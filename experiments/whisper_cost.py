"""What does a transcript cost at real size? Whisper's sizes with random weights, through the server's own backend.

    pip install 'client-caller[whisper,tiers]'
    python experiments/whisper_cost.py --size base.en
    python experiments/whisper_cost.py --size large-v3-turbo --device cuda --compute-type float16

Time does not depend on what the weights are, but on how many tokens are written: here always the most that the
backend allows for the audio (10 a second and 16 more), two to three times those of real speech. So the figures are
upper bounds. "wall" is milliseconds of a run of the whole batch, the median of five; "CPU" those of all threads.

One thread of a shared EPYC core, int8, 3 s of speech; the machine had five times more to do than it could, so only the
CPU time says anything:

                       guess in 30 s   final words   guess in 10 s
    tiny.en, batch 1          438 ms        421 ms          144 ms
    base.en, batch 1          827 ms        847 ms          259 ms
    base.en, batch 4        3,354 ms      3,545 ms          630 ms
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from transformers import GenerationConfig, PreTrainedTokenizerFast, WhisperConfig, WhisperForConditionalGeneration

from client_caller.models.hearing.recogniser import SAMPLE_RATE
from client_caller.models.whisper.backend import Window
from client_caller.models.whisper.faster import FasterWhisper

SIZES = {
    "tiny.en": (384, 4, 4, 6, 80),
    "base.en": (512, 6, 6, 8, 80),
    "small.en": (768, 12, 12, 12, 80),
    "distil-large-v3": (1280, 32, 2, 20, 128),
    "large-v3-turbo": (1280, 32, 4, 20, 128),
}
"""Width, encoder layers, decoder layers, heads, mel bands (the published configurations)."""
VOCABULARY = 51_866
TOY = Path(__file__).parents[1] / "tests" / "tiers" / "whisper" / "toy_whisper.py"


def make(size: str, folder: Path, compute_type: str) -> Path:
    """Random weights of a size, converted; every token but words is forbidden, so that it writes to the end."""
    width, encoder, decoder, heads, bands = SIZES[size]
    spec = importlib.util.spec_from_file_location("toy_whisper", TOY)
    assert spec is not None
    assert spec.loader is not None
    toy = importlib.util.module_from_spec(spec)
    sys.modules["toy_whisper"] = toy
    spec.loader.exec_module(toy)
    tokenizer = toy.make_tokenizer()
    end = tokenizer.token_to_id("<|endoftext|>")
    torch.manual_seed(1)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=VOCABULARY,
            num_mel_bins=bands,
            d_model=width,
            encoder_layers=encoder,
            decoder_layers=decoder,
            encoder_attention_heads=heads,
            decoder_attention_heads=heads,
            encoder_ffn_dim=4 * width,
            decoder_ffn_dim=4 * width,
            pad_token_id=end,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=end + 1,
        )
    )
    model.generation_config = GenerationConfig(
        alignment_heads=[[decoder - 1, head] for head in range(heads)],
        lang_to_id={"<|en|>": tokenizer.token_to_id("<|en|>")},
        suppress_tokens=list(range(end, VOCABULARY)),
        begin_suppress_tokens=[end],
        eos_token_id=end,
        decoder_start_token_id=end + 1,
    )
    source = folder / "transformers"
    model.save_pretrained(source)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(source)
    (source / "preprocessor_config.json").write_text(json.dumps({"feature_size": bands, "chunk_length": 30}))
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    return Path(converter.convert(str(folder / "model"), quantization=compute_type))


def measure(whisper: FasterWhisper, batch: int, seconds: float, *, final: bool) -> tuple[float, float]:
    """Milliseconds of wall clock and of CPU for one run."""
    noise = np.random.default_rng(1).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    windows = [Window(noise, "en", final=final)] * batch
    whisper.transcribe(windows)
    walls, cpus = [], []
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        whisper.transcribe(windows)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return statistics.median(walls), statistics.median(cpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="base.en")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compute-type", default="int8")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0, help="of speech")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make(options.size, Path(folder), options.compute_type)
        settings = {"device": options.device, "compute_type": options.compute_type, "threads": options.threads}
        for shortest in (None, 10.0):
            whisper = FasterWhisper(str(model), offline=True, shortest=shortest, **settings)
            for final in (False, True) if shortest is None else (False,):
                for batch in options.batches:
                    wall, cpu = measure(whisper, batch, options.seconds, final=final)
                    kind = "final words" if final else f"guess in {shortest or 30.0:.0f} s"
                    print(f"{options.size} {kind:14} batch {batch}: wall {wall:7.0f} ms, CPU {cpu:7.0f} ms", flush=True)


if __name__ == "__main__":
    main()
