/* Named draws of model/draws.py: Philox4x32-10, uniforms with 52 bits, binomials by inversion. */
#ifndef DRAWS_H
#define DRAWS_H

#include "portable.h"

enum { TEACHERS = 1 }; /* the number of this kind of event */

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

#endif
