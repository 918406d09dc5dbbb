"""Elementary functions that give the same bits on every machine.

The C library's exp, log and pow differ in the last bit between versions and between processors with and without fused
multiply-add. These use only IEEE 754 additions, multiplications, divisions and integer operations, in a fixed order, so a
study gives the same bytes everywhere; being free of branches, they also vectorise.
"""

import numpy as np

from .compiled import inlined

_ONE_OVER_LN2 = 1.4426950408889634
_LN2_HIGH = 0.6931471804855391  # 33 bits, so that k * _LN2_HIGH is exact for |k| < 2**20
_LN2_LOW = 7.440617110012397e-11
_SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to the nearest integer, kept in the low bits
_SHIFT_BITS = np.int64(0x4338000000000000)
_LOWEST, _HIGHEST = -708.0, 709.0


@inlined
def exp(x: float) -> float:
    """Return e**x; 0 below -708, e**709 above 709. Error below 1.5 units in the last place.

    Reduction x = k ln 2 + r with |r| <= ln(2) / 2, then a minimax polynomial of degree 12 in r (error 2e-19), then 2**k
    written into the exponent bits (Muller, Elementary Functions, 3rd ed., chapters 3 and 11).
    """
    bounded = min(max(x, _LOWEST), _HIGHEST)
    shifted = bounded * _ONE_OVER_LN2 + _SHIFT
    k = shifted - _SHIFT
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    tail = 2.0915442297780116e-09
    tail = tail * r + 2.5106274733573296e-08
    tail = tail * r + 2.75572718102198e-07
    tail = tail * r + 2.755725283351691e-06
    tail = tail * r + 2.4801587327007187e-05
    tail = tail * r + 0.00019841269876864356
    tail = tail * r + 0.0013888888888883327
    tail = tail * r + 0.008333333333325544
    tail = tail * r + 0.04166666666666667
    tail = tail * r + 0.1666666666666667
    tail = tail * r + 0.5
    mantissa = 1.0 + (r + r * r * tail)
    exponent = np.float64(shifted).view(np.int64) - _SHIFT_BITS
    scale = np.int64((exponent + np.int64(1023)) << np.int64(52)).view(np.float64)
    return mantissa * scale if x >= _LOWEST else 0.0


@inlined
def log(x: float) -> float:
    """Return the natural logarithm of a normal positive x. Error below 2 units in the last place.

    x = m 2**e with sqrt(1/2) < m <= sqrt(2), then log m = 2 atanh(s) with s = (m - 1) / (m + 1), as an odd minimax
    polynomial in s (error 4e-20; Muller, Elementary Functions, 3rd ed., chapter 11).
    """
    bits = np.float64(x).view(np.int64)
    # Subtracting the bits of sqrt(1/2) before the shift puts the cut between exponents at sqrt(1/2).
    e = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    m = np.int64(bits - (e << np.int64(52))).view(np.float64)
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    series = 0.1310072138350349
    series = series * z + 0.13267418596474884
    series = series * z + 0.15386290534658992
    series = series * z + 0.181817947008978
    series = series * z + 0.2222222240054776
    series = series * z + 0.2857142857076445
    series = series * z + 0.4000000000000094
    series = series * z + 0.6666666666666666
    # An integer below 2**51 turns into a float by its bits, which every vector unit can do.
    k = np.int64(e + _SHIFT_BITS).view(np.float64) - _SHIFT
    return k * _LN2_HIGH + (2.0 * s + (s * z * series + k * _LN2_LOW))


@inlined
def power(base: float, exponent: float) -> float:
    """Return base**exponent for base >= 0 and exponent >= 0, exactly base where the exponent is 1; at most e**709."""
    raised = exp(exponent * log(max(base, 1e-300)))
    if exponent == 1.0:
        return base
    return raised if base > 0.0 else 0.0
