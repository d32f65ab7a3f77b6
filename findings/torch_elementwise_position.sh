#!/bin/sh
# A good guess: an elementwise function on the CPU gives equal results for equal inputs of one type, wherever
# they stand in the tensor and however many threads run; or else that none of them can be relied on to do so.
#
# torch 2.15.0, x86-64 with AVX2 or AVX512 (run 2026-11-29): it depends on the function. In one row of 71
# equal float32 the last 7 (what is left after whole pairs of vectors) can get other bits than the first 64 with
# sigmoid, silu, softplus, elu, exp2, mish and gelu(tanh); never with exp, tanh, erf, cos and log_sigmoid.
# The same functions differ between a tensor and an equal one that is read with a stride, and, as each thread's
# share has a rest of its own, with the number of threads. With ATEN_CPU_CAPABILITY=default none differs.
# So a golden file of sigmoid or softplus (which RWKV-7 has in its rates, gate and decay) is tied to shape, strides
# and threads; one of exp or tanh is not.
#
# Seen (AVX512; AVX2 has the same counts), values of 4001 between -8 and 8 that have two results in such a row:
#   sigmoid 197  silu 197  softplus 371  elu 95  exp2 204  mish 788  gelu_tanh 172
#   exp 0  tanh 0  erf 0  cos 0  log_sigmoid 0; all 0 with ATEN_CPU_CAPABILITY=default
#   softplus of 1,000,003 values, other bits than with one thread, for 1 to 7 threads:
#   0 0 2 3 2 2 1 (AVX512), 0 0 0 0 2 2 1 (AVX2)
#   exp: 0 with each
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.15.0 numpy==2.4.6
cat > "$folder/run.py" <<'P'
import sys

import torch
import torch.nn.functional as F

capability = torch.backends.cpu.get_cpu_capability()
print("vectors:", capability)
if sys.argv[1] == "vectors" and capability not in ("AVX2", "AVX512"):
    raise SystemExit("this needs a processor with AVX2 or AVX512")

differs = {
    "sigmoid": torch.sigmoid, "silu": F.silu, "softplus": F.softplus, "elu": F.elu, "exp2": torch.exp2,
    "mish": F.mish, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}
same = {"exp": torch.exp, "tanh": torch.tanh, "erf": torch.erf, "cos": torch.cos, "log_sigmoid": F.logsigmoid}


def bits(x):
    return x.contiguous().view(torch.int32)


torch.set_num_threads(1)
values = torch.linspace(-8, 8, 4001)
rows = values[:, None].repeat(1, 71)
pairs = torch.stack([values, values], 1)
for name, function in {**differs, **same}.items():
    result = bits(torch.stack([function(row) for row in rows]))
    other = result != result[:, :1]
    strided = int((bits(function(pairs[:, 0])) != bits(function(values))).sum())
    count = int(other.any(1).sum())
    places = other.any(0).nonzero().flatten().tolist()
    print(f"{name}: {count} of 4001 values have two results, at {places}; with a stride {strided} differ")
    if sys.argv[1] == "default":
        assert count == 0 and strided == 0, name
    elif name in differs:
        assert places == list(range(64, 71)) and strided > 0, name
    else:
        assert count == 0 and strided == 0, name

if sys.argv[1] == "vectors":
    many = torch.linspace(-8, 8, 1000003)
    for name, expected in (("softplus", True), ("exp", False)):
        function = {**differs, **same}[name]
        results = []
        for threads in (1, 2, 3, 4, 5, 6, 7):
            torch.set_num_threads(threads)
            results.append(bits(function(many)))
        counts = [int((result != results[0]).sum()) for result in results]
        print(f"{name}: of 1,000,003 values, other bits than with 1 thread for 1 to 7 threads: {counts}")
        assert (sum(counts) > 0) == expected
P
"$folder/venv/bin/python" -W ignore "$folder/run.py" vectors
ATEN_CPU_CAPABILITY=default "$folder/venv/bin/python" -W ignore "$folder/run.py" default
