#!/usr/bin/env python3
"""Golden numbers of a small GPT-2: gpt2.py MODELS.py > gpt2.txt. Needs PyTorch.

MODELS.py has GPT2(vocab, width, layers, heads, context), a nanoGPT-like model. Every line of the output is a name, a count
and that many numbers, row-major: tokens, the parameters by their names, the loss, and gradients of some of them.
"""
import importlib.util
import sys

import torch

VOCAB, WIDTH, LAYERS, HEADS, CONTEXT, BATCH, TIME = 11, 8, 2, 2, 12, 2, 9

spec = importlib.util.spec_from_file_location("models", sys.argv[1])
models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(models)

torch.manual_seed(2)
model = models.GPT2(VOCAB, WIDTH, LAYERS, HEADS, CONTEXT).double()
with torch.no_grad():  # few digits: the file stays small and exact; away from the initial values, where biases are 0
    for p in model.parameters():
        p.copy_(((p + 0.3 * torch.randn_like(p)) * 1000).round() / 1000)
tokens = torch.randint(0, VOCAB, (BATCH, TIME + 1))
loss = torch.nn.functional.cross_entropy(model(tokens[:, :-1]).view(-1, VOCAB), tokens[:, 1:].reshape(-1))
loss.backward()


def line(name, x):
    print(name, x.numel(), *("%.12g" % value for value in x.detach().flatten().tolist()))


line("tokens", tokens.double())
line("loss", loss)
for name, p in model.named_parameters():
    line(name, p)
for name, p in model.named_parameters():
    if name.endswith(("wte.weight", "wpe.weight", "bias")) or "h.1.attn" in name:
        line("d:" + name, p.grad)
