/* exp, log and power of model/portable.py: the same operations in the same order, so the same bits. */
#ifndef PORTABLE_H
#define PORTABLE_H

#include <stdint.h>
#include <string.h>

#define ONE_OVER_LN2 1.4426950408889634
#define LN2_HIGH 0.6931471804855391
#define LN2_LOW 7.440617110012397e-11
#define SHIFT 6755399441055744.0 /* 1.5 * 2**52 */
#define SHIFT_BITS INT64_C(0x4338000000000000)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE double as_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

ALWAYS_INLINE uint64_t as_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

ALWAYS_INLINE double larger(double a, double b) { return a > b ? a : b; }
ALWAYS_INLINE double smaller(double a, double b) { return a < b ? a : b; }

ALWAYS_INLINE double portable_exp(double x)
{
    double bounded = smaller(larger(x, -708.0), 709.0);
    double shifted = bounded * ONE_OVER_LN2 + SHIFT;
    double k = shifted - SHIFT;
    double r = (bounded - k * LN2_HIGH) - k * LN2_LOW;
    double tail = 2.0915442297780116e-09;
    tail = tail * r + 2.5106274733573296e-08;
    tail = tail * r + 2.75572718102198e-07;
    tail = tail * r + 2.755725283351691e-06;
    tail = tail * r + 2.4801587327007187e-05;
    tail = tail * r + 0.00019841269876864356;
    tail = tail * r + 0.0013888888888883327;
    tail = tail * r + 0.008333333333325544;
    tail = tail * r + 0.04166666666666667;
    tail = tail * r + 0.1666666666666667;
    tail = tail * r + 0.5;
    double mantissa = 1.0 + (r + r * r * tail);
    uint64_t exponent = as_bits(shifted) - (uint64_t)SHIFT_BITS;
    double result = mantissa * as_double((exponent + 1023) << 52);
    return x >= -708.0 ? result : 0.0;
}

ALWAYS_INLINE double portable_log(double x)
{
    /* The exponent is lifted by 1024 before the shift, so that a logical shift does: no vector unit before AVX-512 has the other. */
    uint64_t bits = as_bits(x);
    uint64_t e = ((bits - UINT64_C(0x3FE6A09E667F3BCD) + (UINT64_C(1024) << 52)) >> 52) - 1024;
    double m = as_double(bits - (e << 52));
    double f = m - 1.0;
    double s = f / (m + 1.0);
    double z = s * s;
    double series = 0.1310072138350349;
    series = series * z + 0.13267418596474884;
    series = series * z + 0.15386290534658992;
    series = series * z + 0.181817947008978;
    series = series * z + 0.2222222240054776;
    series = series * z + 0.2857142857076445;
    series = series * z + 0.4000000000000094;
    series = series * z + 0.6666666666666666;
    double k = as_double(e + (uint64_t)SHIFT_BITS) - SHIFT;
    return k * LN2_HIGH + (2.0 * s + (s * z * series + k * LN2_LOW));
}

/* base**exponent for base in [0, 1]; the caller leaves out exponent 1, where the result is base. */
ALWAYS_INLINE double portable_power(double base, double exponent)
{
    double raised = portable_exp(exponent * portable_log(larger(base, 1e-300)));
    return base > 0.0 ? raised : 0.0;
}

#endif
