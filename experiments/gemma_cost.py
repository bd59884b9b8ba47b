"""What Gemma 3 1B costs a CPU behind `models serve gguf`, and whether a turn costs only what is new in it.

    pip install 'client-caller[cpu,tiers]'
    python experiments/gemma_cost.py --threads 1

The weights are random, of the sizes of gemma-3-1b-it-Q4_K_M.gguf (blocks in Q5_0, the vocabulary in Q8_0), so the cost
is right and the words are none. Needs 1 GB of disk for the time being.
"""

import argparse
import tempfile
import time
from pathlib import Path

import gguf
import httpx
import numpy as np
import xllamacpp
from gguf.quants import quantize

from client_caller.models.llama import Launch, _params

WIDTH, LAYERS, HEADS, HEAD, FEED, WORDS, WINDOW = 1152, 26, 4, 256, 6912, 262_144, 512
"""From the published config.json of google/gemma-3-1b-it."""


def write(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_context_length(32_768)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_sliding_window(WINDOW)
    writer.add_rope_freq_base(1_000_000.0)
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += [f"w{number}" for number in range(WORDS - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(n) for n in range(WORDS)])
    writer.add_token_types([3, 3, 3, 2, *[6] * 256, *[1] * (WORDS - 260)])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    random = np.random.default_rng(7)
    made: dict[tuple[int, ...], np.ndarray] = {}

    def add(name: str, kind: gguf.GGMLQuantizationType, *shape: int) -> None:
        if shape not in made:
            made[shape] = quantize(random.standard_normal(shape, dtype=np.float32) * 0.02, kind)
        writer.add_tensor(name, made[shape], raw_dtype=kind)

    def ones(name: str, size: int) -> None:
        writer.add_tensor(name, np.ones(size, np.float32))

    add("token_embd.weight", gguf.GGMLQuantizationType.Q8_0, WORDS, WIDTH)
    ones("output_norm.weight", WIDTH)
    q5 = gguf.GGMLQuantizationType.Q5_0
    for n in range(LAYERS):
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            ones(f"blk.{n}.{name}.weight", WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            ones(f"blk.{n}.{name}.weight", HEAD)
        add(f"blk.{n}.attn_q.weight", q5, HEADS * HEAD, WIDTH)
        add(f"blk.{n}.attn_k.weight", q5, HEAD, WIDTH)
        add(f"blk.{n}.attn_v.weight", q5, HEAD, WIDTH)
        add(f"blk.{n}.attn_output.weight", q5, WIDTH, HEADS * HEAD)
        add(f"blk.{n}.ffn_gate.weight", q5, FEED, WIDTH)
        add(f"blk.{n}.ffn_up.weight", q5, FEED, WIDTH)
        add(f"blk.{n}.ffn_down.weight", q5, WIDTH, FEED)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def asked(address: str, prompt: list[int], tokens: int) -> dict[str, float]:
    body = {"prompt": prompt, "n_predict": tokens, "cache_prompt": True, "ignore_eos": True, "temperature": 0}
    answer = httpx.post(f"{address}/completion", json=body, timeout=600).json()
    timings: dict[str, float] = answer["timings"]
    return timings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=0)
    threads = parser.parse_args().threads
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "gemma.gguf"
        begun = time.monotonic()
        write(model)
        print(f"{model.stat().st_size / 1e9:.2f} GB, written in {time.monotonic() - begun:.0f} s")
        params = _params(Launch(model, threads=threads))
        params.hostnames, params.port = ["127.0.0.1"], 0
        server = xllamacpp.Server(params)
        address = server.listening_address
        random = np.random.default_rng(7)
        prompt = [int(token) for token in random.integers(300, 200_000, 900)]
        more = [int(token) for token in random.integers(300, 200_000, 60)]
        cases = {
            "cold prompt": prompt,
            "the next turn": prompt + more,
            "after an interruption": prompt[:400] + more,
        }
        for name, tokens in cases.items():
            for length in (1, 17):
                busy = time.process_time()
                took = asked(address, tokens, length)
                busy = time.process_time() - busy
                print(
                    f"{name}: {took['cache_n']} of {len(tokens)} tokens are known; read {took['prompt_n']} in "
                    f"{took['prompt_ms'] / 1000:.2f} s and wrote {length} in {took['predicted_ms'] / 1000:.2f} s, "
                    f"{busy:.2f} s of processor time in all"
                )
        del server


if __name__ == "__main__":
    main()
