"""Pocket TTS out of a local folder. The only module that imports the package.

The folder holds `model.safetensors`, `tokenizer.json` and `voices/NAME.safetensors`, a voice being what the model
remembers after it has heard a speaker (`pocket-tts export-voice` makes one). Nothing is fetched. For weights of another
size or language there is a `config.yaml` in the package's own format; without it they are the English ones of the
package.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pocket_tts import TTSModel
from pocket_tts.utils.config import CONFIGS_DIR

logging.getLogger("pocket_tts").setLevel(logging.ERROR)
"""Its warnings quote the text, and what is said in a call belongs in no log."""

WEIGHTS, TOKENIZER, VOICES, CONFIG = "model.safetensors", "tokenizer.json", "voices", "config.yaml"


class WeightsError(Exception):
    """The folder can't be served. `str(error)` says what is missing and how to get it."""


class PocketVoice:
    """One loaded model, which speaks one text at a time (the package's own limit)."""

    def __init__(self, folder: Path) -> None:
        """Raises `WeightsError`."""
        for name in (WEIGHTS, TOKENIZER):
            if not (folder / name).is_file():
                raise WeightsError(
                    f"There is no {name} in {folder}. To get the voice, run: client-caller models pull cpu"
                )
        files = sorted((folder / VOICES).glob("*.safetensors"))
        if not files:
            raise WeightsError(
                f"There is no voice in {folder / VOICES}. To get one, run: client-caller models pull cpu"
            )
        try:
            self._model = _loaded(folder)
            self._voices = {file.stem: self._model.get_state_for_audio_prompt(file) for file in files}
        except Exception as error:  # of half a dozen libraries
            raise WeightsError(
                f"What is in {folder} does not belong together, or not to this release of pocket-tts: {error}"
            ) from error

    @property
    def sample_rate(self) -> int:
        return int(self._model.sample_rate)

    @property
    def voices(self) -> list[str]:
        return list(self._voices)

    def speak(self, voice: str, text: str, stop: threading.Event) -> Iterator[bytes]:
        """The sound of a text, 16 bit PCM, in pieces of 80 ms or more as they are made. Blocks between them.

        Once `stop` is set it ends with the frame in flight. It has to be read to its end: threads of the package make
        what is read here.
        """
        for samples in self._model.generate_audio_stream(self._voices[voice], text, stop=stop):
            yield (samples.numpy().clip(-1.0, 1.0) * 32767).astype(np.dtype("<i2")).tobytes()


def _loaded(folder: Path) -> Any:
    own = folder / CONFIG
    config = yaml.safe_load((own if own.is_file() else CONFIGS_DIR / "english.yaml").read_text(encoding="utf-8"))
    config["weights_path"] = str((folder / WEIGHTS).absolute())
    config["weights_path_without_voice_cloning"] = None
    config["flow_lm"]["lookup_table"]["tokenizer_path"] = str((folder / TOKENIZER).absolute())
    with tempfile.TemporaryDirectory() as making:
        written = Path(making) / CONFIG
        written.write_text(yaml.safe_dump(config), encoding="utf-8")
        return TTSModel.load_model(config=written)
