/* Each row of the arbiter's tables, and each rule that can be broken, is taken out in turn;
 * schedules run until one shows damage.
 *
 * The kept file has one line for each mutant: `TABLE CONDITION seed N` (begin there: it catches) or
 * `TABLE CONDITION reason TEXT` (not caught, and why that is in order). # begins a remark. A mutant
 * without a line, a reason that no longer holds and a line without its mutant are all failures. */
#include "mutate.h"

#include "sim.h"
#include "sim_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MUTANTS_MAX = 192, REASON_MAX = 400, NAME_MAX_LENGTH = 64, JOBS_MAX = 64 };

struct mutant {
    const struct arb_table *table; /* NULL: a broken rule */
    unsigned index;                /* row of the table */
    enum break_rule rule;
    const char *group, *name;
    /* from the kept file */
    bool listed, has_seed;
    uint64_t kept_seed;
    char reason[REASON_MAX];
    /* what came out */
    bool done;
    enum violation violation;
    uint64_t seed, schedules;
};

struct field {
    struct mutant mutants[MUTANTS_MAX];
    unsigned count;
    unsigned next; /* taken by the jobs one after the other */
    unsigned bad_lines;
};

/* ---- the list ---- */

static void add_mutant(struct field *field, const struct mutant *mutant)
{
    if (field->count == MUTANTS_MAX)
        abort();
    field->mutants[field->count++] = *mutant;
}

static void list_mutants(struct field *field)
{
    for (const struct arb_table *table = arb__tables; table->name != NULL; table++)
        for (unsigned index = 0; index < sim_rows_count(table); index++)
            add_mutant(field, &(struct mutant){.table = table,
                                               .index = index,
                                               .group = table->name,
                                               .name = table->rows[index].when_name});
    for (int rule = BREAK_NONE + 1; rule < BREAK_COUNT; rule++)
        add_mutant(field, &(struct mutant){.rule = (enum break_rule)rule,
                                           .group = "rule",
                                           .name = sim_break_name((enum break_rule)rule)});
}

static struct mutant *find(struct field *field, const char *group, const char *name)
{
    for (unsigned i = 0; i < field->count; i++)
        if (strcmp(field->mutants[i].group, group) == 0 &&
            strcmp(field->mutants[i].name, name) == 0 && !field->mutants[i].listed)
            return &field->mutants[i];
    return NULL;
}

static bool read_line(struct field *field, char *line)
{
    char *rest = NULL;
    const char *group = strtok_r(line, " \t\n", &rest);
    if (group == NULL || group[0] == '#')
        return true;
    const char *name = strtok_r(NULL, " \t\n", &rest), *kind = strtok_r(NULL, " \t\n", &rest);
    const char *text = strtok_r(NULL, "\n", &rest);
    struct mutant *mutant = name == NULL ? NULL : find(field, group, name);
    if (mutant == NULL || kind == NULL || text == NULL || strlen(text) >= REASON_MAX)
        return false;
    mutant->listed = true;
    mutant->has_seed = strcmp(kind, "seed") == 0;
    if (mutant->has_seed) {
        char *end = NULL;
        mutant->kept_seed = strtoull(text, &end, 10);
        return end != text;
    }
    memcpy(mutant->reason, text, strlen(text) + 1);
    return strcmp(kind, "reason") == 0;
}

static int read_kept(struct field *field, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    char line[REASON_MAX + 2 * NAME_MAX_LENGTH];
    for (unsigned number = 1; fgets(line, sizeof(line), file) != NULL; number++)
        if (!read_line(field, line)) {
            (void)fprintf(stderr,
                          "%s:%u: no such row or rule, or not `TABLE CONDITION seed N` or "
                          "`TABLE CONDITION reason TEXT`\n",
                          path, number);
            field->bad_lines++;
        }
    (void)fclose(file);
    return 0;
}

/* ---- running ---- */

/* A standstill is not the damage that a broken rule must show, except where a machine that ought to
 * reset itself hangs on for ever. A missing row may show itself by any. */
static bool counts(const struct mutant *mutant, enum violation violation)
{
    if (violation == VIOLATION_STUCK)
        return mutant->table != NULL || mutant->rule == BREAK_NO_SELF_FENCE;
    return violation != VIOLATION_NONE;
}

static bool run_one(struct mutant *mutant, uint64_t seed)
{
    static struct world world;
    sim_run(&world, seed, mutant->rule, false);
    mutant->schedules++;
    if (!counts(mutant, world.result.violation))
        return false;
    mutant->violation = world.result.violation;
    mutant->seed = seed;
    return true;
}

static void run_mutant(const struct mutate_options *options, struct mutant *mutant)
{
    sim_rows_remove(mutant->table, mutant->index);
    bool caught = mutant->has_seed && run_one(mutant, mutant->kept_seed);
    for (uint64_t i = 0; i < options->schedules && !caught; i++)
        caught = run_one(mutant, options->seed + i);
    sim_rows_remove(NULL, 0);
    mutant->done = true;
}

static int run_jobs(const struct mutate_options *options, struct field *field)
{
    pid_t children[JOBS_MAX] = {0};
    int failed = 0;
    (void)fflush(NULL);
    for (unsigned job = 0; job < options->jobs && job < JOBS_MAX; job++) {
        children[job] = fork();
        if (children[job] == 0) {
            for (;;) {
                const unsigned mine = __atomic_fetch_add(&field->next, 1, __ATOMIC_SEQ_CST);
                if (mine >= field->count)
                    _exit(0);
                run_mutant(options, &field->mutants[mine]);
            }
        }
        failed += children[job] < 0;
    }
    for (unsigned job = 0; job < options->jobs && job < JOBS_MAX; job++) {
        int status = 0;
        if (children[job] > 0 && (waitpid(children[job], &status, 0) < 0 || status != 0))
            failed++;
    }
    return failed;
}

/* ---- report ---- */

static bool is_caught(const struct mutant *mutant)
{
    return mutant->violation != VIOLATION_NONE;
}

/* What is wrong with a mutant's result; NULL: nothing. */
static const char *complaint(const struct mutant *mutant)
{
    if (!mutant->done)
        return "was not run";
    if (is_caught(mutant))
        return mutant->reason[0] != '\0' ? "is caught: its reason no longer holds" : NULL;
    if (mutant->has_seed)
        return "is not caught any more";
    return mutant->reason[0] == '\0' ? "is not caught and has no reason" : NULL;
}

struct sums {
    unsigned caught, reasons, complaints;
};

static void print_report(FILE *out, const struct field *field, struct sums *ret_sums)
{
    for (unsigned i = 0; i < field->count; i++) {
        const struct mutant *mutant = &field->mutants[i];
        const char *wrong = complaint(mutant);
        ret_sums->caught += is_caught(mutant);
        ret_sums->reasons += !is_caught(mutant) && wrong == NULL;
        ret_sums->complaints += wrong != NULL;
        (void)fprintf(out, "%-9s %-28s ", mutant->group, mutant->name);
        if (is_caught(mutant))
            (void)fprintf(out, "seed %-8" PRIu64 " %s", mutant->seed,
                          sim_violation_name(mutant->violation));
        else
            (void)fprintf(out, "not caught in %" PRIu64 ": %s", mutant->schedules,
                          mutant->reason[0] != '\0' ? mutant->reason : "no reason");
        (void)fprintf(out, "%s%s\n", wrong != NULL ? "  <-- " : "", wrong != NULL ? wrong : "");
    }
}

static int write_json(const char *path, const struct field *field, const struct sums *sums)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    (void)fprintf(file, "{\"mutants\": %u, \"caught\": %u, \"with_reason\": %u, \"failures\": %u",
                  field->count, sums->caught, sums->reasons, sums->complaints + field->bad_lines);
    (void)fprintf(file, ", \"list\": [");
    for (unsigned i = 0; i < field->count; i++) {
        const struct mutant *mutant = &field->mutants[i];
        (void)fprintf(file, "%s{\"table\": \"%s\", \"row\": \"%s\", \"caught\": %s, ",
                      i > 0 ? ", " : "", mutant->group, mutant->name,
                      is_caught(mutant) ? "true" : "false");
        if (is_caught(mutant))
            (void)fprintf(file, "\"seed\": %" PRIu64 ", \"by\": \"%s\"}", mutant->seed,
                          sim_violation_name(mutant->violation));
        else
            (void)fprintf(file, "\"schedules\": %" PRIu64 ", \"reason\": \"%s\"}",
                          mutant->schedules, mutant->reason);
    }
    (void)fprintf(file, "]}\n");
    return file == stdout ? fflush(stdout) : fclose(file);
}

int mutate_run(const struct mutate_options *options)
{
    struct field *field =
        mmap(NULL, sizeof(*field), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (field == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    list_mutants(field);
    if (read_kept(field, options->kept) < 0) {
        (void)munmap(field, sizeof(*field));
        return 2;
    }
    struct sums sums = {0};
    int failed = run_jobs(options, field);
    FILE *out = options->json != NULL && strcmp(options->json, "-") == 0 ? stderr : stdout;
    print_report(out, field, &sums);
    (void)fprintf(out, "%u mutants: %u caught, %u not caught with a reason, %u failures\n",
                  field->count, sums.caught, sums.reasons, sums.complaints + field->bad_lines);
    failed += (int)(sums.complaints + field->bad_lines);
    if (options->json != NULL && write_json(options->json, field, &sums) != 0)
        failed++;
    (void)munmap(field, sizeof(*field));
    return failed > 0;
}
