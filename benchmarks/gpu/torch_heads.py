"""Recurrences with a matrix for each head in PyTorch, in chunks of tokens as products of matrices, and the model of the last.

Signals have the shape (batch, time, heads, channels); w is the logarithm of the decay. The state is keys by values.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

CHUNK = 16


def wkv6_loop(w, u, r, k, v):
    z, out = r.new_zeros(r.shape[0], r.shape[2], r.shape[3], r.shape[3]), []
    for t in range(r.shape[1]):
        kv = k[:, t, :, :, None] * v[:, t, :, None]
        out.append((r[:, t, :, None] @ (z + u[:, :, None] * kv)).squeeze(2))
        z = torch.exp(w[:, t])[..., None] * z + kv
    return torch.stack(out, 1)


def wkv7_loop(w, r, k, v, a, b):
    z, out = r.new_zeros(r.shape[0], r.shape[2], r.shape[3], r.shape[3]), []
    for t in range(r.shape[1]):
        recalled = a[:, t, :, None] @ z
        z = torch.exp(w[:, t])[..., None] * z + b[:, t, :, :, None] * recalled + k[:, t, :, :, None] * v[:, t, :, None]
        out.append((r[:, t, :, None] @ z).squeeze(2))
    return torch.stack(out, 1)


def chunks(x):
    """(batch, heads, chunks, tokens of a chunk, channels)."""
    return x.unflatten(1, (-1, CHUNK)).permute(0, 3, 1, 2, 4)


def in_order(y):
    return y.permute(0, 2, 3, 1, 4).flatten(1, 2)


def wkv6(w, u, r, k, v):
    w, r, k, v = map(chunks, (w, r, k, v))
    after = w.cumsum(3)
    before, whole = after - w, after[..., -1:, :]
    earlier = torch.ones(CHUNK, CHUNK, dtype=torch.bool, device=r.device).tril(-1)[:, :, None]
    fades = torch.exp((before[..., :, None, :] - after[..., None, :, :]).masked_fill(~earlier, -torch.inf))
    pairs = torch.einsum("bhnti,bhnsi,bhntsi->bhnts", r, k, fades)
    pairs = pairs + torch.diag_embed((r * u[:, None, None] * k).sum(-1))
    reads, writes, fade = r * torch.exp(before), (k * torch.exp(whole - after)).transpose(3, 4) @ v, torch.exp(whole)
    z, states = torch.zeros_like(writes[:, :, 0]), []
    for n in range(r.shape[2]):
        states.append(z)
        z = fade[:, :, n].transpose(2, 3) * z + writes[:, :, n]
    return in_order(pairs @ v + reads @ torch.stack(states, 2))


def wkv7(w, r, k, v, a, b):
    w, r, k, v, a, b = map(chunks, (w, r, k, v, a, b))
    after = w.cumsum(3)
    whole, undo = after[..., -1:, :], torch.exp(-after)
    r, a, late = r * torch.exp(after), a * torch.exp(after - w), torch.exp(whole - after)
    by_key, by_recalled = (k * undo).transpose(3, 4), (b * undo).transpose(3, 4)
    lower = torch.eye(CHUNK, device=r.device) - (a @ by_recalled).tril(-1)
    solve = lambda x: torch.linalg.solve_triangular(lower, x, upper=False, unitriangular=True)
    of_state, of_values = solve(a), solve((a @ by_key).tril(-1) @ v)
    writes, learned, fade = (b * late).transpose(3, 4), (k * late).transpose(3, 4) @ v, torch.exp(whole)
    z, states, recalled = torch.zeros_like(learned[:, :, 0]), [], []
    for n in range(r.shape[2]):
        states.append(z)
        recalled.append(of_state[:, :, n] @ z + of_values[:, :, n])
        z = fade[:, :, n].transpose(2, 3) * z + writes[:, :, n] @ recalled[-1] + learned[:, :, n]
    return in_order(r @ torch.stack(states, 2) + (r @ by_recalled).tril() @ torch.stack(recalled, 2) +
                    (r @ by_key).tril() @ v)


def signals(new, s):
    """What the two take, so that no state grows: w first, and for WKV-6 the bonus."""
    of = lambda size=1.0: new(size, s.batch, s.time, s.heads, s.width // s.heads)
    six = (-torch.exp(of().detach()), new(1.0, s.heads, s.width // s.heads), of(), of(), of())
    seven = (-0.6 * torch.sigmoid(of().detach()), of(), of(), of(), of(0.1), of(0.1))
    return [tuple(x.detach().requires_grad_() for x in each) for each in (six, seven)]


class Low(nn.Module):
    def __init__(self, c, rank, between=nn.Identity, bias=True):
        super().__init__()
        self.all = nn.Sequential(nn.Linear(c, rank, bias=False), between(), nn.Linear(rank, c, bias=bias))

    def forward(self, x):
        return self.all(x)


class TimeMix(nn.Module):
    def __init__(self, c, heads, first):
        super().__init__()
        self.heads, self.first = heads, first
        rank = lambda factor: max(32, 32 * round(factor * c**0.5 / 32))
        self.mix = nn.ParameterList([nn.Parameter(torch.rand(c)) for _ in range(6)])
        self.receptance, self.key, self.value, self.output = (nn.Linear(c, c, bias=False) for _ in range(4))
        self.decay, self.rate = Low(c, rank(2.5), nn.Tanh), Low(c, rank(2.5))
        self.gate, self.share = Low(c, rank(5), nn.Sigmoid, bias=False), None if first else Low(c, rank(1.7))
        self.k_k, self.k_a, self.r_k = (nn.Parameter(torch.rand(c)) for _ in range(3))
        self.norm = nn.GroupNorm(heads, c, eps=64e-5)

    def forward(self, x, before, v_first):
        r, w, k, v, a, g = (torch.lerp(x, before, m) for m in self.mix)
        w = -0.606531 * torch.sigmoid(self.decay(w).float())
        r, k, a, g, v_shared = self.receptance(r), self.key(k), torch.sigmoid(self.rate(a)), self.gate(g), v
        v = self.value(v)
        v_first = v if self.first else v_first
        if not self.first:
            v = torch.lerp(v, v_first, torch.sigmoid(self.share(v_shared)))
        of_heads = lambda y: y.float().unflatten(2, (self.heads, -1))
        along = F.normalize(of_heads(k * self.k_k), dim=-1)
        k = k * (1 + (a - 1) * self.k_a)
        y = wkv7(of_heads(w), of_heads(r), of_heads(k), of_heads(v), -along, along * of_heads(a)).flatten(2)
        y = self.norm(y.flatten(0, 1)).view_as(x)
        y = y + (of_heads(r * k * self.r_k).sum(-1, keepdim=True) * of_heads(v)).flatten(2)
        return self.output(y * g), v_first


class Block(nn.Module):
    def __init__(self, c, heads, first):
        super().__init__()
        self.ln1, self.ln2, self.att = nn.LayerNorm(c), nn.LayerNorm(c), TimeMix(c, heads, first)
        self.mix = nn.Parameter(torch.rand(c))
        self.key, self.value = nn.Linear(c, 4 * c, bias=False), nn.Linear(4 * c, c, bias=False)

    def forward(self, x, v_first):
        before = lambda y: F.pad(y, (0, 0, 1, -1))
        n = self.ln1(x)
        y, v_first = self.att(n, before(n), v_first)
        n = self.ln2(x + y)
        return x + y + self.value(F.relu(self.key(torch.lerp(n, before(n), self.mix)))**2), v_first


class Rwkv7(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.emb, self.ln0, self.norm = nn.Embedding(s.vocabulary, s.width), nn.LayerNorm(s.width), nn.LayerNorm(s.width)
        self.blocks = nn.ModuleList(Block(s.width, s.heads, i == 0) for i in range(s.layers))
        self.head = nn.Linear(s.width, s.vocabulary, bias=False)

    def forward(self, ids):
        x, v_first = self.ln0(self.emb(ids)), None
        for block in self.blocks:
            x, v_first = block(x, v_first)
        return self.head(self.norm(x))
