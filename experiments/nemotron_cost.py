"""What does a second of speech cost a CPU? Nemotron's size with random weights, through the server's own engine.

    pip install 'client-caller[nemotron]'
    python experiments/nemotron_cost.py

The encoder's work does not depend on what the weights are; the decoder writes next to nothing here, and is small beside
it. The figures are CPU time of one thread for each call and second of its speech, the median of five chunks.

One thread of a shared core, float32, on a machine with three times more to do than it could:

    chunks of   80 ms, calls at a time: 1, CPU: 1.77 s
    chunks of  160 ms, calls at a time: 1, CPU: 1.84 s
    chunks of  560 ms, calls at a time: 1, CPU: 0.70 s
    chunks of  560 ms, calls at a time: 4, CPU: 0.41 s
    chunks of 1120 ms, calls at a time: 1, CPU: 0.43 s
"""

import time
from statistics import median

import numpy as np
import torch
from transformers import (
    NemotronAsrStreamingConfig,
    NemotronAsrStreamingEncoderConfig,
    NemotronAsrStreamingFeatureExtractor,
    NemotronAsrStreamingForRNNT,
)

from client_caller.models.nemotron.chunks import Chunk, Cutter, Sizes, Stream
from client_caller.models.nemotron.engine import Engine
from client_caller.models.nemotron.weights import Weights

MELS = 128
STEPS = 5


def main() -> None:
    torch.set_num_threads(1)
    config = NemotronAsrStreamingConfig(encoder_config=NemotronAsrStreamingEncoderConfig(num_mel_bins=MELS))
    model = NemotronAsrStreamingForRNNT(config).eval().requires_grad_(False)
    model.joint.head.bias[config.blank_token_id] = 10.0
    parameters = sum(weight.numel() for weight in model.parameters())
    print(f"{parameters / 1e6:.0f} million parameters, {parameters * 2 / 1e9:.2f} GB in bfloat16")
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=MELS)
    for lookahead, calls in ((0, 1), (1, 1), (6, 1), (6, 4), (13, 1)):
        sizes = Sizes(lookahead)
        engine = Engine(Weights(model, extractor, {}, sizes, config.encoder_config.sliding_window - 1))
        streams = [Stream() for _ in range(calls)]
        noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 12).astype(np.float32)
        took = []
        for samples in Cutter(sizes).push(noise)[: STEPS + 1]:
            begun = time.process_time()
            engine.transcribe([Chunk(stream, samples) for stream in streams])
            took.append(time.process_time() - begun)
        seconds = (lookahead + 1) * sizes.frame
        cost = median(took[1:]) / seconds / calls
        print(f"chunks of {seconds * 1000:4.0f} ms, calls at a time: {calls}, CPU: {cost:.2f} s")


main()
