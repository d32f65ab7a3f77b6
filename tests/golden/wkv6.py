#!/usr/bin/env python3
"""Golden numbers of WKV-6: wkv6.py REFERENCE.py > wkv6.txt

REFERENCE.py has wkv6_recurrent(r, k, v, w, u, state) and wkv6_backward(r, k, v, w, u, dy, state, dstate), one head a call,
time first; w is the logarithm of the decay. Every line of the output is a name, a count and that many numbers, row-major:
signals (time, heads, size), states (heads, size, size), u (heads, size).
"""
import importlib.util
import sys

import numpy as np

TIME, HEADS, SIZE = 35, 2, 3

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

random = np.random.default_rng(6)
normal = lambda *shape: np.round(random.normal(size=shape), 4)  # few digits: the file stays small and exact
r, k, v, dy = (normal(TIME, HEADS, SIZE) for _ in range(4))
w = np.round(-np.exp(2 * normal(TIME, HEADS, SIZE) - 2), 4)
u, state, dlast = normal(HEADS, SIZE), normal(HEADS, SIZE, SIZE), normal(HEADS, SIZE, SIZE)

y, last, dstate, du = np.empty_like(r), np.empty_like(state), np.empty_like(state), np.empty_like(u)
dr, dk, dv, dw = (np.empty_like(r) for _ in range(4))
for h in range(HEADS):
    head = [x[:, h] for x in (r, k, v, w)] + [u[h]]
    y[:, h], last[h] = reference.wkv6_recurrent(*head, state[h])
    dr[:, h], dk[:, h], dv[:, h], dw[:, h], du[h], dstate[h] = reference.wkv6_backward(*head, dy[:, h], state[h], dlast[h])

values = dict(r=r, w=w, k=k, v=v, u=u, state=state, dy=dy, dlast=dlast, y=y, last=last, dr=dr, dw=dw, dk=dk, dv=dv,
              du=du, dstate=dstate)
for name, x in values.items():
    print(name, x.size, *("%.12g" % value for value in x.ravel()))
