"""The models of small_model.py as other programs store them; needs numpy and safetensors.

python3 layouts.py writes layouts/*.safetensors. The names and changes follow the code that reads each layout:
fla 0.6.0 (fla.safetensors, and fla_stacked.safetensors as older releases have it), the modelling code beside
RWKV/v6-Finch-*-HF and RWKV/rwkv-5-world-* (transformers6, transformers5), RWKV/RWKV7-* since August 2026 (published7),
llama.cpp's conversion (gguf6, halved after every block, and gguf7), transformers' GPT-2 (gpt2) beside nanoGPT's names
for the same numbers (gpt2_official).
"""
import numpy as np
from safetensors.numpy import load_file, save_file


def save(name, tensors, metadata=None):
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, f"layouts/{name}.safetensors", metadata)


def fla(official, stacked):
    out = {}
    for name, x in official.items():
        if not name.startswith("blocks."):
            out[{"emb.weight": "model.embeddings.weight", "head.weight": "lm_head.weight"}.get(
                name, name.replace("ln_out", "model.norm"))] = x
            continue
        _, n, rest = name.split(".", 2)
        layer = f"model.layers.{n}."
        norms = {"ln0": "pre_norm", "ln1": "attn_norm", "ln2": "ffn_norm"}
        if rest[:3] in norms:
            out[layer + norms[rest[:3]] + rest[3:]] = x
        elif rest.startswith("ffn."):
            out[layer + rest] = x.reshape(-1) if rest == "ffn.x_k" else x
        else:
            rest = rest[4:]
            matrices = {"receptance": "r_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj", "ln_x": "g_norm"}
            first = rest.split(".")[0]
            if first in matrices:
                out[layer + "attn." + rest.replace(first, matrices[first])] = x
            elif len(rest) == 2 and rest[1] in "012":
                part = {"0": "2.bias", "1": "0.weight", "2": "2.weight"}[rest[1]]
                out[layer + f"attn.{rest[0]}_lora.lora.{part}"] = x.reshape(-1) if rest[1] == "0" else x.T
            elif rest.startswith("x_") and stacked:
                if rest == "x_r":
                    mixes = [official[f"blocks.{n}.att.x_{c}"].reshape(-1) for c in "rwkvag"]
                    out[layer + "attn.x_x"] = np.stack(mixes)
            else:
                out[layer + "attn." + rest] = x.reshape(-1) if rest.startswith("k_") else x
    return out


def transformers(official):
    words = {"time_mix_k": "time_mix_key", "time_mix_v": "time_mix_value", "time_mix_r": "time_mix_receptance",
             "time_mix_g": "time_mix_gate", "att": "attention", "ffn": "feed_forward", "ln0": "pre_ln", "emb": "embeddings"}
    return {("" if name == "head.weight" else "rwkv.") + ".".join(words.get(w, w) for w in name.split(".")): x
            for name, x in official.items()}


def gguf(official, version, every):
    names = {"receptance": "time_mix_receptance", "key": "time_mix_key", "value": "time_mix_value", "gate": "time_mix_gate",
             "output": "time_mix_output", "ln_x": "time_mix_ln", "time_faaaa": "time_mix_first", "time_maa_x": "time_mix_lerp_x"}
    out = {}
    for name, x in official.items():
        if not name.startswith("blocks."):
            out[name.replace("emb", "token_embd").replace("ln_out", "output_norm").replace("head", "output")] = x
            continue
        _, n, rest = name.split(".", 2)
        block, kind = f"blk.{n}.", rest.split(".")[1]
        if rest.startswith("ln0"):
            out[rest.replace("ln0", "token_embd_norm")] = x
        elif rest.startswith("ln"):
            out[block + rest.replace("ln1", "attn_norm").replace("ln2", "attn_norm_2")] = x
        elif rest.startswith("ffn"):
            short = kind.replace("time_maa_", "lerp_").replace("x_k", "lerp_k")
            if kind == "value":
                x = x / 2 ** (int(n) // every) if every else x
            out[block + f"channel_mix_{short}.weight"] = x.reshape(-1) if "lerp" in short else x
        elif kind in ("time_maa_w", "x_r"):
            letters = "wkvrg" if version == 6 else "rwkvag"
            stem = "time_maa_" if version == 6 else "x_"
            out[block + "time_mix_lerp_fused.weight"] = np.stack(
                [official[f"blocks.{n}.att.{stem}{c}"].reshape(1, 1, -1) for c in letters])
        elif kind in names:
            if kind == "output" and every:
                x = x / 2 ** (int(n) // every)
            ending = rest.split(".")[2] if rest.count(".") == 2 else "weight"
            out[block + f"{names[kind]}.{ending}"] = x.reshape(-1) if kind == "time_maa_x" else x
        elif kind.startswith("time_maa_w"):
            out[block + kind.replace("time_maa", "time_mix") + ".weight"] = np.swapaxes(x, -1, -2)
        elif kind.startswith("time_decay"):
            out[block + kind.replace("time_decay", "time_mix_decay") + ".weight"] = x.reshape(-1) if kind == "time_decay" else x.T
        elif kind[0] in "wavg" and kind[1] in "012":
            out[block + f"time_mix_{kind}.weight"] = x.reshape(-1) if kind[1] == "0" else x.T
        elif kind in ("k_k", "k_a", "r_k"):
            out[block + f"time_mix_{kind}.weight"] = x.reshape(-1)
    if version == 7:
        for i in "012":
            out[f"blk.0.time_mix_v{i}.weight"] = out[f"blk.0.time_mix_a{i}.weight"]
    return out


def gpt2():
    random, c, layers = np.random.default_rng(2), 8, 2
    make = lambda *shape: random.standard_normal(shape).astype(np.float32)
    theirs = {"wte.weight": make(11, c), "wpe.weight": make(6, c), "ln_f.weight": make(c), "ln_f.bias": make(c)}
    for n in range(layers):
        h = f"h.{n}."
        for norm in ("ln_1", "ln_2"):
            theirs[h + norm + ".weight"], theirs[h + norm + ".bias"] = make(c), make(c)
        for name, rows, columns in (("attn.c_attn", c, 3 * c), ("attn.c_proj", c, c), ("mlp.c_fc", c, 4 * c), ("mlp.c_proj", 4 * c, c)):
            theirs[h + name + ".weight"], theirs[h + name + ".bias"] = make(rows, columns), make(columns)
        theirs[h + "attn.bias"] = np.tril(np.ones((1, 1, 6, 6), np.float32))
    official = {"transformer." + k: v.T if ".c_" in k and k.endswith("weight") else v for k, v in theirs.items() if not k.endswith(".attn.bias")}
    theirs["lm_head.weight"] = theirs["wte.weight"].copy()
    return theirs, official


if __name__ == "__main__":
    models = {v: load_file(f"rwkv{v}.safetensors") for v in ("5_2", "6", "7")}
    save("fla", fla(models["7"], False))
    save("fla_stacked", fla(models["7"], True))
    save("published7", {("" if k == "head.weight" else "rwkv7.") + k: v for k, v in models["7"].items()})
    save("transformers5", transformers(models["5_2"]))
    save("transformers6", transformers(models["6"]))
    save("gguf6", gguf(models["6"], 6, 1), {"rwkv6.rescale_every_n_layers": "1"})
    heads = models["7"]["blocks.0.att.r_k"].shape
    save("gguf7", gguf(models["7"], 7, 0), {"rwkv7.wkv.head_size": str(heads[1])})
    theirs, official = gpt2()
    save("gpt2", theirs)
    save("gpt2_official", official)
