"""What Pocket TTS costs a CPU: processor time for a second of speech, and the time to the first sound.

Run in an environment with `[cpu]`: `python experiments/pocket_cost.py`. The weights are random, of the sizes of the
English model, so the cost is right and the sound is none. A text is as long as the package lets it be.
"""

import logging
import tempfile
import time
from pathlib import Path

import torch
import yaml
from pocket_tts import TTSModel
from pocket_tts.utils.config import CONFIGS_DIR
from tokenizers import Tokenizer, models, pre_tokenizers

TEXT = "Your table is booked."


def made(folder: Path) -> TTSModel:
    config = yaml.safe_load((CONFIGS_DIR / "english.yaml").read_text())
    table = config["flow_lm"]["lookup_table"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    unused = [f"<{number}>" for number in range(table["n_bins"] - len(letters))]
    tokenizer = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate([*letters, *unused])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    table["tokenizer_path"] = str(folder / "tokenizer.json")
    config |= {"weights_path": None, "weights_path_without_voice_cloning": None, "default_eos_threshold": 1e9}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    model = TTSModel.load_model(config=folder / "config.yaml")
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.02)
    return model


def main() -> None:
    logging.getLogger("pocket_tts").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        model = made(Path(folder))
    voice = model.get_state_for_audio_prompt(torch.randn(1, 5 * model.sample_rate) * 0.1)
    print(f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.0f} million weights")
    for _ in range(4):
        begun, busy = time.monotonic(), time.process_time()
        pieces = model.generate_audio_stream(voice, TEXT)
        samples = len(next(pieces))
        first = time.monotonic() - begun
        samples += sum(map(len, pieces))
        sound = samples / model.sample_rate
        wall, busy = time.monotonic() - begun, time.process_time() - busy
        print(
            f"first sound {first * 1000:.0f} ms; {sound:.1f} s of sound in {wall:.1f} s, "
            f"{busy / sound:.2f} s of processor time for one"
        )


if __name__ == "__main__":
    main()
