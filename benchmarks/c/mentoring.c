/* The model of this project in C: the same rules, the same named draws, the same results to the last bit, on one thread.

   It stands here to say what the hardware allows: benchmarks/versus_c.py checks it equal to the compiled engine and then times both. It keeps
   to what a careful C programmer would do: arrays per variable, blocks of schools that stay in the first cache, one loop per step so
   that the compiler can use vector instructions, two arrays of shares in turn, no allocation within runs. */
#include "matching.h"

#define LN2 0.6931471805599453

/* ------------------------------------------------------------------------------------------------------------ the start of a run */

static void start(const Run *run, State *s)
{
    const World *w = run->world;
    const Parameters *par = run->par;
    int32_t n = run->sizes->n, leading = (int32_t)(par->advanced_fraction * n + 0.5);
    memset(s->role, NO_ROLE, n);
    memset(s->experience, NO_ROLE, n);
    memset(s->mentees, 0, n * sizeof *s->mentees);
    memset(s->past_mentees, 0, n * sizeof *s->past_mentees);
    memset(s->saturation, 0, (size_t)n * run->sizes->practices * sizeof *s->saturation);
    s->tied_count = s->mentor_count = 0;
    s->adopting = 0;
    for (int p = 0; p < run->sizes->practices; p++) {
        size_t row = (size_t)p * n;
        double initial = run->sizes->initial_share[p] >= 0.0 ? run->sizes->initial_share[p] : par->initial_share;
        uint32_t name = event_name(START, p, 0);
        for (int32_t i = 0; i < n; i++) {
            s->ready[row + i] = (par->readiness_floor + (1.0 - par->readiness_floor) * w->capacity[i]) / run->sizes->difficulty[p];
            int32_t adopters = w->adopters_at_start[row + i];
            if (adopters < 0) {
                double relative = w->capacity[i] / par->capacity_mean;
                double share = w->capacity_rank[i] < leading ? par->advanced_share : smaller(1.0, initial * relative * relative);
                adopters = binomial(uniform(run->key, run->replicate, name, i, 0), w->teachers[i], share);
            }
            s->adopters[row + i] = adopters;
            s->share[row + i] = (double)adopters / w->teachers[i];
            s->adopting += adopters;
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------------- a month of ties */

static void coordinate(const Run *run, State *s, int funded)
{
    int32_t units = run->sizes->regions + run->sizes->countries + 2;
    double fte = run->des->tier != NO_TIER ? run->des->fte * funded : 0.0;
    memset(s->clusters, 0, units * sizeof *s->clusters);
    for (int32_t t = 0; t < s->mentor_count; t++)
        if (s->mentees[s->mentors[t]] > 0)
            s->clusters[unit_of(run, s->mentors[t])]++;
    for (int32_t u = 0; u < units; u++)
        if (s->clusters[u] > 0)
            s->quality[u] = 1.0 - portable_exp(-fte * run->par->caseload / larger(1.0, (double)s->clusters[u]));
}

static void retain(const Run *run, State *s, int month, int funded)
{
    const Parameters *par = run->par;
    const Design *des = run->des;
    double incentive = par->attrition_incentive * portable_log(1.0 + (des->stipend + des->mentee_grant) * funded / 1000.0);
    double recognition = par->attrition_recognition * (des->recognition * funded);
    double base = par->attrition * (1.0 + par->virtual_attrition * des->virtual_share);
    bool mandated = des->mandate * funded > 0.0;
    for (int32_t t = 0; t < s->mentor_count; t++) {
        int32_t m = s->mentors[t];
        if (s->mentees[m] == 0)
            continue;
        double load = s->mentees[m] / (double)des->places;
        double chance = base * portable_exp(-par->attrition_coordination * s->quality[unit_of(run, m)] - incentive - recognition);
        chance *= 1.0 + par->attrition_load * larger(0.0, load - 1.0);
        if (mandated)
            chance *= par->mandate_attrition;
        s->chance[m] = smaller(1.0, chance);
    }
    uint32_t name = event_name(RETAIN, 0, month);
    int32_t kept = 0;
    for (int32_t t = 0; t < s->tied_count; t++) {
        int32_t i = s->tied[t];
        if (uniform(run->key, run->replicate, name, i, 0) < s->chance[s->mentor[i]])
            end_tie(run, s, i);
        else
            s->tied[kept++] = i;
    }
    s->tied_count = kept;
}

/* Give each mentee its month of mentoring and post what mentors and ties cost; return mentors with mentees plus mentees. */
static int64_t deliver(const Run *run, State *s, int funded)
{
    const World *w = run->world;
    const Parameters *par = run->par;
    const Design *des = run->des;
    double release = des->release_hours * funded, v = des->virtual_share;
    double engagement = des->mandate > 0.0 ? par->mandate_engagement : 1.0;
    double likeness[5];
    for (int unlike = 0; unlike < 5; unlike++)
        likeness[unlike] = portable_exp(-par->likeness_effect * unlike);
    int team_payer = funded && des->supply_cover > 0.0 ? PROGRAMME : SCHOOLS;
    int64_t active = 0, team = 0, road = 0, driving = 0;
    for (int32_t t = 0; t < s->mentor_count; t++) {
        if (s->mentees[s->mentors[t]] == 0)
            continue;
        double hour = teacher_hour(par, w->salary[w->country[s->mentors[t]]]);
        active++;
        s->ledger[VOLUNTARY][SCHOOLS] += cents(par->voluntary_hours * hour);
        if (funded) {
            s->ledger[RELEASE][PROGRAMME] += cents(des->release_hours * hour);
            s->ledger[STIPEND][PROGRAMME] += cents(des->stipend / 12.0);
            s->ledger[RECOGNITION][PROGRAMME] += cents(des->recognition * par->recognition_cost / 12.0);
        }
    }
    for (int32_t t = 0; t < s->tied_count; t++) {
        int32_t i = s->tied[t], m = s->mentor[i];
        double hours = (par->voluntary_hours + release) / s->mentees[m];
        double visits = s->abroad[i] ? 0.0 : (1.0 - v) * hours / par->visit_hours;
        double driven = visits * 2.0 * s->distance[i];
        double travel = driven / par->travel_speed;
        double face_to_face = larger(0.0, visits * par->visit_hours - travel);
        double effective = face_to_face + v * hours * par->virtual_fidelity;
        double quality = s->quality[unit_of(run, m)];
        double fit = likeness[(int)s->unlike[i]] * (par->fit_floor + (1.0 - par->fit_floor) * quality);
        for (int p = 0; p < run->sizes->practices; p++) {
            size_t row = (size_t)p * run->sizes->n;
            double expertise = par->expertise_floor + (1.0 - par->expertise_floor) * s->share[row + m];
            double dose = run->sizes->weight[p] * (effective * fit * engagement * expertise);
            s->saturation[row + i] = 1.0 - portable_exp(-dose / par->dose_half * LN2);
        }
        double hour = par->team * teacher_hour(par, w->salary[w->country[i]]);
        team += cents((face_to_face + v * hours) * hour);
        road += cents(travel * hour);
        driving += cents(driven * par->km_rate);
    }
    s->ledger[TEAM][team_payer] += team;
    s->ledger[TRAVEL][team_payer] += road;
    s->ledger[TRAVEL][funded ? PROGRAMME : SCHOOLS] += driving;
    if (funded)
        s->ledger[GRANT][PROGRAMME] += s->tied_count * cents(des->mentee_grant / 12.0);
    return active + s->tied_count;
}

static void post_countries(const Run *run, State *s, int64_t active, int funded)
{
    const World *w = run->world;
    const Parameters *par = run->par;
    const Design *des = run->des;
    bool online = des->recruitment > 0; /* every mentoring programme has an online community */
    if (online)
        s->ledger[PLATFORM][funded ? PROGRAMME : SCHOOLS] += cents(par->platform_per_school) * active;
    if (!funded)
        return;
    int32_t countries = run->sizes->countries;
    int64_t schools[countries], regions[countries];
    memset(schools, 0, sizeof schools);
    memset(regions, 0, sizeof regions);
    for (int32_t r = 0; r < run->sizes->regions; r++) {
        schools[w->region_country[r]] += w->region_start[r + 1] - w->region_start[r];
        regions[w->region_country[r]]++;
    }
    for (int32_t c = 0; c < countries; c++) {
        double units = des->tier == HUB ? (double)regions[c] : des->tier == MINISTRY ? 1.0 : 1.0 / countries;
        double month = par->coordinator_cost_ratio * w->salary[c] * par->teacher_cost_factor / 12.0;
        if (des->tier != NO_TIER)
            s->ledger[COORDINATION][PROGRAMME] += cents(des->fte * units * month);
        if (online)
            s->ledger[PLATFORM][PROGRAMME] += cents(par->platform_fixed * ((double)schools[c] / run->sizes->n));
        s->ledger[OUTREACH][PROGRAMME] += cents(des->outreach * par->outreach_cost) * schools[c];
    }
}

/* -------------------------------------------------------------------------------------------------------------- a month of teachers */

static void powers(const double *restrict base, double exponent, int32_t size, double *restrict result)
{
    if (exponent == 1.0) {
        memcpy(result, base, size * sizeof *result);
        return;
    }
    for (int32_t i = 0; i < size; i++)
        result[i] = portable_power(base[i], exponent);
}

static void draw_pairs(const Run *run, uint32_t name, int32_t low, int32_t size, double *restrict first, double *restrict second)
{
    Key key = run->key;
    uint32_t replicate = run->replicate;
    for (int32_t i = 0; i < size; i++) {
        uint32_t c0 = (uint32_t)(low + i), c1 = name, c2 = replicate, c3 = 0;
        philox(&c0, &c1, &c2, &c3, key);
        first[i] = unit(c0, c1);
        second[i] = unit(c2, c3);
    }
}

static void expose(const World *w, const double *share, int32_t low, int32_t size, double *restrict exposure)
{
    const double *weight = w->weight;
    const int32_t *peer = w->peer;
    for (int32_t i = 0; i < size; i++) {
        double total = 0.0;
        for (int64_t a = w->peer_start[low + i], end = w->peer_start[low + i + 1]; a < end; a++)
            total += weight ? weight[a] * share[peer[a]] : share[peer[a]];
        exposure[i] = w->row_weight[low + i] * total;
    }
}

static void chances(const Parameters *par, double outreach, int32_t size, const double *restrict ready, const double *restrict openness,
                    const double *restrict colleagues, const double *restrict peers, const double *restrict mentoring,
                    const double *restrict share, double *restrict gain, double *restrict loss)
{
    double innovation = par->p + par->outreach_effect * outreach, q_in = par->q_in, q_out = par->q_out, beta = par->beta;
    double d = par->d, protection = par->protection, shield = par->shield, staying = 1.0 - par->turnover;
    for (int32_t i = 0; i < size; i++) {
        double none = (1.0 - innovation * openness[i]) * (1.0 - q_in * colleagues[i]) * (1.0 - q_out * peers[i]) * (1.0 - beta * mentoring[i]);
        gain[i] = smaller(1.0, larger(0.0, ready[i] * (1.0 - none)));
        loss[i] = 1.0 - (1.0 - d * (1.0 - protection * share[i]) * (1.0 - shield * mentoring[i])) * staying;
    }
}

/* Let schools low..low + size change in one practice; their new shares go to next_share. Return the change of adopters. */
static int64_t change(const Run *run, State *s, int p, int month, double outreach, int32_t low, int32_t size)
{
    const World *w = run->world;
    size_t row = (size_t)p * run->sizes->n, at = row + low;
    double first[BLOCK], second[BLOCK], gain[BLOCK], loss[BLOCK], own[BLOCK], peers[BLOCK];
    expose(w, s->share + row, low, size, first);
    powers(first, run->par->gamma, size, peers);
    powers(s->share + at, run->par->gamma, size, own);
    chances(run->par, outreach, size, s->ready + at, w->openness + low, own, peers, s->saturation + at, s->share + at, gain, loss);
    draw_pairs(run, event_name(TEACHERS, p, month), low, size, first, second);
    int32_t remaining[BLOCK], gained[BLOCK], lost[BLOCK], *adopters = s->adopters + at;
    const int32_t *teachers = w->teachers + low;
    for (int32_t i = 0; i < size; i++)
        remaining[i] = teachers[i] - adopters[i];
    if (run->largest < 128) {
        binomials(first, remaining, gain, 7, size, gained);
        binomials(second, adopters, loss, 7, size, lost);
    } else {
        binomials(first, remaining, gain, 10, size, gained);
        binomials(second, adopters, loss, 10, size, lost);
    }
    int32_t changed = 0;
    for (int32_t i = 0; i < size; i++) {
        adopters[i] += gained[i] - lost[i];
        changed += gained[i] - lost[i];
    }
    double *next = s->next_share + at;
    for (int32_t i = 0; i < size; i++)
        next[i] = (double)adopters[i] / teachers[i];
    return changed;
}

/* ---------------------------------------------------------------------------------------------------------------------- observation */

enum { ADOPTERS, TEACHERS_IN, MAINSTREAMED, PUPILS, COUNTS };

/* Count adopters, teachers, mainstreamed schools and pupils reached by traits (bits rural, disadvantaged), over all practices. */
static void count_traits(const Run *run, const State *s, int64_t counts[4][COUNTS])
{
    const World *w = run->world;
    memset(counts, 0, 4 * COUNTS * sizeof(int64_t));
    for (int p = 0; p < run->sizes->practices; p++) {
        size_t row = (size_t)p * run->sizes->n;
        for (int32_t i = 0; i < run->sizes->n; i++) {
            int64_t *cell = counts[w->traits[i] >> 1], adopters = s->adopters[row + i];
            cell[ADOPTERS] += adopters;
            cell[TEACHERS_IN] += w->teachers[i];
            cell[MAINSTREAMED] += s->share[row + i] >= run->par->mainstream_threshold;
            cell[PUPILS] += w->pupils[i] * adopters / w->teachers[i];
        }
    }
}

static double total_of(int64_t counts[4][COUNTS], int what)
{
    return (double)(counts[0][what] + counts[1][what] + counts[2][what] + counts[3][what]);
}

static double gap(int64_t counts[4][COUNTS], int trait)
{
    int64_t adopters[2] = {0, 0}, teachers[2] = {0, 0};
    for (int cell = 0; cell < 4; cell++) {
        adopters[cell >> trait & 1] += counts[cell][ADOPTERS];
        teachers[cell >> trait & 1] += counts[cell][TEACHERS_IN];
    }
    if (teachers[0] == 0 || teachers[1] == 0)
        return NAN;
    return (double)adopters[0] / (double)teachers[0] - (double)adopters[1] / (double)teachers[1];
}

static void observe(const Run *run, const State *s, int month, int months, int end_of_funding, double *out)
{
    double factor = portable_exp(-(month / 12.0) * portable_log(1.0 + run->par->discount_rate));
    out[OUT_effect_adopter_years] += (double)s->adopting * factor / 12.0;
    if (month == 0)
        out[OUT_adopters_start] = (double)s->adopting;
    int64_t counts[4][COUNTS];
    if (month == end_of_funding || month == months - 1)
        count_traits(run, s, counts);
    if (month == end_of_funding) {
        out[OUT_adopters_end_of_funding] = total_of(counts, ADOPTERS);
        out[OUT_mainstreamed_end_of_funding] = total_of(counts, MAINSTREAMED);
        out[OUT_gap_disadvantaged_end_of_funding] = gap(counts, 1);
        out[OUT_gap_rural_end_of_funding] = gap(counts, 0);
        out[OUT_active_ties_end_of_funding] = s->tied_count;
    }
    if (month == months - 1) {
        double funded = out[OUT_adopters_end_of_funding], adopters = total_of(counts, ADOPTERS);
        out[OUT_adopters_end] = adopters;
        out[OUT_mainstreamed_end] = total_of(counts, MAINSTREAMED);
        out[OUT_pupils_end] = total_of(counts, PUPILS);
        out[OUT_sustained_share] = funded > 0.0 ? adopters / funded : NAN;
        out[OUT_gap_disadvantaged] = gap(counts, 1);
        out[OUT_gap_rural] = gap(counts, 0);
        out[OUT_active_ties_end] = s->tied_count;
        for (int32_t i = 0; i < run->sizes->n; i++) {
            out[OUT_mentor_schools] += s->experience[i] == MENTOR;
            out[OUT_mentee_schools] += s->experience[i] == MENTEE;
        }
    }
    for (int category = 0; category < CATEGORIES; category++)
        for (int payer = 0; payer < PAYERS; payer++)
            if (s->ledger[category][payer] > 0) {
                double amount = (double)s->ledger[category][payer] * factor / 100.0;
                out[OUT_cost_programme + payer] += amount;
                out[OUT_cost_total] += amount;
                out[OUT_cost_total + 1 + category] += amount;
            }
}

/* ----------------------------------------------------------------------------------------------------------------------------- runs */

static void one_run(const Run *run, State *s, int months, int end_of_funding, double *out)
{
    const Design *des = run->des;
    memset(out, 0, OUTCOMES * sizeof *out);
    start(run, s);
    for (int month = 0; month < months; month++) {
        int funded = des->first_month <= month && month < des->last_month;
        int64_t active = 0;
        memset(s->ledger, 0, sizeof s->ledger);
        if (recruiting_month(des, month))
            recruitment_round(run, s, month, funded);
        if (s->tied_count > 0) {
            coordinate(run, s, funded);
            retain(run, s, month, funded);
            active = deliver(run, s, funded);
        }
        post_countries(run, s, active, funded);
        observe(run, s, month, months, end_of_funding, out);
        if (month == months - 1)
            break;
        for (int p = 0; p < run->sizes->practices; p++)
            for (int32_t low = 0; low < run->sizes->n; low += BLOCK) {
                int32_t size = run->sizes->n - low < BLOCK ? run->sizes->n - low : BLOCK;
                s->adopting += change(run, s, p, month, des->outreach * funded, low, size);
            }
        double *share = s->share;
        s->share = s->next_share;
        s->next_share = share;
    }
}

/* One allocation for all arrays of a state, each on its own cache line; first measures (memory NULL), then hands out. */
static size_t lay_out(State *s, const Sizes *z, char *memory)
{
    size_t used = 0, n = z->n, units = (size_t)z->regions + z->countries + 2, all = n * z->practices;
#define PLACE(field, count) (s->field = (void *)(memory + used), used += ((count) * sizeof *s->field + 63) & ~(size_t)63)
    PLACE(adopters, all);
    PLACE(share, all);
    PLACE(next_share, all);
    PLACE(ready, all);
    PLACE(saturation, all);
    PLACE(role, n);
    PLACE(experience, n);
    PLACE(mentor, n);
    PLACE(mentees, n);
    PLACE(past_mentees, n);
    PLACE(distance, n);
    PLACE(unlike, n);
    PLACE(abroad, n);
    PLACE(chance, n);
    PLACE(tied, n);
    PLACE(mentors, n);
    PLACE(queue, n);
    PLACE(pool, n);
    PLACE(slot, n);
    PLACE(near, n);
    PLACE(stamp, n);
    PLACE(pool_start, units);
    PLACE(pool_count, units);
    PLACE(near_start, units);
    PLACE(quality, units);
    PLACE(clusters, units);
#undef PLACE
    return used;
}

/* Make rows low..high of a batch; return 0, or 1 where memory is lacking. */
int run_rows(const World *world, const Sizes *sizes, const Parameters *parameters, const Design *designs, const int64_t *design,
             const int64_t *parameter_set, const int64_t *replicate, uint64_t seed, int months, int end_of_funding, int has_named,
             double *outcomes, int64_t low, int64_t high)
{
    int32_t largest = 0; /* teachers of a school */
    for (int32_t i = 0; i < sizes->n; i++)
        largest = world->teachers[i] > largest ? world->teachers[i] : largest;
    State s = {0};
    char *memory = aligned_alloc(64, lay_out(&s, sizes, NULL));
    if (memory == NULL)
        return 1;
    lay_out(&s, sizes, memory);
    memset(s.stamp, 0, sizes->n * sizeof *s.stamp);
    for (int64_t r = low; r < high; r++) {
        Run run = {world, sizes, parameters + parameter_set[r], designs + design[r], {(uint32_t)seed, (uint32_t)(seed >> 32)},
                   (uint32_t)replicate[r], has_named, largest};
        one_run(&run, &s, months, end_of_funding, outcomes + r * OUTCOMES);
    }
    free(memory);
    return 0;
}
