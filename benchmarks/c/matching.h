/* Recruitment and matching: the rules of model/matching.py. */
#ifndef MATCHING_H
#define MATCHING_H

#include "state.h"

#define LAST (-1e9)
#define SAMPLE 64 /* mentors looked at in one go */

ALWAYS_INLINE bool recruiting_month(const Design *des, int month)
{
    if (des->recruitment == 0 || month < des->first_month || (month - des->first_month) % 12 != 0)
        return false;
    return month < des->last_month || des->tier == NO_TIER;
}

ALWAYS_INLINE int64_t quota(double mentor_share, int64_t before, int64_t here)
{
    return (int64_t)(mentor_share * (double)(before + here) + 0.5) - (int64_t)(mentor_share * (double)before + 0.5);
}

ALWAYS_INLINE bool before(Queued a, Queued b) { return a.key > b.key || (a.key == b.key && a.school < b.school); }

/* Quicksort down to 16, insertion there; the order is strict, so the result does not depend on the way. */
static void sort_queue(Queued *q, int32_t count)
{
    while (count > 16) {
        Queued a = q[0], b = q[count / 2], c = q[count - 1];
        Queued pivot = before(a, b) ? (before(b, c) ? b : before(a, c) ? c : a) : (before(a, c) ? a : before(b, c) ? c : b);
        int32_t i = -1, j = count;
        for (;;) {
            do i++; while (before(q[i], pivot));
            do j--; while (before(pivot, q[j]));
            if (i >= j)
                break;
            Queued t = q[i];
            q[i] = q[j];
            q[j] = t;
        }
        sort_queue(q, j + 1);
        q += j + 1;
        count -= j + 1;
    }
    for (int32_t i = 1; i < count; i++) {
        Queued t = q[i];
        int32_t j = i;
        for (; j > 0 && before(t, q[j - 1]); j--)
            q[j] = q[j - 1];
        q[j] = t;
    }
}

static void become_mentor(const Run *run, State *s, int32_t school, int funded)
{
    s->role[school] = s->experience[school] = MENTOR;
    s->ledger[ONBOARDING][funded ? PROGRAMME : SCHOOLS] += cents(run->par->onboarding);
}

static void end_tie(const Run *run, State *s, int32_t mentee)
{
    s->mentees[s->mentor[mentee]]--;
    s->mentor[mentee] = -1;
    s->role[mentee] = NO_ROLE;
    for (int p = 0; p < run->sizes->practices; p++)
        s->saturation[(size_t)p * run->sizes->n + mentee] = 0.0;
}

static void cascade(const Run *run, State *s, int month, int funded)
{
    if (run->des->cascade <= 0.0)
        return;
    uint32_t name = event_name(CASCADE, 0, month);
    for (int32_t t = 0; t < s->tied_count; t++) {
        int32_t i = s->tied[t];
        if (own_share(run, s, i) < run->par->mainstream_threshold)
            continue;
        if (uniform(run->key, run->replicate, name, i, 0) < run->des->cascade) {
            end_tie(run, s, i);
            become_mentor(run, s, i, funded);
        }
    }
}

static void recruit(const Run *run, State *s, bool named, int month, int funded)
{
    const World *w = run->world;
    const Parameters *par = run->par;
    const Design *des = run->des;
    bool assigned = des->recruitment == ASSIGNED;
    if (assigned && month != des->first_month)
        return;
    double stipend = par->volunteer_stipend * portable_log(1.0 + des->stipend * funded / 1000.0);
    double release = par->volunteer_release * (des->release_hours * funded);
    double recognition = par->volunteer_recognition * (des->recognition * funded);
    uint32_t name = event_name(VOLUNTEER, 0, month);
    for (int32_t region = 0; region < run->sizes->regions; region++) {
        int64_t start = w->region_start[region], end = w->region_start[region + 1];
        int32_t count = 0, present = 0;
        for (int64_t position = start; position < end; position++) {
            int32_t i = w->by_region[position];
            present += s->role[i] == MENTOR;
            if (s->role[i] != NO_ROLE)
                continue;
            double share = own_share(run, s, i), key = w->capacity[i] + share;
            if (assigned) {
                if (named && w->named_role[i] != MENTOR)
                    continue;
            } else {
                if (key < par->advanced_threshold)
                    continue;
                double chance = logistic(par->volunteer_base + par->volunteer_own_share * share + stipend + release + recognition);
                if (uniform(run->key, run->replicate, name, i, 0) >= chance)
                    continue;
            }
            s->queue[count++] = (Queued){key, i};
        }
        int64_t wanted = count;
        if (des->mentor_share >= 0.0 && !named) {
            wanted = quota(des->mentor_share, start, end - start) - present;
            wanted = wanted < 0 ? 0 : wanted > count ? count : wanted;
        }
        if (wanted < count)
            sort_queue(s->queue, count);
        for (int64_t position = 0; position < wanted; position++)
            become_mentor(run, s, s->queue[position].school, funded);
    }
}

ALWAYS_INLINE int32_t pool_of(const Run *run, int64_t scope, int32_t school)
{
    return scope == COUNTRY ? run->world->country[school] : scope == REGION ? run->world->region[school] : 0;
}

/* List the mentors with free places by pool, each in the order of the table: start[u]..start[u + 1] of list. */
static void list_free(const Run *run, const State *s, int64_t scope, int32_t units, int32_t *start, int32_t *list)
{
    memset(start, 0, (units + 1) * sizeof *start);
    for (int32_t i = 0; i < run->sizes->n; i++)
        if (has_place(run, s, i))
            start[pool_of(run, scope, i) + 1]++;
    for (int32_t u = 0; u < units; u++)
        start[u + 1] += start[u];
    for (int32_t i = 0; i < run->sizes->n; i++)
        if (has_place(run, s, i))
            list[start[pool_of(run, scope, i)]++] = i;
    memmove(start + 1, start, units * sizeof *start);
    start[0] = 0;
}

static void fill_pools(const Run *run, State *s)
{
    int32_t units = run->sizes->regions + run->sizes->countries + 1;
    list_free(run, s, run->des->scope, units, s->pool_start, s->pool);
    for (int32_t u = 0; u < units; u++) {
        s->pool_count[u] = s->pool_start[u + 1] - s->pool_start[u];
        for (int32_t j = s->pool_start[u]; j < s->pool_start[u + 1]; j++)
            s->slot[s->pool[j]] = j;
    }
}

static void leave_pool(const Run *run, State *s, int32_t mentor)
{
    int32_t u = pool_of(run, run->des->scope, mentor);
    int32_t last = s->pool_start[u] + --s->pool_count[u];
    int32_t moved = s->pool[last], gap = s->slot[mentor];
    s->pool[gap] = moved;
    s->pool[last] = mentor;
    s->slot[moved] = gap;
    s->slot[mentor] = last;
}

static double nearest_free(const Run *run, const State *s, int32_t school)
{
    const World *w = run->world;
    int32_t region = w->region[school];
    double best = INFINITY;
    for (int32_t j = s->near_start[region]; j < s->near_start[region + 1]; j++) {
        double dx = w->x[school] - w->x[s->near[j]], dy = w->y[school] - w->y[s->near[j]];
        best = smaller(best, dx * dx + dy * dy);
    }
    return best == INFINITY ? LAST : -sqrt(best);
}

static int32_t queue_mentees(const Run *run, State *s, bool named, int month, int funded)
{
    const World *w = run->world;
    const Parameters *par = run->par;
    const Design *des = run->des;
    uint32_t seek = event_name(SEEK, 0, month), place = event_name(QUEUE, 0, month);
    double grant = par->seek_grant * portable_log(1.0 + des->mentee_grant * funded / 1000.0);
    int32_t count = 0;
    if (des->priority == PROXIMITY)
        list_free(run, s, REGION, run->sizes->regions, s->near_start, s->near);
    for (int32_t i = 0; i < run->sizes->n; i++) {
        if (s->role[i] != NO_ROLE || (named && w->named_role[i] != MENTEE))
            continue;
        if (des->recruitment == VOLUNTEER_SCHOOLS) {
            double z = par->seek_base + par->seek_openness * (w->openness[i] - 0.5) + par->seek_need * (0.5 - w->capacity[i]) + grant;
            if (uniform(run->key, run->replicate, seek, i, 0) >= logistic(z))
                continue;
        }
        double key = w->openness[i];
        if (des->priority == NEED) {
            key = __builtin_popcount(w->traits[i] & 6u) + uniform(run->key, run->replicate, place, i, 0);
        } else if (des->priority == PROXIMITY) {
            key = nearest_free(run, s, i);
            if (key == LAST)
                key -= uniform(run->key, run->replicate, place, i, 0);
        }
        s->queue[count++] = (Queued){key, i};
    }
    sort_queue(s->queue, count);
    return count;
}

/* The free mentors among a school's peers and their peers, each once, in the order met. */
static int32_t find_peers(const Run *run, State *s, int32_t school)
{
    const World *w = run->world;
    int32_t count = 0, stamp = ++s->stamped;
    for (int64_t a = w->peer_start[school]; a < w->peer_start[school + 1]; a++) {
        int32_t near = w->peer[a];
        for (int64_t b = w->peer_start[near] - 1; b < w->peer_start[near + 1]; b++) {
            int32_t m = b < w->peer_start[near] ? near : w->peer[b];
            if (m == school || !has_place(run, s, m) || s->stamp[m] == stamp)
                continue;
            s->stamp[m] = stamp;
            s->pool[count++] = m;
        }
    }
    return count;
}

static int32_t choose(const Run *run, State *s, int32_t school, int month)
{
    const Parameters *par = run->par;
    int32_t start = 0, count, considered = (int32_t)(par->consideration_set + 0.5);
    if (run->des->scope == PEERS) {
        count = find_peers(run, s, school);
    } else {
        int32_t u = pool_of(run, run->des->scope, school);
        start = s->pool_start[u];
        count = s->pool_count[u];
    }
    int32_t *pool = s->pool + start, *slot = s->slot, best = -1;
    double best_score = -INFINITY;
    bool all = considered >= count;
    if (all)
        considered = count;
    uint32_t consider = event_name(CONSIDER, 0, month), chosen = event_name(CHOOSE, 0, month);
    if (run->des->recruitment == VOLUNTEER_SCHOOLS) /* the school itself stands for going without */
        best_score = par->outside_option + gumbel(uniform(run->key, run->replicate, chosen, school, school));
    for (int32_t from = 0; from < considered; from += SAMPLE) {
        int32_t size = considered - from < SAMPLE ? considered - from : SAMPLE;
        double noise[SAMPLE];
        if (!all) { /* the first steps of a Fisher-Yates shuffle */
            for (int32_t j = 0; j < size; j++)
                noise[j] = uniform(run->key, run->replicate, consider, school, from + j);
            for (int32_t j = 0; j < size; j++) {
                int32_t here = from + j, other = here + (int32_t)(noise[j] * (count - here));
                int32_t a = pool[here], b = pool[other];
                pool[here] = b;
                pool[other] = a;
                slot[b] = start + here;
                slot[a] = start + other;
            }
        }
        for (int32_t j = 0; j < size; j++)
            noise[j] = gumbel(uniform(run->key, run->replicate, chosen, school, pool[from + j]));
        for (int32_t j = 0; j < size; j++) {
            int32_t m = pool[from + j];
            double distance, unlike;
            pair(run, school, m, &distance, &unlike);
            double score = noise[j] - par->proximity_weight * distance / par->peer_distance - par->likeness_weight * unlike +
                           par->reputation_weight * portable_log(1.0 + s->past_mentees[m]);
            if (score > best_score || (score == best_score && m < best)) {
                best = m;
                best_score = score;
            }
        }
    }
    return best;
}

static void tie(const Run *run, State *s, int32_t mentee, int32_t mentor)
{
    s->role[mentee] = MENTEE;
    if (s->experience[mentee] == NO_ROLE)
        s->experience[mentee] = MENTEE;
    s->mentor[mentee] = mentor;
    s->mentees[mentor]++;
    s->past_mentees[mentor]++;
    s->abroad[mentee] = pair(run, mentee, mentor, &s->distance[mentee], &s->unlike[mentee]);
}

static void match(const Run *run, State *s, bool named, int month, int funded)
{
    const World *w = run->world;
    if (named)
        for (int32_t i = 0; i < run->sizes->n; i++) {
            int32_t m = w->named_mentor[i];
            if (m >= 0 && s->role[i] == NO_ROLE && has_place(run, s, m))
                tie(run, s, i, m);
        }
    int32_t count = queue_mentees(run, s, named, month, funded);
    bool peers = run->des->scope == PEERS;
    if (!peers)
        fill_pools(run, s);
    for (int32_t position = 0; position < count; position++) {
        int32_t i = s->queue[position].school, m = choose(run, s, i, month);
        if (m < 0)
            continue;
        tie(run, s, i, m);
        if (!peers && s->mentees[m] == run->des->places)
            leave_pool(run, s, m);
    }
}

static void recruitment_round(const Run *run, State *s, int month, int funded)
{
    bool named = run->has_named && run->des->recruitment == ASSIGNED && month == run->des->first_month;
    cascade(run, s, month, funded);
    recruit(run, s, named, month, funded);
    match(run, s, named, month, funded);
    s->tied_count = s->mentor_count = 0;
    for (int32_t i = 0; i < run->sizes->n; i++) {
        if (s->role[i] == MENTOR)
            s->mentors[s->mentor_count++] = i;
        else if (s->role[i] == MENTEE)
            s->tied[s->tied_count++] = i;
    }
}

#endif
