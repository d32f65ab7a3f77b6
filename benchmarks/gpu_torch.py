#!/usr/bin/env python3
"""What gpu_kernels measures, as PyTorch does it on the same GPU: ms, the median of 9 after one to warm up."""
import statistics
import torch
import torch.nn.functional as F

BATCH, TIME, C, V, HEADS = 8, 1024, 768, 50277, 12


def ms(call):
    times = []
    for i in range(10):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        end.synchronize()
        if i > 0:
            times.append(begin.elapsed_time(end))
    return statistics.median(times)


def back(y, inputs):
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def shift(x, mix):
    before = F.pad(x, (0, 0, 1, -1))
    return torch.stack([before + (x - before) * m for m in mix])


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    new = lambda *shape: torch.randn(*shape, device="cuda", requires_grad=True)
    x, w, b = new(BATCH, TIME, C), new(C), new(C)
    norm = lambda: F.layer_norm(x, (C,), w, b)
    mix = [new(C) for _ in range(3)]
    table, ids = new(V, C), torch.randint(V, (BATCH, TIME), device="cuda")
    lines = [("layer norm", ms(norm)), ("layer norm, back", ms(back(norm(), (x, w, b)))),
             ("token shift", ms(lambda: shift(x, mix))), ("token shift, back", ms(back(shift(x, mix), (x, *mix)))),
             ("embedding, back", ms(back(F.embedding(ids, table), (table,))))]
    q, k, v = (new(BATCH, HEADS, TIME, C // HEADS) for _ in range(3))
    attend = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    lines += [("attention", ms(attend)), ("attention, back", ms(back(attend(), (q, k, v))))]
    logits, targets = new(2 * TIME, V), torch.randint(V, (2 * TIME,), device="cuda")
    loss = lambda: F.cross_entropy(logits, targets)
    lines += [("cross-entropy", ms(loss)), ("cross-entropy, back", ms(lambda: torch.autograd.grad(loss(), logits)))]
    flat = new(64 << 20)
    flat.grad = torch.randn_like(flat)
    adam = torch.optim.AdamW([flat], fused=True)
    lines += [("norm of the gradient", ms(lambda: torch.linalg.vector_norm(flat.grad))), ("AdamW", ms(adam.step))]
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}")
    for name, time in lines:
        print(f"{name:22} {time:9.4f}")


if __name__ == "__main__":
    if torch.cuda.is_available():
        main()
    else:
        print("PyTorch sees no GPU: not measured")
