#!/usr/bin/env python3
"""Numbers and the blocks that gguf 0.19.0 quantises them to: quantise.py FILE.safetensors.

Rows have scales from 1e-6 to 1e3, ties, zeros, and a single large number; a tensor named after its type holds the bytes.
"""
import sys

import gguf
import numpy
from gguf.constants import GGMLQuantizationType as Type
from safetensors.numpy import save_file

rng = numpy.random.default_rng(5)
x = (rng.normal(size=(40, 64)) * 10.0 ** rng.uniform(-6, 3, size=(40, 1))).astype(numpy.float32)
x[0] = 0
x[1] = 1
x[2] = -0.25
x[3] = rng.integers(-8, 8, 64)  # whole and half steps of most types
x[4] = rng.integers(-127, 128, 64) / 2
x[5] = rng.integers(0, 2, 64) * 2 - 1  # equal sizes: the first one counts
x[6] = 0
x[6, 40] = 3
x[7, ::2] *= 1000
tensors = {"numbers": x}
for kind in Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0:
    tensors[kind.name] = gguf.quants.quantize(x, kind)
save_file(tensors, sys.argv[1])
