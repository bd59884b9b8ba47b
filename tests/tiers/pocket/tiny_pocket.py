"""A Pocket TTS with random weights, in the format of the published ones: `python tiny_pocket.py FOLDER`.

Made by the package itself, from a configuration of small sizes, so that what is loaded is what it would publish. The
end of a text is a guess of the model: these weights always guess that it is now, so a sentence takes about a second.
"""

import sys
from pathlib import Path

import torch
import yaml
from pocket_tts import TTSModel, export_model_state
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

SAMPLE_RATE = 24_000
_SEANET = {
    "dimension": 32,
    "channels": 1,
    "n_filters": 2,
    "n_residual_layers": 1,
    "ratios": [6, 5, 4],
    "kernel_size": 7,
    "residual_kernel_size": 3,
    "last_kernel_size": 3,
    "dilation_base": 2,
    "pad_mode": "constant",
    "compress": 2,
}
_CONFIG = {
    "default_eos_threshold": -1e9,
    "flow_lm": {
        "insert_bos_before_voice": True,
        "dtype": "float32",
        "flow": {"depth": 1, "dim": 16},
        "transformer": {"d_model": 32, "hidden_scale": 2, "max_period": 10000, "num_heads": 2, "num_layers": 2},
        "lookup_table": {"dim": 32, "n_bins": 0, "tokenizer": "tokenizers", "tokenizer_path": ""},
    },
    "mimi": {
        "dtype": "float32",
        "sample_rate": SAMPLE_RATE,
        "inner_dim": 8,
        "outer_dim": 32,
        "channels": 1,
        "frame_rate": 12.5,
        "seanet": _SEANET,
        "transformer": {
            "d_model": 32,
            "num_heads": 2,
            "num_layers": 1,
            "layer_scale": 0.01,
            "context": 250,
            "dim_feedforward": 32,
            "input_dimension": 32,
            "output_dimensions": [32],
        },
        "quantizer": {"dimension": 8, "output_dimension": 32},
    },
}


def main(folder: Path) -> None:
    """Write model, tokenizer, configuration and the voice `alba`."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    table = _CONFIG["flow_lm"]["lookup_table"]  # type: ignore[index]
    table |= {"n_bins": len(letters), "tokenizer_path": str(folder / "tokenizer.json")}
    (folder / "config.yaml").write_text(yaml.safe_dump(_CONFIG))
    torch.manual_seed(7)
    model = TTSModel.load_model(config=folder / "config.yaml")
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.2)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    (folder / "voices").mkdir()
    voice = model.get_state_for_audio_prompt(torch.randn(1, SAMPLE_RATE) * 0.1)
    export_model_state(voice, folder / "voices" / "alba.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
