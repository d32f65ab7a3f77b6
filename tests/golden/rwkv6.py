#!/usr/bin/env python3
"""Golden numbers of a small RWKV-6 and of the three RWKV-5: rwkv6.py FOLDER, see small_model.py.

The models are written from the paper's equations (Peng et al. 2024, arXiv 2404.05892), token by token.
"""
import sys

import torch
from small_model import BATCH, LAYERS, WIDTH, before, logits_of, norm, outer_weights, uniform, write
from torch.nn.functional import group_norm, silu

HEADS, HIDDEN, MIX_RANK, DECAY_RANK = 2, 12, 3, 2
SIZE = WIDTH // HEADS


def heads(x):
    return x.reshape(BATCH, -1, HEADS, SIZE)


def wkv(r, k, v, w, u, start):
    """w: the decay of every token, u: (HEADS, SIZE), start: the state before the first token, values by keys."""
    state = start.mT  # keys by values
    outputs = []
    for t in range(r.shape[1]):
        new = k[:, t, :, :, None] * v[:, t, :, None, :]
        outputs.append((r[:, t, :, None, :] @ (u[:, :, None] * new + state)).squeeze(-2))
        state = w[:, t, :, :, None] * state + new
    return torch.stack(outputs, 1)


def normed(p, at, y):
    return group_norm(y.reshape(-1, WIDTH), HEADS, p[at + "ln_x.weight"], p[at + "ln_x.bias"], 64e-5).view(BATCH, -1, WIDTH)


def channel_weights(ffn, mix):
    weights = {f"{ffn}{mix}_{m}": uniform(0.02, 1, 1, 1, WIDTH) for m in "kr"}
    weights[ffn + "key.weight"] = uniform(-0.6, 0.6, HIDDEN, WIDTH)
    weights[ffn + "value.weight"] = uniform(-0.3, 0.3, WIDTH, HIDDEN)
    weights[ffn + "receptance.weight"] = uniform(-0.6, 0.6, WIDTH, WIDTH)
    return weights


def channel_mixing(p, at, xk, xr):
    k = torch.relu(xk @ p[at + "key.weight"].T) ** 2
    return torch.sigmoid(xr @ p[at + "receptance.weight"].T) * (k @ p[at + "value.weight"].T)


def version_6():
    weights = outer_weights()
    for block in range(LAYERS):
        att, ffn = f"blocks.{block}.att.", f"blocks.{block}.ffn."
        weights |= norm(f"blocks.{block}.ln1") | norm(f"blocks.{block}.ln2") | norm(att + "ln_x")
        for mix in "xwkvrg":
            weights[att + "time_maa_" + mix] = uniform(-0.2, 1, 1, 1, WIDTH)
        weights[att + "time_maa_w1"] = uniform(-1, 1, WIDTH, 5 * MIX_RANK)
        weights[att + "time_maa_w2"] = uniform(-0.5, 0.5, 5, MIX_RANK, WIDTH)
        weights[att + "time_decay"] = uniform(-5, 1, 1, 1, WIDTH)
        weights[att + "time_decay_w1"] = uniform(-1, 1, WIDTH, DECAY_RANK)
        weights[att + "time_decay_w2"] = uniform(-1, 1, DECAY_RANK, WIDTH)
        weights[att + "time_faaaa"] = uniform(-1, 1, HEADS, SIZE)
        for matrix in "receptance", "key", "value", "gate", "output":
            weights[att + matrix + ".weight"] = uniform(-1, 1, WIDTH, WIDTH)
        weights |= channel_weights(ffn, "time_maa")

    def model(p, tokens):
        def time_mixing(block, x):
            at = f"blocks.{block}.att."
            change = before(x) - x
            m = torch.tanh((x + change * p[at + "time_maa_x"]) @ p[at + "time_maa_w1"]).view(BATCH, -1, 5, 1, MIX_RANK)
            m = (m @ p[at + "time_maa_w2"]).squeeze(-2)
            xw, xk, xv, xr, xg = (x + change * (p[at + "time_maa_" + c] + m[:, :, i]) for i, c in enumerate("wkvrg"))
            decay = p[at + "time_decay"] + torch.tanh(xw @ p[at + "time_decay_w1"]) @ p[at + "time_decay_w2"]
            r, k, v, g = (z @ p[at + n + ".weight"].T
                          for z, n in ((xr, "receptance"), (xk, "key"), (xv, "value"), (xg, "gate")))
            y = wkv(heads(r), heads(k), heads(v), heads(torch.exp(-torch.exp(decay))), p[at + "time_faaaa"],
                    p.start(at, HEADS))
            return (normed(p, at, y) * silu(g)) @ p[at + "output.weight"].T

        def feed(block, x):
            at = f"blocks.{block}.ffn."
            change = before(x) - x
            return channel_mixing(p, at, x + change * p[at + "time_maa_k"], x + change * p[at + "time_maa_r"])

        return logits_of(p, tokens, time_mixing, feed)

    return weights, model


def version_5(minor):
    gated = minor > 0
    of_heads = (HEADS, SIZE) if minor == 2 else (HEADS,)
    weights = outer_weights()
    for block in range(LAYERS):
        att, ffn = f"blocks.{block}.att.", f"blocks.{block}.ffn."
        weights |= norm(f"blocks.{block}.ln1") | norm(f"blocks.{block}.ln2") | norm(att + "ln_x")
        weights[att + "time_decay"] = uniform(-5, 1, *of_heads)
        weights[att + ("time_faaaa" if gated else "time_first")] = uniform(-1, 1, *of_heads)
        for mix in "kvrg" if gated else "kvr":
            weights[att + "time_mix_" + mix] = uniform(0.02, 1.2, 1, 1, WIDTH)
        for matrix in ("receptance", "key", "value", "output") + (("gate",) if gated else ()):
            weights[att + matrix + ".weight"] = uniform(-1, 1, WIDTH, WIDTH)
        weights |= channel_weights(ffn, "time_mix")

    def model(p, tokens):
        def mixed(name, x):
            return x * p[name] + before(x) * (1 - p[name])

        def time_mixing(block, x):
            at = f"blocks.{block}.att."
            r, k, v = (mixed(at + "time_mix_" + m, x) @ p[at + n + ".weight"].T
                       for m, n in (("r", "receptance"), ("k", "key"), ("v", "value")))
            spread = torch.ones(HEADS, SIZE, dtype=torch.float64)
            u = p[at + "time_faaaa"] if gated else torch.exp(p[at + "time_first"])
            w = torch.exp(-torch.exp(p[at + "time_decay"]))
            u, w = (z if minor == 2 else z[:, None] * spread for z in (u, w))
            y = wkv(heads(r), heads(k), heads(v), w.expand(BATCH, x.shape[1], HEADS, SIZE), u, p.start(at, HEADS))
            y = normed(p, at, y)
            if gated:
                y = y * silu(mixed(at + "time_mix_g", x) @ p[at + "gate.weight"].T)
            return y @ p[at + "output.weight"].T

        def feed(block, x):
            at = f"blocks.{block}.ffn."
            return channel_mixing(p, at, mixed(at + "time_mix_k", x), mixed(at + "time_mix_r", x))

        return logits_of(p, tokens, time_mixing, feed)

    return weights, model


torch.manual_seed(6)
write(sys.argv[1], "rwkv6", *version_6())
for minor in 0, 1, 2:
    torch.manual_seed(50 + minor)
    write(sys.argv[1], f"rwkv5_{minor}", *version_5(minor))
