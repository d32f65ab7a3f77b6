"""Writes include/rwkv/text/unicode/{categories,combining,composition,decomposition}.hpp.

python cmake/unicode_tables.py, with pip's tokenizers 0.23.3: the tables are what that library does, asked for every code
point, since its letters, its normal form and its white space each follow another version of Unicode.
"""
import os
import subprocess
import unicodedata

from tokenizers import normalizers, pre_tokenizers

FOLDER = os.path.join(os.path.dirname(__file__), "..", "include", "rwkv", "text", "unicode")
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str


def category(code):
    """By what it stands together with in one word; nothing for white space."""
    for name, friend in ("letters", "a"), ("numbers", "1"), ("others", "!"):
        if len(split(friend + chr(code))) == 1:
            return name
    return "spaces"


def in_order(classes):
    """Ranges of equal value, as gap, count (and value, where it is a number); 0 and None are no range."""
    out, end, previous = [], 0, None
    for code in CODES:
        value = classes.get(code)
        if not value:
            continue
        if out and code == end and value == previous:
            out[-1][1] += 1
        else:
            out.append([code - end, 1] + ([value] if value is not True else []))
        end, previous = code + 1, value
    return [n for each in out for n in each]


def table(comment, name, numbers):
    return f"/// {comment}\ninline constexpr std::uint32_t {name}[] = {{{', '.join(map(str, numbers))}}};\n"


def write(name, comment, *tables):
    path = os.path.join(FOLDER, name + ".hpp")
    with open(path, "w") as out:
        out.write("#pragma once\n#include <cstdint>\n\n#include <rwkv/core/config.hpp>\n\n")
        out.write(f"// {comment} Made by cmake/unicode_tables.py.\n")
        out.write("namespace rwkv::unicode {\n\n" + "\n".join(tables) + "\n}  // namespace rwkv::unicode\n")
    subprocess.run(["clang-format-14", "-i", path], check=True)


def combining_class(code):
    """Its class, if the library sorts it by that."""
    c = unicodedata.combining(chr(code))
    if c == 0:
        return 0
    text = "a\u0301" + chr(code) if c == 1 else "a" + chr(code) + "\u0334"  # of classes 230 and 1
    return c if nfd(text) != nfd("a") + "".join(nfd(x) for x in text[1:]) else 0


classes = {code: category(code) for code in CODES}
RANGES = "How many code points lie before a range, counted from the end of the last one, and how many it has"
write("categories", r"What GPT-2's pattern calls letters (\p{L}), numbers (\p{N}) and white space (\s).",
      *(table(RANGES + ".", name, in_order({c: True for c, of in classes.items() if of == name}))
        for name in ("letters", "numbers", "spaces")))
write("combining", "Canonical combining classes.",
      table(RANGES + "; its class. Others have class 0.", "combining", in_order({c: combining_class(c) for c in CODES})))

pairs, lone, excluded = [], [], []
for code in CODES:
    mapping = unicodedata.decomposition(chr(code))
    if not mapping or mapping.startswith("<") or nfd(chr(code)) == chr(code):
        continue
    parts = [int(part, 16) for part in mapping.split()]
    if len(parts) == 1:
        lone.append((code, *parts))
    elif nfc(chr(code)) == chr(code):
        pairs.append((code, *parts))
    else:
        excluded.append((code, *parts))


def by_gaps(rows):
    """The first number of each row as the distance from that of the row before."""
    return [n for before, row in zip([(0,)] + rows, rows) for n in (row[0] - before[0], *row[1:])]


write("composition", "Pairs of characters that canonical composition makes one of, Hangul's syllables aside.",
      table("The composed one, counted from that of the last row; first; second.", "compositions", by_gaps(pairs)))
write("decomposition", "Characters that canonical decomposition takes apart, and composition does not make again.",
      table("The character, counted from that of the last row; what it is.", "singletons", by_gaps(lone)),
      table("The character, counted from that of the last row; first; second.", "excluded", by_gaps(excluded)))
