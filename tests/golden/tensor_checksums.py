#!/usr/bin/env python3
"""What files of models hold, as their own software reads it: tensor_checksums.py DATA > tensor_checksums.txt

Reads DATA/rwkv-files and DATA/rwkv-tiny with torch 2.15.0, safetensors 0.8.0 and gguf 0.19.0; rwkv.cpp's .bin as its documentation
says. A line is: file, number of tensors, CRC-32 of all of them in the order of their names: name, shape, numbers as float32.
"""
import struct
import sys
import zlib
from pathlib import Path

import gguf
import numpy
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from safetensors.torch import load_file

data = Path(sys.argv[1])


def of_bin(path):
    kinds = {0: Type.F32, 1: Type.F16, 2: Type.Q4_0, 3: Type.Q4_1, 7: Type.Q5_0, 8: Type.Q5_1, 9: Type.Q8_0}
    file, at, tensors = path.read_bytes(), 24, {}
    while at < len(file):
        extents, length, code = struct.unpack_from("<3I", file, at)
        shape = struct.unpack_from(f"<{extents}I", file, at + 12)[::-1]
        at += 12 + 4 * extents
        name = file[at : at + length].decode()
        at += length
        block, size = GGML_QUANT_SIZES[kinds[code]]
        rows = numpy.frombuffer(file, numpy.uint8, numpy.prod(shape) // block * size, at).reshape(-1, shape[-1] // block * size)
        tensors[name] = gguf.quants.dequantize(rows, kinds[code]).reshape(shape)
        at += rows.size
    return tensors


def of_gguf(path):
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape([int(d) for d in t.shape[::-1]])
            for t in gguf.GGUFReader(path).tensors}


def floats(tensors):
    return {name: t.detach().float().numpy() for name, t in tensors.items()}


def of_folder(path):
    return floats({name: t for shard in path.glob("*.safetensors") for name, t in load_file(shard).items()})


readers = {".bin": of_bin, ".gguf": of_gguf, ".pth": lambda path: floats(torch.load(path, map_location="cpu")),
           ".safetensors": lambda path: floats(load_file(path)), "": of_folder}
files = [f for room in ("pth", "safetensors", "gguf", "bin", "hf") for f in sorted((data / "rwkv-files" / room).iterdir())]
for path in files + sorted((data / "rwkv-tiny").glob("tiny-*.bin")):
    tensors, checksum = readers[path.suffix](path), 0
    for name in sorted(tensors):
        shape = "(" + ", ".join(str(d) for d in tensors[name].shape) + ")"
        numbers = numpy.ascontiguousarray(tensors[name], numpy.float32).tobytes()
        checksum = zlib.crc32((name + shape).encode() + numbers, checksum)
    print(path.relative_to(data), len(tensors), checksum)
