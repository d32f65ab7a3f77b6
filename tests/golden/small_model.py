"""What the golden models have in common: sizes, random weights, and what is written of them.

write(FOLDER, NAME, weights, model): FOLDER/NAME.safetensors, the weights under their official names in float32, and
FOLDER/NAME_expected.safetensors, what the model makes of some tokens in float64: logits, the loss, the gradient of every
weight ("gradient." + its name), and the losses before each of 20 steps of AdamW on them. Needs PyTorch and safetensors.
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

    def start(self, attention, heads):
        """The state of a recurrence before the first token, (BATCH, heads, values, keys): zeros but for tuned states."""
        size = WIDTH // heads
        zeros = torch.zeros(heads, size, size, dtype=torch.float64)
        return self.get(attention + "time_state", zeros).expand(BATCH, heads, size, size)


def logits_of(p, tokens, time_mixing, channel_mixing):
    """The blocks of all versions. time_mixing(block, x) and channel_mixing(block, x) are what differs."""
    x = p.norm("blocks.0.ln0", p["emb.weight"][tokens])
    for block in range(LAYERS):
        x = x + time_mixing(block, p.norm(f"blocks.{block}.ln1", x))
        x = x + channel_mixing(block, p.norm(f"blocks.{block}.ln2", x))
    return p.norm("ln_out", x) @ p["head.weight"].T


def losses_of_training(p, loss_of):
    """AdamW as the official trainers have it: matrices decay, decays learn twice and version 4's bonus three times as fast."""
    def group(name, x):
        scale = 2 if name.endswith(("att.w0", "att.time_decay")) else 3 if name.endswith("att.time_first") else 1
        decays = name.endswith(".weight") and x.dim() == 2
        return {"params": [x], "lr": 1e-3 * scale, "weight_decay": 0.1 if decays else 0}

    optimizer = torch.optim.AdamW([group(n, x) for n, x in p.items()], betas=(0.9, 0.99), eps=1e-18)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def write(folder, name, weights, model):
    p = Weights((name, w.double().requires_grad_()) for name, w in weights.items())
    tokens = torch.randint(0, VOCAB, (BATCH, TIME + 1))
    logits = model(p, tokens[:, :-1])
    loss = cross_entropy(logits.reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
    loss.backward()
    save_file({n: w.contiguous() for n, w in weights.items()}, f"{folder}/{name}.safetensors")
    expected = {"tokens": tokens.int(), "logits": logits.detach(), "loss": loss.detach()}
    expected |= {"gradient." + n: x.grad.clone() for n, x in p.items()}
    expected["training"] = losses_of_training(
        p, lambda: cross_entropy(model(p, tokens[:, :-1]).reshape(-1, VOCAB), tokens[:, 1:].reshape(-1)))
    save_file({n: x.contiguous() for n, x in expected.items()}, f"{folder}/{name}_expected.safetensors")
