"""A real llama.cpp server with a tiny random model, for tests: `python llama_server.py FOLDER [--port PORT]`.

It writes the model (GGUF version 3: github.com/ggml-org/ggml, docs/gguf.md), starts the server on the loopback port
that is given or a free one, prints the address as its only line and serves until its standard input is closed. A
process of its own, so that a crash in native code cannot take the tests down.
"""

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xllamacpp

EMBEDDING, HEADS, FEED_FORWARD, LAYERS, CONTEXT = 64, 2, 128, 1, 8192
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind: int, item: Any) -> bytes:
    if kind == STRING:
        return string(item)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], item)


def entry(key: str, kind: int, item: Any) -> bytes:
    return string(key) + struct.pack("<I", kind) + value(kind, item)


def array(key: str, kind: int, items: list[Any]) -> bytes:
    head = struct.pack("<IIQ", ARRAY, kind, len(items))
    return string(key) + head + b"".join(value(kind, item) for item in items)


def vocabulary() -> tuple[list[str], list[float], list[int]]:
    """Three control tokens, the 256 bytes (every text has tokens) and the lower-case letters and space."""
    normal = ["\u2581", *"abcdefghijklmnopqrstuvwxyz", ".", "\u2581the", "\u2581you", "\u2581hello"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *normal]
    scores = [0.0] * 259 + [-float(i) for i in range(len(normal))]
    kinds = [2, 3, 3] + [6] * 256 + [1] * len(normal)
    return tokens, scores, kinds


def tensors(words: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    output = weights(words, EMBEDDING)
    made = {"token_embd.weight": weights(words, EMBEDDING), "output_norm.weight": np.ones(EMBEDDING, np.float32)}
    made["output.weight"] = output
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            made[f"blk.{layer}.{name}.weight"] = weights(EMBEDDING, EMBEDDING)
        for name in ("attn_norm", "ffn_norm"):
            made[f"blk.{layer}.{name}.weight"] = np.ones(EMBEDDING, np.float32)
        made[f"blk.{layer}.ffn_gate.weight"] = weights(FEED_FORWARD, EMBEDDING)
        made[f"blk.{layer}.ffn_up.weight"] = weights(FEED_FORWARD, EMBEDDING)
        made[f"blk.{layer}.ffn_down.weight"] = weights(EMBEDDING, FEED_FORWARD)
    return made


def write_model(path: Path) -> None:
    tokens, scores, kinds = vocabulary()
    entries = [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, "tiny"),
        entry("llama.context_length", UINT32, CONTEXT),
        entry("llama.embedding_length", UINT32, EMBEDDING),
        entry("llama.block_count", UINT32, LAYERS),
        entry("llama.feed_forward_length", UINT32, FEED_FORWARD),
        entry("llama.attention.head_count", UINT32, HEADS),
        entry("llama.rope.dimension_count", UINT32, EMBEDDING // HEADS),
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        entry("llama.vocab_size", UINT32, len(tokens)),
        entry("tokenizer.ggml.model", STRING, "llama"),
        array("tokenizer.ggml.tokens", STRING, tokens),
        array("tokenizer.ggml.scores", FLOAT32, scores),
        array("tokenizer.ggml.token_type", INT32, kinds),
        entry("tokenizer.ggml.unknown_token_id", UINT32, 0),
        entry("tokenizer.ggml.bos_token_id", UINT32, 1),
        entry("tokenizer.ggml.eos_token_id", UINT32, 2),
        entry("tokenizer.chat_template", STRING, CHAT_TEMPLATE),
    ]
    made = tensors(len(tokens))
    infos, data = b"", b""
    for name, tensor in made.items():
        shape = tensor.shape[::-1]
        infos += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += tensor.tobytes() + b"\0" * (-tensor.nbytes % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(made), len(entries)) + b"".join(entries) + infos
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)


def main(folder: Path, port: int) -> None:
    model = folder / "tiny.gguf"
    write_model(model)
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {"tiny"}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = 1
    params.n_ctx = CONTEXT
    params.cpuparams.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[3]) if sys.argv[2:] else 0)
