#!/usr/bin/env python3
"""Golden numbers of a small RWKV-4: rwkv4.py FOLDER, see small_model.py.

The model is written from the paper's equations (Peng et al. 2023, arXiv 2305.13048), sums over all earlier tokens spelled out.
"""
import sys

import torch
from small_model import LAYERS, WIDTH, before, logits_of, norm, outer_weights, uniform, write

HIDDEN = 24

torch.manual_seed(4)
weights = outer_weights()
for block in range(LAYERS):
    att, ffn = f"blocks.{block}.att.", f"blocks.{block}.ffn."
    weights |= norm(f"blocks.{block}.ln1") | norm(f"blocks.{block}.ln2")
    weights[att + "time_decay"] = uniform(-5, 1.5, WIDTH)
    weights[att + "time_first"] = uniform(-1.5, 1.5, WIDTH)
    for mix in "kvr":
        weights[att + "time_mix_" + mix] = uniform(0.02, 1.2, 1, 1, WIDTH)
    for matrix in "key", "value", "receptance", "output":
        weights[att + matrix + ".weight"] = uniform(-1, 1, WIDTH, WIDTH)
    for mix in "kr":
        weights[ffn + "time_mix_" + mix] = uniform(0.02, 1, 1, 1, WIDTH)
    weights[ffn + "key.weight"] = uniform(-0.6, 0.6, HIDDEN, WIDTH)
    weights[ffn + "value.weight"] = uniform(-0.3, 0.3, WIDTH, HIDDEN)
    weights[ffn + "receptance.weight"] = uniform(-0.6, 0.6, WIDTH, WIDTH)


def wkv(k, v, decay, first):
    outputs = []
    for t in range(k.shape[1]):
        age = torch.arange(t - 1, -1, -1, dtype=torch.float64).view(1, t, 1)
        exponents = torch.cat([k[:, :t] - age * torch.exp(decay), k[:, t : t + 1] + first], 1)
        outputs.append((torch.softmax(exponents, 1) * v[:, : t + 1]).sum(1))
    return torch.stack(outputs, 1)


def model(p, tokens):
    def mixed(name, x):
        return x * p[name] + before(x) * (1 - p[name])

    def time_mixing(block, x):
        at = f"blocks.{block}.att."
        names = zip("kvr", ("key", "value", "receptance"))
        k, v, r = (mixed(at + "time_mix_" + m, x) @ p[at + w + ".weight"].T for m, w in names)
        return (torch.sigmoid(r) * wkv(k, v, p[at + "time_decay"], p[at + "time_first"])) @ p[at + "output.weight"].T

    def channel_mixing(block, x):
        at = f"blocks.{block}.ffn."
        k = mixed(at + "time_mix_k", x) @ p[at + "key.weight"].T
        r = mixed(at + "time_mix_r", x) @ p[at + "receptance.weight"].T
        return torch.sigmoid(r) * (torch.relu(k) ** 2 @ p[at + "value.weight"].T)

    return logits_of(p, tokens, time_mixing, channel_mixing)


write(sys.argv[1], "rwkv4", weights, model)
