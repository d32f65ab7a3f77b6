#!/usr/bin/env python3
"""Golden numbers of a small RWKV-7: rwkv7.py FOLDER, see small_model.py.

The model is written from the paper's equations (Peng et al. 2025, arXiv 2503.14456), token by token.
"""
import sys

import torch
from small_model import BATCH, LAYERS, WIDTH, before, logits_of, norm, outer_weights, uniform, write
from torch.nn.functional import group_norm, normalize

HEADS, HIDDEN, RANKS = 2, 12, {"w": 3, "a": 2, "v": 4, "g": 5}
SIZE = WIDTH // HEADS

torch.manual_seed(7)
weights = outer_weights()
for block in range(LAYERS):
    att, ffn = f"blocks.{block}.att.", f"blocks.{block}.ffn."
    weights |= norm(f"blocks.{block}.ln1") | norm(f"blocks.{block}.ln2") | norm(att + "ln_x")
    for mix in "rwkvag":
        weights[att + "x_" + mix] = uniform(0.02, 1.2, 1, 1, WIDTH)
    for letter, rank in RANKS.items():
        if letter == "v" and block == 0:
            continue
        weights[att + letter + "1"] = uniform(-1, 1, WIDTH, rank)
        weights[att + letter + "2"] = uniform(-1, 1, rank, WIDTH)
        if letter != "g":
            weights[att + letter + "0"] = uniform(-2, 2, 1, 1, WIDTH) - (1 if letter == "w" else 0)
    weights[att + "k_k"] = uniform(0.5, 1.2, 1, 1, WIDTH)
    weights[att + "k_a"] = uniform(0.2, 1.2, 1, 1, WIDTH)
    weights[att + "r_k"] = uniform(-0.5, 0.5, HEADS, SIZE)
    for matrix in "key", "value", "receptance", "output":
        weights[att + matrix + ".weight"] = uniform(-1, 1, WIDTH, WIDTH)
    weights[ffn + "x_k"] = uniform(0.02, 1, 1, 1, WIDTH)
    weights[ffn + "key.weight"] = uniform(-0.6, 0.6, HIDDEN, WIDTH)
    weights[ffn + "value.weight"] = uniform(-0.6, 0.6, WIDTH, HIDDEN)


def heads(x):
    return x.view(BATCH, -1, HEADS, SIZE)


def wkv(r, w, k, v, kk, a, state):
    """state: before the first token, values by keys."""
    outputs = []
    for t in range(r.shape[1]):
        removed = (state @ kk[:, t, :, :, None]) @ (kk * a)[:, t, :, None, :]
        state = state * w[:, t, :, None, :] - removed + v[:, t, :, :, None] * k[:, t, :, None, :]
        outputs.append((state @ r[:, t, :, :, None]).squeeze(-1))
    return torch.stack(outputs, 1)


def model(p, tokens):
    first = []

    def mixed(name, x):
        return x + (before(x) - x) * p[name]

    def time_mixing(block, x):
        at = f"blocks.{block}.att."
        xr, xw, xk, xv, xa, xg = (mixed(at + "x_" + m, x) for m in "rwkvag")
        r, k, v = (z @ p[at + n + ".weight"].T for z, n in ((xr, "receptance"), (xk, "key"), (xv, "value")))
        decay = torch.exp(-torch.exp(torch.tensor(-0.5).double()) *
                          torch.sigmoid(p[at + "w0"] + torch.tanh(xw @ p[at + "w1"]) @ p[at + "w2"]))
        a = torch.sigmoid(p[at + "a0"] + xa @ p[at + "a1"] @ p[at + "a2"])
        g = torch.sigmoid(xg @ p[at + "g1"]) @ p[at + "g2"]
        if block == 0:
            first.append(v)
        else:
            v = v + (first[0] - v) * torch.sigmoid(p[at + "v0"] + xv @ p[at + "v1"] @ p[at + "v2"])
        kk = normalize(heads(k * p[at + "k_k"]), dim=-1)
        k = k * (1 + (a - 1) * p[at + "k_a"])
        y = wkv(heads(r), heads(decay), heads(k), heads(v), kk, heads(a), p.start(at, HEADS))
        y = group_norm(y.reshape(-1, WIDTH), HEADS, p[at + "ln_x.weight"], p[at + "ln_x.bias"], 64e-5).view_as(x)
        bonus = (heads(r) * heads(k) * p[at + "r_k"]).sum(-1, keepdim=True) * heads(v)
        return ((y + bonus.reshape(x.shape)) * g) @ p[at + "output.weight"].T

    def channel_mixing(block, x):
        at = f"blocks.{block}.ffn."
        return torch.relu(mixed(at + "x_k", x) @ p[at + "key.weight"].T) ** 2 @ p[at + "value.weight"].T

    return logits_of(p, tokens, time_mixing, channel_mixing)


write(sys.argv[1], "rwkv7", weights, model)
