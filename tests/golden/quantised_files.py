#!/usr/bin/env python3
"""Small GGUF and rwkv.cpp files with tensors of all types, and their numbers: quantised_files.py FOLDER.

Blocks are random bytes under finite scales. The GGUF file and the numbers of blocks are made by gguf 0.19.0; the .bin file is laid out
as rwkv.cpp's documentation says. In quantised_expected.safetensors, FILE/NAME is a tensor.
"""
import struct
import sys
from pathlib import Path

import gguf
import numpy
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from safetensors.numpy import save_file

folder = Path(sys.argv[1])
rng = numpy.random.default_rng(1)
expected = {}
# Where halves lie in a block that must be finite.
scales = {Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}


def blocks(kind, rows, columns):
    block, size = GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows, columns // block, size), dtype=numpy.uint8)
    for at in scales[kind]:
        half = (rng.normal(size=data.shape[:2]) * 10.0 ** rng.integers(-7, 2, data.shape[:2])).astype(numpy.float16)
        data[:, :, at : at + 2] = half[..., None].view(numpy.uint8)
    return data.reshape(rows, -1)


writer = gguf.GGUFWriter(folder / "all.gguf", "rwkv7")
writer.add_uint8("u8", 200)
writer.add_int8("i8", -100)
writer.add_uint16("u16", 60000)
writer.add_int16("i16", -30000)
writer.add_uint32("rwkv7.block_count", 3)
writer.add_int32("i32", -5)
writer.add_uint64("u64", 1 << 63)
writer.add_int64("i64", -(1 << 62))
writer.add_float32("eps", 1e-5)
writer.add_float64("f64", 0.1)
writer.add_bool("bool", True)
writer.add_string("general.name", "a small caf\u00e9")
writer.add_array("tokenizer.ggml.tokens", ["<s>", "\\x00", "", "caf\u00e9"])
writer.add_array("numbers", [1, -2, 300000])
writer.add_array("reals", [0.5, -1.5])
writer.add_array("bools", [True, False])

for kind in scales:
    block = GGML_QUANT_SIZES[kind][0]
    data = blocks(kind, 4 if block == 32 else 2, block * 2)
    writer.add_tensor(kind.name, data, raw_dtype=kind)
    expected[f"all.gguf/{kind.name}"] = gguf.quants.dequantize(data, kind)
brain = rng.integers(0, 1 << 14, (2, 3), dtype=numpy.uint16)
writer.add_tensor("BF16", brain.view(numpy.uint8), raw_dtype=Type.BF16)
expected["all.gguf/BF16"] = gguf.quants.dequantize(brain.view(numpy.uint8), Type.BF16)
for dtype in numpy.float32, numpy.float16, numpy.float64, numpy.int8, numpy.int16, numpy.int32, numpy.int64:
    data = (rng.normal(size=(2, 1, 3)) * 100).astype(dtype)
    writer.add_tensor(numpy.dtype(dtype).name, data)
    expected["all.gguf/" + numpy.dtype(dtype).name] = data.astype(numpy.float32) if data.dtype.kind == "f" else data
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

codes = {Type.Q4_0: 2, Type.Q4_1: 3, Type.Q5_0: 7, Type.Q5_1: 8, Type.Q8_0: 9}
with open(folder / "all.bin", "wb") as file:
    file.write(struct.pack("<4s5I", b"fmgg", 101, 11, 64, 2, 8))
    for kind, code in codes.items():
        data = blocks(kind, 3, 64)
        file.write(struct.pack("<5I", 2, len(kind.name), code, 64, 3) + kind.name.encode() + data.tobytes())
        expected[f"all.bin/{kind.name}"] = gguf.quants.dequantize(data, kind)
save_file(expected, folder / "quantised_expected.safetensors")
