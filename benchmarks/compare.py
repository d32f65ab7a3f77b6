#!/usr/bin/env python3
"""Our programs and a PyTorch program in turn, A B A B ..., and the ratio of their medians.

    benchmarks/compare.py --peer torch_peer.py --text train.txt [--build build/release/benchmarks] [--rounds 5] [--only 128x4]

Both print one JSON line with tokens_per_second and peak_rss_mb. Nothing else may run meanwhile.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

SIZES = {"128x4": (128, 40), "384x6": (256, 10), "768x12": (256, 6)}  # context, steps


def run(command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit("%s\nended with %d:\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="the PyTorch program")
    parser.add_argument("--text", required=True, help="UTF-8 text to train on")
    parser.add_argument("--build", default="build/release/benchmarks", help="folder of train_speed and decode_speed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=",".join(SIZES), help="sizes, and decode")
    parser.add_argument("--model", default="rwkv4", choices=("rwkv4", "rwkv7", "gpt2"), help="which to train")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"), help="of both; PyTorch's bf16 is autocast")
    parser.add_argument("--peer-options", default="", help="passed on, such as '--malloc huge'")
    args = parser.parse_args()
    extra = args.peer_options.split()
    for size in args.only.split(","):
        if size == "decode":
            ours = [args.build + "/decode_speed", "--size", "768x12", "--vocab", "256", "--threads", str(args.threads)]
            theirs = [sys.executable, args.peer, "decode", "--model", "rwkv4", "--width", "768", "--layers", "12", "--threads", str(args.threads)]
        else:
            width, layers = size.split("x")
            context, steps = SIZES[size]
            same = ["--batch", "8", "--context", str(context), "--steps", str(steps), "--threads", str(args.threads), "--text", args.text]
            ours = [args.build + "/train_speed", "--model", args.model, "--size", size, "--precision", args.precision] + same
            theirs = [sys.executable, args.peer, "train", "--model", args.model, "--width", width, "--layers", layers, "--dtype", args.precision] + same
        a, b = [], []
        for _ in range(args.rounds):
            a.append(run(ours))
            b.append(run(theirs + extra))
        speed = [statistics.median(r["tokens_per_second"]["median"] for r in rows) for rows in (a, b)]
        memory = [statistics.median(r["peak_rss_mb"] for r in rows) for rows in (a, b)]
        pairs = ["%.2f" % (x["tokens_per_second"]["median"] / y["tokens_per_second"]["median"]) for x, y in zip(a, b)]
        print("%s %-8s tokens/s %.0f against %.0f: %.2f (pairs %s); peak MB %.0f against %.0f: %.0f %%; %s, PyTorch %s" %
              ("rwkv4" if size == "decode" else args.model, size, speed[0], speed[1], speed[0] / speed[1], " ".join(pairs), memory[0], memory[1],
               100 * memory[0] / memory[1], a[0]["processor"], b[0]["torch"]), flush=True)


if __name__ == "__main__":
    main()
