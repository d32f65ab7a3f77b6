"""What the golden models have in common: sizes, random weights, and what is written of them.

write(FOLDER, NAME, weights, model): FOLDER/NAME.safetensors, the weights under their official names in float32, and
FOLDER/NAME_expected.safetensors, what the model makes of some tokens in float64: logits, the loss, and the gradient of every
weight ("gradient." + its name). Needs PyTorch and safetensors.
"""
import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, layer_norm

VOCAB, WIDTH, LAYERS, BATCH, TIME = 19, 8, 2, 2, 35


def uniform(low, high, *shape):
    return low + (high - low) * torch.rand(shape)


def norm(name):
    return {name + ".weight": uniform(0.5, 1.5, WIDTH), name + ".bias": uniform(-0.3, 0.3, WIDTH)}


def outer_weights():
    """Of all versions: embedding, head, and the norms around the blocks."""
    return {
        "emb.weight": uniform(-1, 1, VOCAB, WIDTH),
        "head.weight": uniform(-0.6, 0.6, VOCAB, WIDTH),
        **norm("blocks.0.ln0"),
        **norm("ln_out"),
    }


def before(x):
    """The token before each, zeros before the first."""
    return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)


class Weights(dict):
    def norm(self, name, x):
        return layer_norm(x, (WIDTH,), self[name + ".weight"], self[name + ".bias"], 1e-5)


def logits_of(p, tokens, time_mixing, channel_mixing):
    """The blocks of all versions. time_mixing(block, x) and channel_mixing(block, x) are what differs."""
    x = p.norm("blocks.0.ln0", p["emb.weight"][tokens])
    for block in range(LAYERS):
        x = x + time_mixing(block, p.norm(f"blocks.{block}.ln1", x))
        x = x + channel_mixing(block, p.norm(f"blocks.{block}.ln2", x))
    return p.norm("ln_out", x) @ p["head.weight"].T


def write(folder, name, weights, model):
    p = Weights((name, w.double().requires_grad_()) for name, w in weights.items())
    tokens = torch.randint(0, VOCAB, (BATCH, TIME + 1))
    logits = model(p, tokens[:, :-1])
    loss = cross_entropy(logits.reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
    loss.backward()
    save_file({n: w.contiguous() for n, w in weights.items()}, f"{folder}/{name}.safetensors")
    expected = {"tokens": tokens.int(), "logits": logits.detach(), "loss": loss.detach()}
    expected |= {"gradient." + n: x.grad for n, x in p.items()}
    save_file({n: x.contiguous() for n, x in expected.items()}, f"{folder}/{name}_expected.safetensors")
