#!/bin/sh
# A good guess: an added token decodes to the text it was added with, special or not; at worst letters beyond
# ASCII are all at risk.
#
# tokenizers 0.23.3 (run 2026-11-29): the ByteLevel decoder takes an added token for letters that stand for bytes
# if ALL its characters are among the 256 of the byte alphabet (printable ASCII and Latin-1, U+0100 to U+0143), and for
# text if one of them is not, such as a space or a CJK letter. Being special changes nothing. Adding a single
# letter of the alphabet makes no token at all: add_tokens answers 1, and the id is that of the byte's letter, so that
# the text then encodes to one wrong byte. A decoder that keeps added tokens apart gives other text.
#
# Seen, text added -> text decoded (U+FFFD is the replacement character):
#   caf\xe9 -> caf\ufffd    <fin\xe9> -> <fin\ufffd>    \u0111em -> \x11em    \u0120x -> " x"
#   caf\xe9 noir, caf\xe9\u65e5, na\xefve\u2192, <fin \xe9>: unchanged
#   \xe9: id 233, the byte E9's (added: 1; the vocabulary stays at 256), decoded \ufffd
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tokenizers==0.23.3
"$folder/venv/bin/python" - <<'P'
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

# The byte alphabet in the order of its bytes: printable ones stand for themselves, the others follow from U+0100.
printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
others = [byte for byte in range(256) if byte not in printable]
letters = [chr(byte) if byte in printable else chr(0x100 + others.index(byte)) for byte in range(256)]
assert sorted(letters) == sorted(pre_tokenizers.ByteLevel.alphabet())


def bytes_only():
    tokenizer = Tokenizer(models.BPE(vocab={letter: byte for byte, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


plain = bytes_only()
assert plain.decode(plain.encode("caf\xe9 \u0111em").ids) == "caf\xe9 \u0111em"

cases = {
    "caf\xe9": "caf\ufffd", "<fin\xe9>": "<fin\ufffd>", "\u0111em": "\x11em", "\u0120x": " x",
    "caf\xe9 noir": "caf\xe9 noir", "caf\xe9\u65e5": "caf\xe9\u65e5", "na\xefve\u2192": "na\xefve\u2192",
    "<fin \xe9>": "<fin \xe9>",
}
for text, expected in cases.items():
    for special in (False, True):
        tokenizer = bytes_only()
        added = (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([text])
        ids = tokenizer.encode(text).ids
        decoded = tokenizer.decode(ids, skip_special_tokens=False)
        print("special" if special else "added", ascii(text), "->", ids, ascii(decoded))
        assert added == 1 and ids == [256] and decoded == expected

tokenizer = bytes_only()
added = tokenizer.add_tokens(["\xe9"])
ids = tokenizer.encode("\xe9").ids
print("added", ascii("\xe9"), "->", ids, ascii(tokenizer.decode(ids)), "answer:", added,
      "vocabulary:", tokenizer.get_vocab_size())
assert ids == [0xE9] and tokenizer.decode(ids) == "\ufffd" and tokenizer.get_vocab_size() == 256
P
