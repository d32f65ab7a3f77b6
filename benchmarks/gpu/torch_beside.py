#!/usr/bin/env python3
"""What gpu_table measures, as PyTorch does it on the same GPU: a line of name, tab and milliseconds for each figure.

    benchmarks/gpu/torch_beside.py [--device cuda] [--small] [--no-compile]

WKV-4 is a compiled loop over spans of tokens ("WKV-4") and the matrix form in chunks ("WKV-4 in chunks"), WKV-6 and 7 are
products of matrices, see torch_heads.py. RWKV-4 is trained with the faster of its two, all with fused AdamW, GPT-2
compiled, in bf16 by autocast. What matters most is measured first, and each figure is printed when it is known.
"""
import argparse
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import torch_heads

SPAN = 16  # tokens of a compiled piece of the loop
CHUNK = 32  # tokens of a matrix


class Sizes:
    def __init__(self, small):
        self.batch, self.time, self.width, self.vocabulary, self.heads, self.layers = (
            (2, 64, 32, 101, 2, 2) if small else (8, 1024, 768, 50277, 12, 12))
        self.flat = 1 << 12 if small else 64 << 20


# ------------------------------------------------------------------------------------------------------------- WKV-4
# State: sums of e^k v and e^k over the tokens before, both divided by e^top. w = -exp(time_decay).
def span_of_loop(w, u, k, v, num, den, top):
    out = []
    for t in range(k.shape[1]):
        k_t, v_t = k[:, t], v[:, t]
        high = torch.maximum(top, u + k_t)
        old, new = torch.exp(top - high), torch.exp(u + k_t - high)
        out.append((old * num + new * v_t) / (old * den + new))
        high = torch.maximum(top + w, k_t)
        old, new = torch.exp(top + w - high), torch.exp(k_t - high)
        num, den, top = old * num + new * v_t, old * den + new, high
    return torch.stack(out, 1), num, den, top


def chunk_of_matrix(w, u, k, v, num, den, top):
    """All pairs of a chunk's tokens at once: exponents (t - s - 1) w + k_s before t, u + k_t at t itself."""
    n = k.shape[1]
    t = torch.arange(n, device=k.device)
    ahead = (t[:, None] - t[None, :] - 1)[None, :, :, None]
    pairs = ahead * w + k[:, None]
    pairs = torch.where(ahead >= 0, pairs, torch.where(ahead == -1, u + k[:, None], -torch.inf))
    past = top[:, None] + t[None, :, None] * w
    high = torch.maximum(pairs.amax(2), past)
    weights, old = torch.exp(pairs - high[:, :, None]), torch.exp(past - high)
    y = ((weights * v[:, None]).sum(2) + old * num[:, None]) / (weights.sum(2) + old * den[:, None])
    last = (n - 1 - t)[None, :, None] * w + k
    after = top + n * w
    high = torch.maximum(last.amax(1), after)
    weights, old = torch.exp(last - high[:, None]), torch.exp(after - high)
    return y, (weights * v).sum(1) + old * num, weights.sum(1) + old * den, high


def wkv4(piece, size, w, u, k, v):
    # What later pieces start from requires gradients, and so does this: else it would be compiled twice.
    start = lambda number: torch.full_like(k[:, 0], number).requires_grad_(k.requires_grad)
    num, den, top, out = start(0), start(0), start(-1e38), []
    for first in range(0, k.shape[1], size):
        y, num, den, top = piece(w, u, k[:, first:first + size], v[:, first:first + size], num, den, top)
        out.append(y)
    return torch.cat(out, 1)


# ------------------------------------------------------------------------------------------------------------ models
def shift(x):
    return F.pad(x, (0, 0, 1, -1))


class TimeMix(nn.Module):
    def __init__(self, c, operator):
        super().__init__()
        self.operator = operator
        self.decay, self.first = nn.Parameter(torch.randn(c)), nn.Parameter(torch.randn(c))
        self.mix = nn.ParameterList([nn.Parameter(torch.rand(c)) for _ in range(3)])
        self.key, self.value, self.receptance, self.output = (nn.Linear(c, c, bias=False) for _ in range(4))

    def forward(self, x):
        before = shift(x)
        k, v, r = (before + (x - before) * m for m in self.mix)
        k, v = self.key(k).float(), self.value(v).float()
        with torch.autocast(x.device.type, enabled=False):  # as it was compiled
            y = self.operator(-torch.exp(self.decay.float()), self.first.float(), k, v)
        return self.output(torch.sigmoid(self.receptance(r)) * y)


class ChannelMix(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.mix = nn.ParameterList([nn.Parameter(torch.rand(c)) for _ in range(2)])
        self.key, self.value = nn.Linear(c, 4 * c, bias=False), nn.Linear(4 * c, c, bias=False)
        self.receptance = nn.Linear(c, c, bias=False)

    def forward(self, x):
        before = shift(x)
        k, r = (before + (x - before) * m for m in self.mix)
        return torch.sigmoid(self.receptance(r)) * self.value(F.relu(self.key(k)) ** 2)


class Attention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads, self.all, self.output = heads, nn.Linear(c, 3 * c), nn.Linear(c, c)

    def forward(self, x):
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.all(x).chunk(3, 2))
        return self.output(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, c, mix, feed):
        super().__init__()
        self.ln1, self.ln2, self.mix, self.feed = nn.LayerNorm(c), nn.LayerNorm(c), mix, feed

    def forward(self, x):
        x = x + self.mix(self.ln1(x))
        return x + self.feed(self.ln2(x))


class Language(nn.Module):
    def __init__(self, s, kind, operator):
        super().__init__()
        c = s.width
        self.emb = nn.Embedding(s.vocabulary, c)
        self.positions = nn.Parameter(0.02 * torch.randn(s.time, c)) if kind == "GPT-2" else None
        feed = lambda: (nn.Sequential(nn.Linear(c, 4 * c), nn.GELU("tanh"), nn.Linear(4 * c, c)) if kind == "GPT-2" else
                        ChannelMix(c))
        mix = lambda: Attention(c, s.heads) if kind == "GPT-2" else TimeMix(c, operator)
        self.blocks = nn.Sequential(*(Block(c, mix(), feed()) for _ in range(s.layers)))
        self.norm, self.head = nn.LayerNorm(c), nn.Linear(c, s.vocabulary, bias=False)
        if kind == "GPT-2":
            self.head.weight = self.emb.weight

    def forward(self, ids):
        x = self.emb(ids)
        if self.positions is not None:
            x = x + self.positions[:ids.shape[1]]
        return self.head(self.norm(self.blocks(x)))


# ---------------------------------------------------------------------------------------------------------- measuring
class Clock:
    def __init__(self, device):
        self.more_than_caches = torch.empty(512 << 20, dtype=torch.uint8, device=device) if device == "cuda" else None

    def once(self, call):
        """On a GPU that has just overwritten its caches: they are cold, and while it does, the processor gets ahead."""
        if self.more_than_caches is None:
            begin = time.perf_counter()
            call()
            return (time.perf_counter() - begin) * 1e3
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        self.more_than_caches.zero_()
        begin.record()
        call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def __call__(self, call):
        """Milliseconds, the median of 9 after one to warm up, or of as many as two seconds hold, but 3."""
        self.once(call)
        times = []
        while len(times) < 3 or (len(times) < 9 and sum(times) < 2000):
            times.append(self.once(call))
        return statistics.median(times)


def say(name, ms):
    print("%s\t%.4f" % (name, ms), flush=True)


def attempt(name, measure):
    """Notes what cannot be measured, and goes on; whether it was."""
    try:
        say(name, measure())
        return True
    except Exception as error:  # whatever PyTorch has against it
        why = (str(error).splitlines() or [type(error).__name__])[0]
        print("torch_beside: %s: not measured: %s" % (name, why), file=sys.stderr, flush=True)
        return False


def kernels(s, ms, device, dtype, precision):
    new = lambda *shape: torch.randn(*shape, device=device, dtype=dtype, requires_grad=True)

    def back(y, inputs):
        dy = torch.randn_like(y)
        return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)

    def both(name, call, inputs):
        attempt("%s, %s" % (name, precision), lambda: ms(call))
        attempt("%s, back, %s" % (name, precision), lambda: ms(back(call(), inputs)))

    x, w, b = new(s.batch, s.time, s.width), new(s.width), new(s.width)
    both("layer norm", lambda: F.layer_norm(x, (s.width,), w, b), (x, w, b))
    mix = [new(s.width) for _ in range(3)]

    def shifted():
        before = shift(x)
        return torch.stack([before + (x - before) * m for m in mix])

    both("token shift", shifted, (x, *mix))
    draw = lambda most: torch.randint(most, (s.batch, s.time), device=device)
    ids = torch.where(draw(2) == 1, draw(50), draw(s.vocabulary))  # as in a text: half the tokens are of few kinds
    table = new(s.vocabulary, s.width)
    attempt("embedding, back, " + precision, lambda: ms(back(F.embedding(ids, table), (table,))))
    q, k, v = (new(s.batch, s.heads, s.time, s.width // s.heads) for _ in range(3))
    both("attention", lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True), (q, k, v))
    logits, targets = new(2 * s.time, s.vocabulary), torch.randint(s.vocabulary, (2 * s.time,), device=device)
    name = "cross-entropy%s, loss on the host, " + precision

    def both_losses():
        loss = F.cross_entropy(logits, targets)
        return torch.autograd.grad(loss, logits), loss.item()

    attempt(name % "", lambda: ms(lambda: F.cross_entropy(logits, targets).item()))
    attempt(name % ", back", lambda: ms(both_losses))


def wkv(s, ms, device, operators):
    new = lambda *shape: torch.randn(*shape, device=device, requires_grad=True)
    w, u = (-torch.exp(new(s.width))).detach().requires_grad_(), nn.Parameter(new(s.width).detach())  # as in a model
    k, v = new(s.batch, s.time, s.width), new(s.batch, s.time, s.width)
    took = {name: [] for name in operators}
    for name, operator in operators.items():
        def measure(call):
            took[name].append(ms(call))
            return took[name][-1]

        def back():
            y = operator(w, u, k, v)
            dy = torch.randn_like(y)
            return lambda: torch.autograd.grad(y, (w, u, k, v), dy, retain_graph=True)

        attempt(name, lambda: measure(lambda: operator(w, u, k, v)))
        attempt(name.replace(", fp32", ", back, fp32"), lambda: measure(back()))
    whole = {name: sum(times) for name, times in took.items() if len(times) == 2}
    return operators[min(whole, key=whole.get)] if whole else lambda *x: wkv4(chunk_of_matrix, CHUNK, *x)


def of_heads(s, ms, device, dtype, precision):
    new = lambda size, *shape: size * torch.randn(*shape, device=device)
    for name, operator, of in zip(("WKV-6", "WKV-7"), (torch_heads.wkv6, torch_heads.wkv7), torch_heads.signals(new, s)):
        of = tuple(x.detach().to(dtype).requires_grad_() for x in of)
        call = lambda: operator(*(x.float() for x in of)).to(dtype)

        def back():
            y = call()
            dy = torch.randn_like(y)
            return lambda: torch.autograd.grad(y, of, dy, retain_graph=True)

        attempt("%s, %s" % (name, precision), lambda: ms(call))
        attempt("%s, back, %s" % (name, precision), lambda: ms(back()))


def optimizer(s, ms, device):
    flat = torch.randn(s.flat, device=device, requires_grad=True)
    flat.grad = torch.randn_like(flat)
    adam = torch.optim.AdamW([flat], fused=device == "cuda")
    attempt("norm of the gradient, on the host, fp32", lambda: ms(lambda: torch.linalg.vector_norm(flat.grad).item()))
    attempt("AdamW, fp32", lambda: ms(adam.step))


def training(s, ms, device, operator, kind, precision, compiled):
    model = (torch_heads.Rwkv7(s) if kind == "RWKV-7" else Language(s, kind, operator)).to(device)
    adam = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.99), fused=device == "cuda")
    plain = model
    if compiled and kind == "GPT-2":  # plain where nothing can be compiled, as without a compiler for C
        model = torch.compile(model)
    ids = torch.randint(s.vocabulary, (s.batch, s.time + 1), device=device)

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(ids[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        return loss.item()

    name = "%s, training, %s" % (kind, precision)
    if not attempt(name, lambda: (step(), ms(step))[1]) and model is not plain:
        model = plain
        attempt(name, lambda: (step(), ms(step))[1])


def check(device, s):
    """Both forms of WKV-4 give the same, and WKV-6 and 7 what their loops give, or nothing is measured."""
    w, u = -torch.exp(torch.randn(8, device=device)), torch.randn(8, device=device)
    k, v = 5 * torch.randn(2, 64, 8, device=device), torch.randn(2, 64, 8, device=device)
    a, b = wkv4(span_of_loop, SPAN, w, u, k, v), wkv4(chunk_of_matrix, CHUNK, w, u, k, v)
    worst = (a - b).abs().max().item()
    if not worst < 1e-4:
        sys.exit("torch_beside: the two forms of WKV-4 differ by %g" % worst)
    six, seven = torch_heads.signals(lambda size, *shape: size * torch.randn(*shape, device=device), s)
    for name, a, b in (("WKV-6", torch_heads.wkv6(*six), torch_heads.wkv6_loop(*six)),
                       ("WKV-7", torch_heads.wkv7(*seven), torch_heads.wkv7_loop(*seven))):
        worst = ((a - b).abs().max() / b.abs().max()).item()
        if not worst < 1e-4:
            sys.exit("torch_beside: %s in chunks and its loop differ by %g" % (name, worst))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--small", action="store_true", help="sizes to try the program out with")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch_beside: this PyTorch finds no GPU; --device cpu --small tries the program out")
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    check(args.device, Sizes(True))
    s, ms, compiled = Sizes(args.small), Clock(args.device), not args.no_compile
    compile = torch.compile if compiled else lambda f: f
    loop, matrix = compile(span_of_loop), compile(chunk_of_matrix)
    operators = {"WKV-4, fp32": lambda *x: wkv4(loop, SPAN, *x),
                 "WKV-4 in chunks, fp32": lambda *x: wkv4(matrix, CHUNK, *x)}
    train = lambda kind, precision, operator=None: training(s, ms, args.device, operator, kind, precision, compiled)
    train("RWKV-7", "bf16")  # the others are compiled first, which takes its time
    best = wkv(s, ms, args.device, operators)
    train("RWKV-4", "bf16", best)
    train("GPT-2", "bf16")
    kernels(s, ms, args.device, torch.bfloat16, "bf16")
    of_heads(s, ms, args.device, torch.bfloat16, "bf16")
    kernels(s, ms, args.device, torch.float32, "fp32")
    of_heads(s, ms, args.device, torch.float32, "fp32")
    optimizer(s, ms, args.device)
    train("RWKV-7", "fp32")
    train("RWKV-4", "fp32", best)
    train("GPT-2", "fp32")


if __name__ == "__main__":
    main()
