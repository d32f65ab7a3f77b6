#!/usr/bin/env python3
"""Coefficients of NormalTail in include/rwkv/ops/gelu.hpp: normal_tail.py. Needs mpmath.

The tail of the normal distribution is Phi(-x) = e^(-x^2/2) t P(u) for x >= 0, with t = 1 / (1 + slope x) and u the t of
[1 / (1 + slope top), 1] on [-1, 1]; beyond `top` the exponential is 0. P is the Chebyshev interpolant.
"""
import mpmath as mp

mp.mp.dps = 60
SLOPE = mp.mpf("0.2125")


def interpolate(top, degree):
    low = 1 / (1 + SLOPE * top)
    middle, half = (1 + low) / 2, (1 - low) / 2

    def p(u):
        t = middle + half * u
        x = (1 / t - 1) / SLOPE
        return mp.ncdf(-x) * mp.e ** (x * x / 2) / t

    n = degree + 1
    at = [mp.cos(mp.pi * (k + mp.mpf(1) / 2) / n) for k in range(n)]
    power = mp.lu_solve(mp.matrix([[u ** j for j in range(n)] for u in at]), mp.matrix([p(u) for u in at]))
    grid = [mp.mpf(i) / 200 - 1 for i in range(401)]
    worst = max(abs(mp.polyval(list(power)[::-1], u) / p(u) - 1) for u in grid)
    return low, power, worst


for name, top, degree, digits in (("float", mp.mpf("13.5"), 8, 9), ("double", mp.mpf("38.6"), 22, 17)):
    low, power, worst = interpolate(top, degree)
    print(name, "relative error", mp.nstr(worst, 3))
    print("  u = scale t - shift, scale", mp.nstr(2 / (1 - low), digits), "shift", mp.nstr((1 + low) / (1 - low), digits))
    print("  " + ", ".join(mp.nstr(c, digits) for c in power))
