#!/usr/bin/env python3
"""Golden numbers of tuned states: time_state.py FOLDER, beside the models of small_model.py, which it reads.

FOLDER/time_state6.pth and 7: a file as official state tuning writes it, nothing but blocks.N.att.time_state, (heads, values,
keys), in bf16; FOLDER/time_state6.safetensors: the same in float32; FOLDER/time_state6_expected.safetensors: tokens, and the logits in float64 of a model that begins with it.
"""
import pathlib
import sys

import small_model
import torch
from safetensors.torch import load_file, save_file

models = {}
small_model.write = lambda folder, name, weights, model: models.update({name: model})
import rwkv6
import rwkv7

golden, to = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])
for version, heads in ("6", rwkv6.HEADS), ("7", rwkv7.HEADS):
    torch.manual_seed(600 + int(version))
    size = small_model.WIDTH // heads
    states = {f"blocks.{block}.att.time_state": small_model.uniform(-1, 1, heads, size, size).bfloat16()
              for block in range(small_model.LAYERS)}
    torch.save(states, to / f"time_state{version}.pth")
    states = {name: state.float() for name, state in states.items()}
    weights = load_file(golden / f"rwkv{version}.safetensors") | states
    tokens = torch.randint(0, small_model.VOCAB, (small_model.BATCH, 7))
    logits = models["rwkv" + version](small_model.Weights((n, w.double()) for n, w in weights.items()), tokens)
    save_file(states, to / f"time_state{version}.safetensors")
    save_file({"tokens": tokens.int(), "logits": logits.contiguous()}, to / f"time_state{version}_expected.safetensors")
