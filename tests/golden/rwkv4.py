#!/usr/bin/env python3
"""Golden numbers of a small RWKV-4: rwkv4.py FOLDER. Needs PyTorch and safetensors.

Writes FOLDER/rwkv4.safetensors, random weights under their official names in float32, and FOLDER/rwkv4_expected.safetensors,
what the model makes of some tokens in float64: logits, the loss, and the gradient of every weight ("gradient." + its name).
The model is written from the paper's equations (Peng et al. 2023, arXiv 2305.13048), sums over all earlier tokens spelled out.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, layer_norm

VOCAB, WIDTH, LAYERS, HIDDEN, BATCH, TIME = 19, 8, 2, 24, 2, 35

torch.manual_seed(4)


def uniform(low, high, *shape):
    return low + (high - low) * torch.rand(shape)


def norm(name):
    return {name + ".weight": uniform(0.5, 1.5, WIDTH), name + ".bias": uniform(-0.3, 0.3, WIDTH)}


weights = {
    "emb.weight": uniform(-1, 1, VOCAB, WIDTH),
    "head.weight": uniform(-0.6, 0.6, VOCAB, WIDTH),
    **norm("blocks.0.ln0"),
    **norm("ln_out"),
}
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

p = {name: w.double().requires_grad_() for name, w in weights.items()}


def norm_of(name, x):
    return layer_norm(x, (WIDTH,), p[name + ".weight"], p[name + ".bias"], 1e-5)


def mixed(name, x):
    before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
    return x * p[name] + before * (1 - p[name])


def wkv(k, v, decay, first):
    outputs = []
    for t in range(k.shape[1]):
        age = torch.arange(t - 1, -1, -1, dtype=torch.float64).view(1, t, 1)
        exponents = torch.cat([k[:, :t] - age * torch.exp(decay), k[:, t : t + 1] + first], 1)
        outputs.append((torch.softmax(exponents, 1) * v[:, : t + 1]).sum(1))
    return torch.stack(outputs, 1)


def time_mixing(at, x):
    k, v, r = (mixed(at + "time_mix_" + m, x) @ p[at + w + ".weight"].T for m, w in zip("kvr", ("key", "value", "receptance")))
    return (torch.sigmoid(r) * wkv(k, v, p[at + "time_decay"], p[at + "time_first"])) @ p[at + "output.weight"].T


def channel_mixing(at, x):
    k = mixed(at + "time_mix_k", x) @ p[at + "key.weight"].T
    r = mixed(at + "time_mix_r", x) @ p[at + "receptance.weight"].T
    return torch.sigmoid(r) * (torch.relu(k) ** 2 @ p[at + "value.weight"].T)


def model(tokens):
    x = norm_of("blocks.0.ln0", p["emb.weight"][tokens])
    for block in range(LAYERS):
        at = f"blocks.{block}."
        x = x + time_mixing(at + "att.", norm_of(at + "ln1", x))
        x = x + channel_mixing(at + "ffn.", norm_of(at + "ln2", x))
    return norm_of("ln_out", x) @ p["head.weight"].T


tokens = torch.randint(0, VOCAB, (BATCH, TIME + 1))
logits = model(tokens[:, :-1])
loss = cross_entropy(logits.reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
loss.backward()

save_file(weights, sys.argv[1] + "/rwkv4.safetensors")
expected = {"tokens": tokens.int(), "logits": logits.detach(), "loss": loss.detach()}
expected |= {"gradient." + name: x.grad for name, x in p.items()}
save_file({name: x.contiguous() for name, x in expected.items()}, sys.argv[1] + "/rwkv4_expected.safetensors")
