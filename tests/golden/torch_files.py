#!/usr/bin/env python3
"""Small files of torch.save and what torch reads from them: torch_files.py FOLDER.

Made with torch 2.15.0 and safetensors 0.8.0. In torch_expected.safetensors, FILE/NAME is the tensor NAME as PthFile calls it.
"""
import sys
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

folder = Path(sys.argv[1])
torch.manual_seed(1)
expected = {}


def save(file, what, tensors=None, **options):
    torch.save(what, folder / file, **options)
    for name, tensor in (tensors or {}).items():
        real = tensor.is_floating_point()
        expected[f"{file}/{name}"] = tensor.detach().to(torch.float32 if real else tensor.dtype).contiguous().clone()


def expect_all(file, tensors, **options):
    save(file, tensors, {name: t for name, t in tensors.items() if torch.is_tensor(t)}, **options)


expect_all("plain.pth", {
    "emb.weight": torch.randn(3, 4), "half": torch.randn(5).half(), "brain": torch.randn(2, 1, 2).bfloat16(),
    "double": torch.randn(2).double(), "none": torch.zeros(0, 3), "step": torch.tensor(-7), "mask": torch.tensor([True, False, True]),
    "unsigned": torch.tensor([1, 65535], dtype=torch.uint16), "bytes": torch.tensor([1, 255], dtype=torch.uint8),
    "epoch": 3, "big": 1 << 40, "negative": -2, "rate": 0.1, "note": "caf\u00e9", "done": True, "nothing": None,
    "shape": torch.Size([1, 2]), "device": torch.device("cpu"), "list": [1, (2, {"a": 3})]})

module = torch.nn.Sequential(OrderedDict(key=torch.nn.Linear(3, 2), norm=torch.nn.LayerNorm(2))).bfloat16()
expect_all("module.pth", module.state_dict(keep_vars=True))
module.norm.weight.note = "a parameter with a state of its own"
expect_all("attributes.pth", module.state_dict(keep_vars=True))

matrix, cube = torch.randn(4, 5), torch.randn(2, 3, 5).half()
expect_all("strided.pth", {
    "whole": matrix, "transposed": matrix.t(), "corner": matrix[1:3, 2:], "column": matrix[:, 3], "row": matrix[2], "odd": cube[1, 2, 1:],
    "swapped": cube.permute(2, 0, 1), "one": cube[1:, :, 4:], "every other": cube[:, ::2, ::3], "long": torch.randn(50, 40).t()})

inner = {"emb.weight": torch.randn(2, 3), "blocks.0.att.key.weight": torch.randn(2, 2), "head.weight": torch.randn(3, 2)}
wrapped = {f"module._orig_mod.{'' if name.startswith('head') else 'rwkv.model.'}{name}": t for name, t in inner.items()}
save("nested.pth", {"epoch": 4, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}, "state_dict": {"model": wrapped}}, inner)
expect_all("transformers.pth", {f"rwkv.{name}": torch.randn(2) for name in ("embeddings.weight", "blocks.0.pre_ln.weight")})
expect_all("protocol5.pth", {"emb.weight": torch.randn(3, 2), "ln_out.bias": torch.randn(2)}, pickle_protocol=5)
expect_all("state.pth", {f"blocks.{block}.att.time_state": torch.randn(2, 4, 4) for block in range(2)})
beside = {"rng": torch.arange(4, dtype=torch.uint8), "seed": (1 << 63) + 5, "skipped": {1, 2}, "bytes": b"\x80", "pair": 1 + 2j,
          "changed": bytearray(b"ab"), "frozen": frozenset({3}), "model": {"emb.weight": torch.arange(6.0).view(2, 3)}, "module": {}}
for protocol in (2, 5):
    save(f"training{protocol}.pth", beside, beside["model"], pickle_protocol=protocol)

# What is refused.
save("converted.pth", {"emb.weight": torch.randn(2, 2), "_strategy": "cpu fp32", "_version": 0.7})
save("legacy.pth", {"emb.weight": torch.randn(2, 2)}, _use_new_zipfile_serialization=False)
save("tensor.pth", torch.ones(2))
save("empty.pth", {"args": {"n_layer": 2}, "epoch": 3})
save("whole.pth", {"model": torch.nn.Linear(2, 2)})
save("numpy.pth", {"emb.weight": torch.ones(2), "loss": numpy.float64(1.5)})
save("expanded.pth", {"emb.weight": torch.ones(1).expand(1000)})
save("conjugate.pth", {"emb.weight": torch.ones(2, dtype=torch.complex64).conj()})
save("sparse.pth", {"emb.weight": torch.eye(2).to_sparse()})


class Script(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2))

    def forward(self, x):
        return x * self.weight


torch.jit.save(torch.jit.script(Script()), folder / "script.pth")
save_file(expected, folder / "torch_expected.safetensors")
