#!/usr/bin/env python3
"""RWKV-7 of 0.19 B by llama.cpp and by decode_speed and prefill_speed in turn, and the ratio of the medians.

    pip install xllamacpp==2026.10.11549 gguf numpy
    benchmarks/llama_beside.py [--build build/release/benchmarks] [--rounds 2] [--threads 1,2] [--weights fp32,bf16,q8_0,q4_0]

Both have random weights: 12 layers, 768 channels, 65,536 tokens. llama.cpp reads a GGUF file that is written here, whose matrices have
the same type as ours, F16 beside our bf16. Nothing else may run meanwhile.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

TYPES = {"fp32": "F32", "bf16": "F16", "q8_0": "Q8_0", "q4_0": "Q4_0"}
WIDTH, HIDDEN, LAYERS, VOCABULARY, HEAD = 768, 3072, 12, 65536, 64
RANKS = {"w": 64, "a": 64, "v": 32, "g": 128}
PROMPT, TOKENS = 512, 96


def write_model(path, weights):
    import gguf
    import numpy as np

    kind = getattr(gguf.GGMLQuantizationType, TYPES[weights])
    random = np.random.default_rng(1)
    out = gguf.GGUFWriter(path, "rwkv7")
    out.add_context_length(4096)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(HIDDEN)
    out.add_head_count(0)
    out.add_wkv_head_size(HEAD)
    out.add_layer_norm_eps(1e-5)
    out.add_decay_lora_rank(RANKS["w"])
    out.add_iclr_lora_rank(RANKS["a"])
    out.add_value_residual_mix_lora_rank(RANKS["v"])
    out.add_gate_lora_rank(RANKS["g"])
    out.add_tokenizer_model("rwkv")
    out.add_token_list(["<s>"] + ["\\x%02x" % byte for byte in range(256)] + ["t%dq" % i for i in range(VOCABULARY - 257)])
    out.add_token_types([gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (VOCABULARY - 1))

    def floats(name, *shape, value=None):
        out.add_tensor(name, np.full(shape, value, np.float32) if value is not None
                       else (0.02 * random.standard_normal(shape)).astype(np.float32))

    def matrix(name, *shape):
        numbers = (0.02 * random.standard_normal(shape)).astype(np.float32)
        out.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)

    def norm(name):
        floats(name + ".weight", WIDTH, value=1)
        floats(name + ".bias", WIDTH, value=0)

    matrix("token_embd.weight", VOCABULARY, WIDTH)
    matrix("output.weight", VOCABULARY, WIDTH)
    norm("token_embd_norm")
    norm("output_norm")
    for layer in range(LAYERS):
        block = "blk.%d." % layer
        for name in ("attn_norm", "attn_norm_2", "time_mix_ln"):
            norm(block + name)
        floats(block + "time_mix_lerp_fused.weight", 6, 1, 1, WIDTH)
        floats(block + "channel_mix_lerp_k.weight", WIDTH)
        for name in ("w0", "a0", "v0", "k_k", "k_a", "r_k"):
            floats(block + "time_mix_%s.weight" % name, WIDTH)
        for name in RANKS:  # llama.cpp asks for the rank of a in v of the first block
            rank = RANKS["a" if name == "v" and layer == 0 else name]
            floats(block + "time_mix_%s1.weight" % name, rank, WIDTH)
            floats(block + "time_mix_%s2.weight" % name, WIDTH, rank)
        for name in ("receptance", "key", "value", "output"):
            matrix(block + "time_mix_%s.weight" % name, WIDTH, WIDTH)
        matrix(block + "channel_mix_key.weight", HIDDEN, WIDTH)
        matrix(block + "channel_mix_value.weight", WIDTH, HIDDEN)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def llama(path, threads):
    """Tokens per second of reading and of writing, in a process of its own, which this is."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_ctx = 1024
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(settings)
    rounds = []
    for i in range(3):
        answer = server.handle_completions({"prompt": "A" * (PROMPT - 1) + str(i), "max_tokens": TOKENS, "temperature": 0,
                                            "ignore_eos": True, "cache_prompt": False})
        times = answer["timings"]
        assert times["prompt_n"] == PROMPT and times["predicted_n"] == TOKENS, times
        rounds.append((times["prompt_per_second"], times["predicted_per_second"]))
    print(json.dumps([statistics.median(column) for column in zip(*rounds)]))


def last_json(command, start):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s\nended with %d:\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
    return json.loads([line for line in done.stdout.splitlines() if line.startswith(start)][-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release/benchmarks", help="folder of decode_speed and prefill_speed")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--weights", default=",".join(TYPES))
    parser.add_argument("--llama", nargs=2, metavar=("FILE", "THREADS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.llama:
        return llama(args.llama[0], int(args.llama[1]))
    with tempfile.TemporaryDirectory() as folder:
        for weights in args.weights.split(","):
            path = os.path.join(folder, weights + ".gguf")
            write_model(path, weights)
            for threads in args.threads.split(","):
                def speed(program, *more):
                    return last_json([args.build + "/" + program, "--model", "rwkv7", "--size", "%dx%d" % (WIDTH, LAYERS), "--vocab",
                                      str(VOCABULARY), "--threads", threads, *more], "{")["tokens_per_second"]["median"]

                kept = ["--weights", "own" if weights == "fp32" else weights]
                reading = ["--prompt", str(PROMPT), "--rounds", "3"]
                pairs = {"writes": [], "reads": [], "reads with activations in bf16": []}
                for _ in range(args.rounds):
                    read, wrote = last_json([sys.executable, __file__, "--llama", path, threads], "[")
                    pairs["writes"].append((speed("decode_speed", "--tokens", str(TOKENS), *kept), wrote))
                    pairs["reads"].append((speed("prefill_speed", *reading, *kept), read))
                    if weights != "fp32":
                        pairs["reads with activations in bf16"].append(
                            (speed("prefill_speed", *reading, "--precision", "bf16", *kept), read))
                for what, rounds in pairs.items():
                    if not rounds:
                        continue
                    ours, theirs = (statistics.median(column) for column in zip(*rounds))
                    print("%s, %s threads, %s: tokens/s %.0f against %.0f: %.2f (pairs %s)" %
                          (weights, threads, what, ours, theirs, ours / theirs, " ".join("%.2f" % (a / b) for a, b in rounds)),
                          flush=True)
            os.remove(path)


if __name__ == "__main__":
    main()
