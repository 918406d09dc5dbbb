/* What changes in a run, and small helpers over it. World, Parameters, Design and the outcomes' places come from tables.h, which the benchmark
   writes from the model's own tables, so that no field can be mistaken for another. */
#ifndef STATE_H
#define STATE_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "draws.h"
#include "tables.h"

enum { NO_ROLE, MENTOR, MENTEE };
enum { ASSIGNED = 1, VOLUNTEER_SCHOOLS = 2 };
enum { COUNTRY, REGION, ANYWHERE, PEERS };
enum { NEED, PROXIMITY, MOTIVATION };
enum { NO_TIER, PLATFORM_TIER, HUB, MINISTRY };
enum { COORDINATION, RELEASE, VOLUNTARY, TEAM, STIPEND, GRANT, TRAVEL, PLATFORM, OUTREACH, ONBOARDING, RECOGNITION, CATEGORIES };
enum { PROGRAMME, SCHOOLS, PAYERS };

typedef struct {
    int32_t n, regions, countries, practices;
    const double *difficulty, *weight, *initial_share; /* by practice */
} Sizes;

typedef struct {
    double key;
    int32_t school;
} Queued;

typedef struct {
    /* by practice and school */
    int32_t *adopters;
    double *share, *next_share, *ready, *saturation;
    /* by school */
    int8_t *role, *experience;
    int32_t *mentor, *mentees, *past_mentees;
    double *distance, *unlike; /* of the tie to the mentor */
    uint8_t *abroad;
    double *chance; /* scratch: of a mentor's ties to end */
    /* lists: schools that have a mentor, and schools that are one */
    int32_t *tied, *mentors, tied_count, mentor_count;
    /* matching */
    Queued *queue;
    int32_t *pool, *slot, *pool_start, *pool_count, *near, *near_start, *stamp, stamped;
    /* by unit */
    double *quality;
    int64_t *clusters;
    int64_t ledger[CATEGORIES][PAYERS]; /* this month's cents */
    int64_t adopting;
} State;

/* Everything a run reads; passed down by one pointer. */
typedef struct {
    const World *world;
    const Sizes *sizes;
    const Parameters *par;
    const Design *des;
    Key key;
    uint32_t replicate;
    int has_named;
    int32_t largest; /* teachers of a school */
} Run;

ALWAYS_INLINE int64_t cents(double euros) { return (int64_t)(euros * 100.0 + 0.5); }

ALWAYS_INLINE double teacher_hour(const Parameters *par, double salary)
{
    return salary * par->teacher_cost_factor / par->work_hours;
}

ALWAYS_INLINE double unlikeness(uint8_t a, uint8_t b, int abroad) { return __builtin_popcount((a ^ b) & 7u) + abroad; }

ALWAYS_INLINE double logistic(double z) { return 1.0 / (1.0 + portable_exp(-z)); }

ALWAYS_INLINE double own_share(const Run *run, const State *s, int32_t school)
{
    double total = 0.0;
    for (int p = 0; p < run->sizes->practices; p++)
        total += run->sizes->weight[p] * s->share[(size_t)p * run->sizes->n + school];
    return total;
}

ALWAYS_INLINE bool has_place(const Run *run, const State *s, int32_t school)
{
    return s->role[school] == MENTOR && s->mentees[school] < run->des->places;
}

ALWAYS_INLINE double kilometres(const World *w, int32_t a, int32_t b)
{
    double dx = w->x[a] - w->x[b], dy = w->y[a] - w->y[b];
    return sqrt(dx * dx + dy * dy);
}

/* Distance, unlikeness and whether abroad, of a mentee and a mentor. */
ALWAYS_INLINE int pair(const Run *run, int32_t mentee, int32_t mentor, double *distance, double *unlike)
{
    const World *w = run->world;
    int abroad = w->country[mentee] != w->country[mentor];
    *distance = abroad ? run->par->abroad_km : kilometres(w, mentee, mentor);
    *unlike = unlikeness(w->likeness[mentee], w->likeness[mentor], abroad);
    return abroad;
}

ALWAYS_INLINE int32_t unit_of(const Run *run, int32_t school)
{
    if (run->des->tier == HUB)
        return run->world->region[school];
    return run->des->tier == MINISTRY ? run->world->country[school] : 0;
}

#endif
