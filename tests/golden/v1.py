#!/usr/bin/env python3
"""Golden numbers of a small RWKV of the seed study: v1.py > v1.txt. Needs PyTorch.

Written from the formulas, with loops over pairs of tokens where the study builds a Toeplitz matrix. Every line of the
output is a name, a count and that many numbers, row-major: tokens, the parameters by their names, the loss, gradients.
"""
import torch
from torch import nn
from torch.nn import functional as F

VOCAB, C, LAYERS, H, D, HIDDEN, WINDOW, BATCH, TIME = 7, 6, 2, 2, 3, 5, 8, 2, 6


def shifted(x):
    half = x.shape[-1] // 2
    before = torch.cat([torch.zeros_like(x[:, :1, :half]), x[:, :-1, :half]], dim=1)
    return F.silu(torch.cat([before, x[..., half:]], dim=-1))


class TimeMix(nn.Module):
    def __init__(self):
        super().__init__()
        self.time_w = nn.Parameter(torch.rand(H, WINDOW))
        self.time_alpha = nn.Parameter(torch.ones(H, 1, WINDOW))
        self.time_beta = nn.Parameter(torch.ones(H, WINDOW, 1))
        self.time_gamma = nn.Parameter(torch.ones(WINDOW, 1))
        self.Receptance = nn.Linear(C, H * D)
        self.Key = nn.Linear(C, H * D)
        self.Value = nn.Linear(C, H * D)
        self.output = nn.Linear(H * D, C)

    def forward(self, x):
        z = shifted(x)
        e, v = torch.exp(self.Key(z)), self.Value(z)
        outputs = []
        for t in range(x.shape[1]):
            heads = []
            for h in range(H):
                at = slice(h * D, (h + 1) * D)
                num = sum(self.time_w[h, WINDOW - 1 - (t - s)] * self.time_alpha[h, 0, s] * self.time_beta[h, t, 0]
                          * e[:, s, at] * v[:, s, at] for s in range(t + 1))
                heads.append(num / e[:, :t + 1, at].sum(dim=1))
            outputs.append(self.output(torch.cat(heads, dim=-1)) * self.time_gamma[t])
        return torch.stack(outputs, dim=1)


class ChannelMix(nn.Module):
    def __init__(self):
        super().__init__()
        self.Receptance = nn.Linear(C, C)
        self.Key = nn.Linear(C, HIDDEN)
        self.Value = nn.Linear(C, HIDDEN)
        self.Weight = nn.Linear(HIDDEN, C)

    def forward(self, x):
        z = shifted(x)
        return torch.sigmoid(self.Receptance(z)) * self.Weight(F.mish(self.Key(z)) * self.Value(z))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.Layer_Norm1, self.timemix = nn.LayerNorm(C), TimeMix()
        self.Layer_Norm2, self.channelmix = nn.LayerNorm(C), ChannelMix()

    def forward(self, x):
        x = x + self.timemix(self.Layer_Norm1(x))
        return x + self.channelmix(self.Layer_Norm2(x))


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.Layer_Norm, self.output = nn.LayerNorm(C), nn.Linear(C, VOCAB)

    def forward(self, x):
        return self.output(self.Layer_Norm(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.Layer_Norm = nn.Embedding(VOCAB, C), nn.LayerNorm(C)
        self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
        self.lm_head = Head()

    def forward(self, tokens):
        return self.lm_head(self.blocks(self.Layer_Norm(self.embedding(tokens))))


def line(name, x):
    print(name, x.numel(), *("%.12g" % value for value in x.detach().flatten().tolist()))


torch.manual_seed(2)
model = Model().double()
with torch.no_grad():  # few digits: the file stays small and exact; away from the initial values
    for p in model.parameters():
        p.copy_(((p + 0.3 * torch.randn_like(p)) * 1000).round() / 1000)
tokens = torch.randint(0, VOCAB, (BATCH, TIME + 1))
loss = F.cross_entropy(model(tokens[:, :-1]).reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
loss.backward()
line("tokens", tokens.double())
line("loss", loss)
for name, p in model.named_parameters():
    line(name, p)
for name, p in model.named_parameters():
    if p.grad is not None:
        line("d:" + name, p.grad)
