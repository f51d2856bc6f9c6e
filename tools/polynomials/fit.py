#!/usr/bin/env python3
"""Fits the polynomials of src/kernels/math_constants.h and prints them with their errors.

exp(r), |r| <= ln(2)/2:   1 + r + r^2 (c2 + c3 r + ... + c6 r^4), minimax in relative error.
erfc(z) exp(z^2), z >= 0: q1 t + q2 t^2 + ... + q7 t^7 with t = 1 / (1 + 0.47047 z), the substitution of
Abramowitz and Stegun 7.1.25, minimax in the error of erfc.

Minimax by Lawson's iteratively reweighted least squares on Chebyshev nodes. Needs numpy and mpmath.
"""

import mpmath
import numpy

mpmath.mp.dps = 40
P = mpmath.mpf("0.47047")


def minimax(function, powers, nodes, weight):
    matrix = numpy.array([[float(mpmath.mpf(x) ** k) for k in powers] for x in nodes])
    target = numpy.array([float(function(mpmath.mpf(x))) for x in nodes])
    lawson = numpy.ones(len(nodes))
    for _ in range(60):
        scale = numpy.sqrt(lawson) * weight
        coefficients, *_ = numpy.linalg.lstsq(matrix * scale[:, None], target * scale, rcond=None)
        error = numpy.abs((matrix @ coefficients - target) * weight)
        lawson *= error / error.max() + 1e-3
        lawson /= lawson.sum()
    return coefficients, error.max()


def scaled_erfc(t):
    z = (1 / t - 1) / P
    return mpmath.erfc(z) * mpmath.exp(z * z)


def show(name, coefficients, error):
    print(f"{name}: maximal error {error:.2g}")
    for c in coefficients:
        print(f"  {numpy.float32(c)!r}  {float(numpy.float32(c)).hex()}")


def main():
    unit = numpy.cos(numpy.pi * (numpy.arange(1500) + 0.5) / 1500)
    r = unit[::2] * float(mpmath.log(2)) / 2 * 1.0005
    show("exp c2..c6", *minimax(lambda x: (mpmath.exp(x) - 1 - x), range(2, 7), r, numpy.exp(-r)))
    t = (unit + 1) / 2 * 0.78 + 0.22
    z = (1 / t - 1) / float(P)
    show("erfc q1..q7", *minimax(scaled_erfc, range(1, 8), t, numpy.exp(-z * z)))


if __name__ == "__main__":
    main()
