/* Named draws of model/draws.py: Philox4x32-10, uniforms with 52 bits, binomials by inversion. */
#ifndef DRAWS_H
#define DRAWS_H

#include "portable.h"

enum { START, TEACHERS, VOLUNTEER, SEEK, QUEUE, CONSIDER, CHOOSE, RETAIN, CASCADE };

typedef struct {
    uint32_t low, high;
} Key;

ALWAYS_INLINE double unit(uint32_t first, uint32_t second)
{
    uint64_t bits = (((uint64_t)first << 32) | second) >> 12;
    return as_double(bits | UINT64_C(0x3FF0000000000000)) - 1.0;
}

ALWAYS_INLINE void philox(uint32_t *c0, uint32_t *c1, uint32_t *c2, uint32_t *c3, Key key)
{
    for (int round = 0; round < 10; round++) {
        uint64_t high = (uint64_t)*c0 * 0xD2511F53u;
        uint64_t low = (uint64_t)*c2 * 0xCD9E8D57u;
        *c0 = (uint32_t)(low >> 32) ^ *c1 ^ key.low;
        *c1 = (uint32_t)low;
        *c2 = (uint32_t)(high >> 32) ^ *c3 ^ key.high;
        *c3 = (uint32_t)high;
        key.low += 0x9E3779B9u;
        key.high += 0xBB67AE85u;
    }
}

ALWAYS_INLINE uint32_t event_name(int event, int practice, int month)
{
    return (uint32_t)month | ((uint32_t)practice << 16) | ((uint32_t)event << 24);
}

ALWAYS_INLINE double uniform(Key key, uint32_t replicate, uint32_t name, uint32_t school, uint32_t other)
{
    uint32_t c0 = school, c1 = name, c2 = replicate, c3 = other;
    philox(&c0, &c1, &c2, &c3, key);
    return unit(c0, c1);
}

ALWAYS_INLINE double gumbel(double u)
{
    return -portable_log(larger(-portable_log(larger(u, 1e-16)), 1e-300));
}

/* The smallest count whose cumulative binomial probability exceeds u, for chance <= 1/2. */
static inline int32_t successes(double u, int32_t trials, double chance)
{
    if (u < 1.0 - trials * chance)
        return 0;
    double failure = 1.0 - chance, mass = 1.0, square = failure;
    for (int32_t exponent = trials; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            mass *= square;
        square *= square;
    }
    double odds = chance / failure, cumulative = mass;
    int32_t count = 0;
    while (u >= cumulative && count < trials) {
        mass *= odds * (trials - count) / (count + 1);
        count++;
        if (count > trials * chance && cumulative + mass == cumulative)
            break; /* the sum has stopped growing, a little short of 1 */
        cumulative += mass;
    }
    return count;
}

static inline int32_t binomial(double u, int32_t trials, double chance)
{
    if (chance <= 0.5)
        return successes(u, trials, larger(chance, 0.0));
    return trials - successes(1.0 - u, trials, larger(1.0 - chance, 0.0));
}

#define BLOCK 256 /* schools that go through the steps of a month together, so that they stay in the first cache */

/* Binomial counts of a block: 0, 1 and more are told apart by vector instructions, with the operations of ``successes``; the few schools
   with more go through ``binomial`` one by one. No number of trials has more than ``bits`` bits. */
ALWAYS_INLINE void binomials(const double *restrict u, const int32_t *restrict trials, const double *restrict chance, int bits, int32_t size,
                             int32_t *restrict count)
{
    double none[BLOCK], one[BLOCK];
    int32_t todo[BLOCK], left = 0;
    for (int32_t i = 0; i < size; i++) {
        double q = larger(chance[i], 0.0), failure = 1.0 - q, mass = 1.0, square = failure, n = trials[i];
        uint64_t exponent = (uint32_t)trials[i];
#pragma GCC unroll 16
        for (int bit = 0; bit < bits; bit++) {
            uint64_t taken = -(exponent >> bit & 1);
            mass *= as_double((as_bits(square) & taken) | (as_bits(1.0) & ~taken));
            square *= square;
        }
        none[i] = q > 0.5 ? 0.0 : larger(1.0 - n * q, mass);
        one[i] = q > 0.5 ? 0.0 : mass + mass * (q / failure * n);
    }
    for (int32_t i = 0; i < size; i++) {
        int32_t some = u[i] >= none[i], more = u[i] >= one[i];
        count[i] = some;
        todo[left] = i;
        left += some & more;
    }
    for (int32_t j = 0; j < left; j++)
        count[todo[j]] = binomial(u[todo[j]], trials[todo[j]], chance[todo[j]]);
}

#endif
