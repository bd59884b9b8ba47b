"""How near do the figures of `audio.line_quality` come to the truth?

    python experiments/line_quality.py

27 s of a reader's voice with each noise of the shared set at a known ratio of mean powers (pauses included in both),
through G.711 and Silero as a call hears them. Printed: the ratio that the last of the audio leaves in the judge, and
when it told what (b: bad, g: good; seconds).
"""

from pathlib import Path

import numpy as np

from client_caller.audio import g711
from client_caller.audio.line_quality import LineJudge
from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.labelled_audio import recordings
from client_caller.conversation.policy import Policy
from client_caller.models.cache import find

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
VOICE = "l02_sense_and_sensibility"
RATIOS = (10, 5, 0)


def measured(batch: VoiceBatch, mulaw: bytes) -> str:
    judge, voice, told = LineJudge(Policy()), batch.join(), []
    for start in range(0, len(mulaw), WINDOW):
        piece = mulaw[start : start + WINDOW]
        voice.feed(piece)
        judge.hear(piece)
        for heard in batch.run():
            news = judge.judge(heard.probability, heard.level, (start + WINDOW) // 8)
            told += [f"{'b' if news.bad else 'g'}{news.at / 1000:.0f}"] if news is not None else []
    voice.leave()
    figures = judge.figures()
    return f"{figures.speech - figures.noise:6.1f} {' '.join(told):14s}"


def main() -> None:
    batch, everything = VoiceBatch(find("silero-vad")), recordings(AUDIO)
    speech = g711.decode_float(next(one for one in everything if one.name == VOICE).mulaw()).astype(np.float64)
    print(f"{'':20s}" + "".join(f"{f'{ratio} dB':22s}" for ratio in RATIOS))
    for one in everything:
        if one.entry["set"] != "noise":
            continue
        noise = np.resize(g711.decode_float(one.mulaw()).astype(np.float64), len(speech))
        noise *= np.sqrt(np.mean(speech**2) / np.mean(noise**2))
        mixes = (np.clip(speech + noise * 10 ** (-ratio / 20), -1, 1).astype(np.float32) for ratio in RATIOS)
        print(f"{one.name:20s}" + " ".join(measured(batch, g711.encode_float(mix)) for mix in mixes))


if __name__ == "__main__":
    main()
