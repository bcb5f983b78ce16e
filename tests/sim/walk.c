/* The walk: from a pair that serves, each kind of fault on each node (or none) begins each second,
 * lasting three. Two worlds count as one state when everything that the rules look at is equal:
 * phases, records, disks, links, roles, executors, paths, the register, and how the terms compare.
 * From each new state everything is also repaired, and the pair must recover. Delays come from the
 * seed: what is exhaustive are the faults and their order, not the delays. */
#include "walk.h"

#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STEP_MS = 1000,
    LASTS_MS = 3000,
    SETTLE_LIMIT_MS = 60000,
    CHOICES_MAX = FAULT_COUNT * 2 + 1
};

struct choice {
    bool nothing;
    enum fault_kind kind;
    uint16_t node;
};

struct path {
    uint8_t steps[WALK_DEPTH_MAX];
    uint8_t length;
};

struct walk {
    struct choice choices[CHOICES_MAX];
    unsigned choice_count;
    struct world start;
    uint64_t *seen; /* open hash of states, 0 free */
    size_t room, states;
    struct path *next;
    size_t next_count, next_room;
    uint64_t transitions, violations, stuck, new_states[WALK_DEPTH_MAX + 1];
};

static void *grow(void *old, size_t count, size_t size)
{
    void *room = reallocarray(old, count, size);
    if (room == NULL) {
        perror("walk");
        exit(1);
    }
    return room;
}

/* ---- the set of states ---- */

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * 0x9e3779b97f4a7c15u;
    *hash ^= *hash >> 29;
}

static unsigned order(uint64_t a, uint64_t b)
{
    return a < b ? 0 : a == b ? 1 : 2;
}

static void mix_copy(uint64_t *hash, const struct world *w, const struct copy *copy)
{
    mix(hash, (uint64_t)copy->disk | (uint64_t)copy->peer_disk << 4 | (uint64_t)copy->link << 8 |
                  (uint64_t)copy->meta_disk << 12);
    mix(hash, copy->up | copy->primary << 1 | copy->suspended << 2 | copy->question << 3 |
                  copy->promotion_asks << 4 | copy->meta_peer_outdated << 5 |
                  copy->meta_crashed_primary << 6 | copy->sync_source << 7 |
                  copy->sync_target << 8 | (copy->content == w->acknowledged) << 9);
}

static void mix_machine(uint64_t *hash, const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    const struct arb_state *state = &m->state;
    mix(hash, m->on | m->paused << 1 | m->booting << 2 | m->daemon << 3 | m->down << 4 |
                  m->database << 5 | sim_holds_vip(w, node) << 6 | m->stop_wanted << 7 |
                  m->switchover_wanted << 8 | m->heard << 9 | m->member << 10 |
                  (m->stopped_until_ms > w->now_ms) << 11 | m->writing_busy << 12);
    mix(hash, (uint64_t)state->phase | (uint64_t)m->exec << 8 | (uint64_t)m->step << 16 |
                  (uint64_t)state->ask << 24 | (uint64_t)state->ask_purpose << 28);
    mix(hash, state->right_in_hand | (state->outdate_term != 0) << 1 |
                  (state->outdated_term != 0) << 2 | state->stopping << 3 | state->answered << 4 |
                  (state->run_seen == w->run) << 5 | (state->durable.witness_run == w->run) << 6 |
                  (state->ask_failures > 1) << 7 | state->vip_waits << 8);
    mix(hash, (uint64_t)state->durable.right.mode | state->durable.right.owner << 2 |
                  (uint64_t)m->disk_state.right.mode << 4 | m->disk_state.right.owner << 6 |
                  (uint64_t)state->register_seen.mode << 8 | state->register_seen.owner << 10 |
                  (uint64_t)m->peer.phase << 12 |
                  (uint64_t)order(state->durable.right.term, w->reg.term) << 16 |
                  (uint64_t)order(state->durable.right.term,
                                  w->machine[1 - node].state.durable.right.term)
                      << 18);
    mix_copy(hash, w, &m->copy);
    mix(hash, (uint64_t)(w->witness_cut[node] > 0) | (uint64_t)(w->disk_slow[node] > 0) << 1 |
                  (uint64_t)(w->cut[0][node] > 0) << 2 | (uint64_t)(w->cut[1][node] > 0) << 3);
}

static uint64_t state_of(const struct world *w)
{
    uint64_t hash = 1;
    for (unsigned node = 0; node < NODES; node++)
        mix_machine(&hash, w, node);
    mix(&hash, (uint64_t)w->reg.mode | w->reg.owner << 2 | (uint64_t)(w->witness_down > 0) << 4 |
                   (uint64_t)(w->witness_slow > 0) << 5 |
                   (uint64_t)sim_drbd_truly_connected(w) << 6);
    return hash == 0 ? 1 : hash;
}

static bool put(struct walk *walk, uint64_t state)
{
    size_t at = state % walk->room;
    while (walk->seen[at] != 0 && walk->seen[at] != state)
        at = (at + 1) % walk->room;
    if (walk->seen[at] == state)
        return false;
    walk->seen[at] = state;
    walk->states++;
    return true;
}

static bool is_new(struct walk *walk, uint64_t state)
{
    if (walk->states * 2 >= walk->room) {
        uint64_t *old = walk->seen;
        const size_t old_room = walk->room;
        walk->room = old_room == 0 ? 1u << 16 : old_room * 2;
        walk->seen = grow(NULL, walk->room, sizeof(*walk->seen));
        memset(walk->seen, 0, walk->room * sizeof(*walk->seen));
        walk->states = 0;
        for (size_t i = 0; i < old_room; i++)
            if (old[i] != 0)
                (void)put(walk, old[i]);
        free(old);
    }
    return put(walk, state);
}

/* ---- steps ---- */

static void run_until(struct world *w, uint64_t until_ms)
{
    while (w->result.violation == VIOLATION_NONE && w->queued > 0 && w->queue[0].at_ms <= until_ms)
        (void)sim_step(w);
    w->now_ms = until_ms;
}

static void take_step(const struct walk *walk, struct world *w, unsigned index)
{
    const struct choice *choice = &walk->choices[index];
    if (!choice->nothing) {
        const unsigned slot = w->fault_count++;
        w->faults[slot] = (struct fault){.kind = choice->kind,
                                         .node = choice->node,
                                         .detail = 1,
                                         .at_ms = w->now_ms,
                                         .length_ms = LASTS_MS};
        sim_fault_begins(w, slot);
    }
    run_until(w, w->now_ms + STEP_MS);
}

/* The pair after everything has been repaired; the world is used up. */
static bool recovers(struct world *w)
{
    run_until(w, w->now_ms + LASTS_MS);
    if (w->result.violation != VIOLATION_NONE)
        return false;
    sim_repair(w);
    const uint64_t limit_ms = w->now_ms + SETTLE_LIMIT_MS;
    while (w->result.violation == VIOLATION_NONE && w->now_ms <= limit_ms) {
        if (!sim_step(w))
            break;
        if (sim_settled(w))
            return w->result.violation == VIOLATION_NONE;
    }
    sim_violation(w, VIOLATION_STUCK);
    return false;
}

static void tell(const struct walk *walk, const struct path *path, const struct world *w)
{
    printf("%s:", sim_violation_name(w->result.violation));
    for (unsigned i = 0; i < path->length; i++) {
        const struct choice *choice = &walk->choices[path->steps[i]];
        printf(" %s", choice->nothing ? "nothing" : sim_fault_name(choice->kind));
        if (!choice->nothing)
            printf(" (%s)", choice->node == 0 ? "A" : "B");
        (void)fputs(i + 1u < path->length ? "," : "\n", stdout);
    }
}

static void count(struct walk *walk, const struct path *path, const struct world *w)
{
    const bool stuck = w->result.violation == VIOLATION_STUCK;
    walk->stuck += stuck;
    walk->violations += !stuck;
    if (walk->stuck + walk->violations <= 10)
        tell(walk, path, w);
}

static void arrive(struct walk *walk, const struct path *path, struct world *w)
{
    walk->transitions++;
    if (w->result.violation != VIOLATION_NONE) {
        count(walk, path, w);
        return;
    }
    if (!is_new(walk, state_of(w)))
        return;
    walk->new_states[path->length]++;
    if (walk->next_count == walk->next_room) {
        walk->next_room = walk->next_room == 0 ? 1024 : walk->next_room * 2;
        walk->next = grow(walk->next, walk->next_room, sizeof(*walk->next));
    }
    walk->next[walk->next_count++] = *path;
    if (!recovers(w))
        count(walk, path, w);
}

static void walk_from(struct walk *walk, const struct path *path)
{
    static struct world here, there;
    here = walk->start;
    for (unsigned i = 0; i < path->length; i++)
        take_step(walk, &here, path->steps[i]);
    for (unsigned i = 0; i < walk->choice_count; i++) {
        struct path longer = *path;
        longer.steps[longer.length++] = (uint8_t)i;
        there = here;
        take_step(walk, &there, i);
        arrive(walk, &longer, &there);
    }
}

/* ---- the whole ---- */

static bool on_a_node(enum fault_kind kind)
{
    static const enum fault_kind of_both[] = {
        FAULT_DATA_LINK,       FAULT_LAN,         FAULT_ALL_LINKS,    FAULT_WITNESS_DOWN,
        FAULT_WITNESS_RESTART, FAULT_WITNESS_OLD, FAULT_WITNESS_SLOW, FAULT_SWITCHOVER,
    };
    for (unsigned i = 0; i < sizeof(of_both) / sizeof(of_both[0]); i++)
        if (of_both[i] == kind)
            return false;
    return true;
}

static void set_up(struct walk *walk, uint64_t seed)
{
    walk->choices[walk->choice_count++].nothing = true;
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        for (uint16_t node = 0; node < (on_a_node((enum fault_kind)kind) ? NODES : 1); node++)
            walk->choices[walk->choice_count++] =
                (struct choice){.kind = (enum fault_kind)kind, .node = node};
    struct world *w = &walk->start;
    sim_begin_healthy(w, seed);
    w->repaired = true; /* for sim_settled() */
    while (!sim_settled(w) && sim_step(w))
        ;
    w->repaired = false;
    w->repair_ms = UINT64_MAX;
}

static int report(const struct walk *walk, unsigned depth, const char *json, double seconds)
{
    FILE *out = json == NULL || strcmp(json, "-") == 0 ? stdout : fopen(json, "w");
    if (out == NULL) {
        perror(json);
        return -1;
    }
    (void)fprintf(out,
                  json == NULL ? "depth %u: %zu states, %" PRIu64
                                 " transitions, violations %" PRIu64 ", stuck %" PRIu64 ", %.1f s\n"
                               : "{\"depth\": %u, \"states\": %zu, \"transitions\": %" PRIu64
                                 ", \"violations\": %" PRIu64 ", \"stuck\": %" PRIu64
                                 ", \"seconds\": %.1f",
                  depth, walk->states, walk->transitions, walk->violations, walk->stuck, seconds);
    if (json != NULL) {
        (void)fprintf(out, ", \"new_states\": [");
        for (unsigned i = 0; i <= depth; i++)
            (void)fprintf(out, "%s%" PRIu64, i > 0 ? ", " : "", walk->new_states[i]);
        (void)fprintf(out, "]}\n");
    }
    return out == stdout ? fflush(stdout) : fclose(out);
}

int walk_run(unsigned depth, uint64_t seed, const char *json)
{
    static struct walk walk;
    struct timespec begin, end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    set_up(&walk, seed);
    (void)is_new(&walk, state_of(&walk.start));
    walk.new_states[0] = 1;
    struct path *layer = grow(NULL, 1, sizeof(*layer));
    *layer = (struct path){.length = 0};
    size_t layer_count = 1;
    for (unsigned step = 0; step < depth; step++) {
        for (size_t i = 0; i < layer_count; i++)
            walk_from(&walk, &layer[i]);
        free(layer);
        layer = walk.next;
        layer_count = walk.next_count;
        walk.next = NULL;
        walk.next_count = walk.next_room = 0;
    }
    free(layer);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    const int r = report(&walk, depth, json, seconds);
    free(walk.seen);
    return r != 0 || walk.violations + walk.stuck > 0;
}
