/* Months of teachers who adopt and abandon, in C: what the hardware allows for the part of the model that takes nearly all of the time.

   Exposure, the powers of shares, the chances of adoption and loss, named draws and binomial counts, of one practice in one run, by the same
   operations in the same order as model/rules.py and model/draws.py, so with the same bits; benchmarks/versus_c.py holds it to that. It does
   what a careful C programmer does: an array per variable, blocks of schools that stay in the first cache, one loop per step so that the
   compiler can use vector instructions, two arrays of shares in turn, no allocation. No school has a tie. */
#include "draws.h"

#define BLOCK 256 /* schools that go through the steps of a month together */

typedef struct {
    const int64_t *peer_start; /* school i's peers are peer[peer_start[i]] to peer[peer_start[i + 1] - 1] */
    const int32_t *peer, *teachers;
    const double *row_weight, *weight; /* of a school's peers, and of each of them; NULL where all weigh the same */
    const double *openness, *ready;
} Schools;

typedef struct {
    double p, gamma, q_in, q_out, d, protection, turnover;
} Rates;

static void expose(const Schools *s, const double *share, int32_t low, int32_t size, double *restrict exposure)
{
    for (int32_t i = 0; i < size; i++) {
        double total = 0.0;
        for (int64_t a = s->peer_start[low + i], end = s->peer_start[low + i + 1]; a < end; a++)
            total += s->weight ? s->weight[a] * share[s->peer[a]] : share[s->peer[a]];
        exposure[i] = s->row_weight[low + i] * total;
    }
}

static void powers(const double *restrict base, double exponent, int32_t size, double *restrict result)
{
    if (exponent == 1.0) {
        memcpy(result, base, size * sizeof *result);
        return;
    }
    for (int32_t i = 0; i < size; i++)
        result[i] = portable_power(base[i], exponent);
}

static void chances(Rates r, int32_t size, const double *restrict ready, const double *restrict openness, const double *restrict colleagues,
                    const double *restrict peers, const double *restrict share, double *restrict gain, double *restrict loss)
{
    double staying = 1.0 - r.turnover;
    for (int32_t i = 0; i < size; i++) {
        double none = (1.0 - r.p * openness[i]) * (1.0 - r.q_in * colleagues[i]) * (1.0 - r.q_out * peers[i]);
        gain[i] = smaller(1.0, larger(0.0, ready[i] * (1.0 - none)));
        loss[i] = 1.0 - (1.0 - r.d * (1.0 - r.protection * share[i])) * staying;
    }
}

static void draw_pairs(Key key, uint32_t replicate, uint32_t name, int32_t low, int32_t size, double *restrict first, double *restrict second)
{
    for (int32_t i = 0; i < size; i++) {
        uint32_t c0 = (uint32_t)(low + i), c1 = name, c2 = replicate, c3 = 0;
        philox(&c0, &c1, &c2, &c3, key);
        first[i] = unit(c0, c1);
        second[i] = unit(c2, c3);
    }
}

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

/* Let schools low..low + size change; their adopters change at once, their new shares go to next. */
static void change(const Schools *s, Rates r, Key key, uint32_t replicate, int month, int bits, int32_t low, int32_t size,
                   int32_t *restrict adopters, const double *share, double *restrict next)
{
    double first[BLOCK], second[BLOCK], gain[BLOCK], loss[BLOCK], own[BLOCK], peers[BLOCK];
    int32_t remaining[BLOCK], gained[BLOCK], lost[BLOCK];
    const int32_t *teachers = s->teachers + low;
    expose(s, share, low, size, first);
    powers(first, r.gamma, size, peers);
    powers(share + low, r.gamma, size, own);
    chances(r, size, s->ready + low, s->openness + low, own, peers, share + low, gain, loss);
    draw_pairs(key, replicate, event_name(TEACHERS, 0, month), low, size, first, second);
    for (int32_t i = 0; i < size; i++)
        remaining[i] = teachers[i] - adopters[i];
    if (bits == 7) {
        binomials(first, remaining, gain, 7, size, gained);
        binomials(second, adopters, loss, 7, size, lost);
    } else {
        binomials(first, remaining, gain, 10, size, gained);
        binomials(second, adopters, loss, 10, size, lost);
    }
    for (int32_t i = 0; i < size; i++)
        adopters[i] += gained[i] - lost[i];
    for (int32_t i = 0; i < size; i++)
        next[i] = (double)adopters[i] / teachers[i];
}

/* Let months 0 to months - 1 pass in one run; ``share`` and ``next`` (n doubles each) take turns, and adopters end as they are after. */
void run_months(int32_t n, const Schools *schools, const Rates *rates, uint64_t seed, uint32_t replicate, int months, int32_t *adopters,
                double *share, double *next)
{
    int32_t largest = 0;
    for (int32_t i = 0; i < n; i++) {
        share[i] = (double)adopters[i] / schools->teachers[i];
        largest = schools->teachers[i] > largest ? schools->teachers[i] : largest;
    }
    Key key = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int month = 0; month < months; month++) {
        for (int32_t low = 0; low < n; low += BLOCK)
            change(schools, *rates, key, replicate, month, largest < 128 ? 7 : 10, low, n - low < BLOCK ? n - low : BLOCK, adopters + low, share,
                   next + low);
        double *turn = share;
        share = next;
        next = turn;
    }
}
