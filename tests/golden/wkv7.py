#!/usr/bin/env python3
"""Golden numbers of WKV-7: wkv7.py REFERENCE.py > wkv7.txt

REFERENCE.py has wkv7_recurrent(r, w, k, v, a, b, state) and wkv7_backward(r, w, k, v, a, b, dy, state, dstate), one head a
call, time first; w is the logarithm of the decay. Every line of the output is a name, a count and that many numbers,
row-major: signals (time, heads, size), states (heads, size, size).
"""
import importlib.util
import sys

import numpy as np

TIME, HEADS, SIZE = 35, 2, 3

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

random = np.random.default_rng(7)
normal = lambda *shape: np.round(random.normal(size=shape), 4)  # few digits: the file stays small and exact
r, k, v, dy, kk, gate = (normal(TIME, HEADS, SIZE) for _ in range(6))
kk = np.round(kk / np.linalg.norm(kk, axis=-1, keepdims=True), 4)
w = np.round(-np.exp(-0.5) / (1 + np.exp(-3 * normal(TIME, HEADS, SIZE))), 4)
a, b = -kk, np.round(kk / (1 + np.exp(-gate)), 4)
state, dlast = normal(HEADS, SIZE, SIZE), normal(HEADS, SIZE, SIZE)

signals, gradients = (r, w, k, v, a, b), [np.empty_like(r) for _ in range(6)]
y, last, dstate = np.empty_like(r), np.empty_like(state), np.empty_like(state)
for h in range(HEADS):
    head = [x[:, h] for x in signals]
    y[:, h], last[h] = reference.wkv7_recurrent(*head, state[h])
    *of_head, dstate[h] = reference.wkv7_backward(*head, dy[:, h], state[h], dlast[h])
    for gradient, x in zip(gradients, of_head):
        gradient[:, h] = x

values = dict(zip("rwkvab", signals), state=state, dy=dy, dlast=dlast, y=y, last=last,
              **dict(zip(("dr", "dw", "dk", "dv", "da", "db"), gradients)), dstate=dstate)
for name, x in values.items():
    print(name, x.size, *("%.12g" % value for value in x.ravel()))
