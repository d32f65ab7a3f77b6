#!/bin/sh
# A good guess: asked for logprobs, the server of llama.cpp answers with one entry for each generated token,
# so that their sum is the text's log-probability and their number is usage.completion_tokens.
#
# xllamacpp 2026.10.11549 (llama.cpp's server in a package; run 2026-11-29): tokens that end inside a UTF-8
# character get no entry. The token that completes the character has one entry, whose bytes are those of
# all its tokens, whose id, logprob and top_logprobs are those of the last alone. The others are lost; where
# the answer ends inside the character, "logprobs" is null though it was asked for. World's tokenizer cuts most
# characters beyond the common ones so (U+1F600 into f0 9f, 98, 80): scores of such texts come out too high.
#
# The script makes a version 7 file of one layer that does nothing, whose head goes along a chain of single bytes:
# after "A" come the four bytes of U+1F600, "B" and ".", each with probability 0.7. Its tokens are the 256 bytes.
#
# Seen (prompt "A", temperature 0, logprobs 2):
#   1 to 3 tokens: logprobs null
#   4 tokens: 1 entry, id 129, bytes f0 9f 98 80, logprob -0.3563; its own top_logprobs entry says bytes 80
#   6 tokens: 3 entries, sum -1.0674; the six tokens' sum is -2.1481
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet gguf==0.19.0 numpy==2.4.6 xllamacpp==2026.10.11549
"$folder/venv/bin/python" - "$folder/chain.gguf" 2>"$folder/log" <<'P' || { tail -n 20 "$folder/log"; exit 1; }
import sys

import gguf
import numpy as np
import xllamacpp

path = sys.argv[1]
width, head_size, hidden, rank, tokens = 64, 32, 64, 8, 257
text = list("\U0001f600B.".encode())


def zeros(*shape):
    return np.zeros(shape, np.float32)


def letter(byte):
    return chr(byte) if 33 <= byte < 127 and byte not in (39, 92) else f"\\x{byte:02x}"


# Rows of mean 0 and variance 1 pass the norms as they are; token b + 1 is byte b.
rows = np.random.default_rng(1).standard_normal((tokens, width)).astype(np.float32)
rows -= rows.mean(1, keepdims=True)
rows /= rows.std(1, keepdims=True)
head = zeros(tokens, width)
for before, after in zip([ord("A")] + text, text):
    head[after + 1] = 0.1 * rows[before + 1]

tensors = {"token_embd.weight": rows, "output.weight": head}
norms = ["token_embd_norm", "output_norm", "blk.0.attn_norm", "blk.0.attn_norm_2", "blk.0.time_mix_ln"]
for name in norms:
    tensors[name + ".weight"], tensors[name + ".bias"] = zeros(width) + 1, zeros(width)
layer = {"time_mix_lerp_fused": zeros(6, 1, 1, width), "channel_mix_lerp_k": zeros(width),
         "channel_mix_key": zeros(hidden, width), "channel_mix_value": zeros(width, hidden)}
for name in ("w0", "a0", "v0", "k_k", "k_a", "r_k"):
    layer["time_mix_" + name] = zeros(width)
for name in "wavg":
    layer[f"time_mix_{name}1"], layer[f"time_mix_{name}2"] = zeros(rank, width), zeros(width, rank)
for name in ("receptance", "key", "value", "output"):
    layer["time_mix_" + name] = zeros(width, width)
tensors.update({f"blk.0.{name}.weight": tensor for name, tensor in layer.items()})

writer = gguf.GGUFWriter(path, "rwkv7")
writer.add_context_length(256)
writer.add_embedding_length(width)
writer.add_block_count(1)
writer.add_feed_forward_length(hidden)
writer.add_head_count(0)
writer.add_wkv_head_size(head_size)
writer.add_layer_norm_eps(1e-5)
writer.add_decay_lora_rank(rank)
writer.add_iclr_lora_rank(rank)
writer.add_value_residual_mix_lora_rank(rank)
writer.add_gate_lora_rank(rank)
writer.add_tokenizer_model("rwkv")
writer.add_token_list(["<s>"] + [letter(byte) for byte in range(256)])
writer.add_token_types([gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * 256)
for name, tensor in tensors.items():
    writer.add_tensor(name, tensor)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

logits = rows @ head.T
logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
expected = [float(logs[before + 1, after + 1]) for before, after in zip([ord("A")] + text, text)]

settings = xllamacpp.CommonParams()
settings.model.path = path
settings.n_ctx = 256
settings.n_parallel = 1
settings.cpuparams.n_threads = 1
settings.warmup = False
server = xllamacpp.Server(settings)


def complete(count):
    answer = server.handle_completions({"prompt": "A", "max_tokens": count, "temperature": 0, "logprobs": 2})
    assert answer["usage"]["completion_tokens"] == count
    return answer["choices"][0]


for count in (1, 2, 3):
    choice = complete(count)
    print(count, "tokens:", ascii(choice["text"]), "logprobs", choice["logprobs"])
    assert choice["logprobs"] is None

choice = complete(4)
(entry,) = choice["logprobs"]["content"]
print("4 tokens:", ascii(choice["text"]), "entries 1, id", entry["id"], "bytes", bytes(entry["bytes"]).hex(" "),
      "logprob %.4f," % entry["logprob"], "top_logprobs' bytes", bytes(entry["top_logprobs"][0]["bytes"]).hex())
assert entry["id"] == 129 and entry["bytes"] == text[:4] and entry["top_logprobs"][0]["bytes"] == text[3:4]
assert abs(entry["logprob"] - expected[3]) < 1e-3

choice = complete(6)
entries = choice["logprobs"]["content"]
total = sum(entry["logprob"] for entry in entries)
print("6 tokens:", ascii(choice["text"]), "entries", len(entries), "sum %.4f" % total,
      "sum of the six, computed: %.4f" % sum(expected))
assert len(entries) == 3 and abs(total - sum(expected[3:])) < 1e-3
P
