#!/bin/sh
# A good guess: torch.save stores every dense tensor as _rebuild_tensor_v2 over a typed storage
# (FloatStorage, ShortStorage, …) that is counted in elements, one class for each storage key.
#
# torch 2.15.0 (run 2026-11-29): uint16, uint32, uint64, float8_* and complex32 go through
# _rebuild_tensor_v3. Its storage is torch.storage.UntypedStorage and is counted in BYTES, while offset
# and strides still count elements; the type comes last, after the hooks. So the same 10 numbers say
# "10" as int16 and "20" as uint16, and a reader that multiplies by the element size looks for 40 bytes.
# One storage key may come with two classes in one valid file: a uint8 tensor (ByteStorage) and its uint16 view
# (UntypedStorage), or with two types (uint16 and float8_e5m2). int16 and its uint16 view are refused.
#
# Seen:
#   v2: float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128
#   v3: uint16 uint32 uint64 float8_e4m3fn float8_e5m2 float8_e8m0fnu complex32
#   int16  [4:8:2] of 10: v2 ShortStorage   count 10  offset 4 size (2,) stride (2,)
#   uint16 [4:8:2] of 10: v3 UntypedStorage count 20  offset 4 size (2,) stride (2,)  last argument: uint16
#   both files hold 20 bytes of data
#   uint8 and its uint16 view: key 0 as ByteStorage and as UntypedStorage
#   int16 and its uint16 view: refused
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.15.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'P'
import io
import pickle
import zipfile

import torch


class Call:
    def __init__(self, *arguments):
        self.arguments = arguments


class Pickle(pickle.Unpickler):
    """Loads the structure without torch: globals become their names, rebuild functions keep arguments."""

    def find_class(self, module, name):
        if name.startswith("_rebuild") or name == "OrderedDict":
            return type(name, (Call,), {})
        return name

    def persistent_load(self, identity):
        return identity


def saved(value):
    """(the unpickled structure, the bytes of all storages)"""
    file = io.BytesIO()
    torch.save(value, file)
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    structure = next(name for name in names if name.endswith("/data.pkl"))
    size = sum(archive.getinfo(name).file_size for name in names if "/data/" in name)
    return Pickle(io.BytesIO(archive.read(structure))).load(), size


types = ("float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128 "
         "uint16 uint32 uint64 float8_e4m3fn float8_e5m2 float8_e8m0fnu complex32").split()
groups = {"v2": [], "v3": []}
for name in types:
    tensor, _ = saved(torch.zeros(4, dtype=getattr(torch, name)))
    groups[type(tensor).__name__[-2:]].append(name)
for version, names in groups.items():
    print(f"{version}:", *names)
assert groups["v2"] == types[:12] and groups["v3"] == types[12:]

ten = torch.arange(10, dtype=torch.int16)
for name, version, storage, count in (("int16", "v2", "ShortStorage", 10), ("uint16", "v3", "UntypedStorage", 20)):
    tensor, size = saved(ten.to(getattr(torch, name))[4:8:2])
    kind, key, place, elements = tensor.arguments[0][1:]
    print(f"{name} [4:8:2] of 10:", type(tensor).__name__, kind, elements, *tensor.arguments[1:4],
          "last:", tensor.arguments[-1] if version == "v3" else "hooks", "bytes:", size)
    assert type(tensor).__name__ == "_rebuild_tensor_" + version
    assert (kind, elements, size) == (storage, count, 20)
    assert tensor.arguments[1:4] == (4, (2,), (2,))
    assert (tensor.arguments[-1] == "uint16") == (version == "v3")

for first, second in ((torch.uint8, torch.uint16), (torch.uint16, torch.float8_e5m2)):
    a = torch.zeros(20, dtype=torch.uint8).view(first)
    both, size = saved([a, a.view(second)])
    print(f"{first} and its {second} view:", *(tensor.arguments[0][1:3] for tensor in both), "bytes:", size)
    assert size == 20 and both[0].arguments[0][2] == both[1].arguments[0][2]
    expected = "ByteStorage" if first == torch.uint8 else "UntypedStorage"
    assert [tensor.arguments[0][1] for tensor in both] == [expected, "UntypedStorage"]
try:
    saved([ten, ten.view(torch.uint16)])
    raise SystemExit("int16 and its uint16 view: saved, which was refused before")
except RuntimeError as error:
    print("int16 and its uint16 view:", error)
P
