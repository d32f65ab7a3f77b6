#!/usr/bin/env python3
"""Golden numbers of WKV-4: wkv4.py REFERENCE.py > wkv4.txt

REFERENCE.py has wkv4_recurrent(w, u, k, v, state) and wkv4_backward(w, u, k, v, dy, state, dstate), one sequence a call,
time first. Every line of the output is a name, a count and that many numbers, row-major.
"""
import importlib.util
import sys

import numpy as np

BATCH, TIME, CHANNELS = 2, 37, 5

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

random = np.random.default_rng(4)
normal = lambda *shape: np.round(random.normal(size=shape), 4)  # few digits: the file stays small and exact
time_decay, time_first = np.array([-6.0, -3.0, -1.0, 0.5, 2.0]), normal(CHANNELS)
k, v, dy = (normal(BATCH, TIME, CHANNELS) for _ in range(3))
k = np.round(2 * k, 4)
state = np.stack([normal(BATCH, CHANNELS), np.exp(normal(BATCH, CHANNELS)), normal(BATCH, CHANNELS)], 1)
state[1] = np.array([0.0, 0.0, -1e38])[:, None]  # a sequence without a past
dstate = normal(BATCH, 3, CHANNELS)

w = -np.exp(time_decay)
y, last, first = np.empty_like(k), np.empty_like(state), np.empty_like(state)
dk, dv = np.empty_like(k), np.empty_like(k)
dtime_decay, dtime_first = np.zeros(CHANNELS), np.zeros(CHANNELS)
for b in range(BATCH):
    y[b], last[b] = reference.wkv4_recurrent(w, time_first, k[b], v[b], state[b])
    dw, du, dk[b], dv[b], first[b] = reference.wkv4_backward(w, time_first, k[b], v[b], dy[b], state[b], dstate[b])
    dtime_decay += w * dw
    dtime_first += du

values = dict(time_decay=time_decay, time_first=time_first, k=k, v=v, state=state, dy=dy, dlast=dstate, y=y, last=last,
              dk=dk, dv=dv, dtime_decay=dtime_decay, dtime_first=dtime_first, dstate=first)
for name, x in values.items():
    print(name, x.size, *("%.12g" % value for value in x.ravel()))
