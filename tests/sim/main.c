/* og-sim: many schedules of faults in virtual time, or the readable trace of one. */
#include "mutate.h"
#include "sim.h"
#include "table.h"
#include "walk.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, FAILING_MAX = 16 };

struct totals {
    uint64_t schedules, violations, stuck, waiting, acknowledged, takeovers;
    uint64_t kinds[VIOLATION_COUNT], faults[FAULT_COUNT], waits_rows[ROWS], rows[ROWS], fences;
    uint64_t overlap_ms, active_after_ms;
    uint64_t failing[FAILING_MAX];
    enum violation failing_kind[FAILING_MAX];
    unsigned failings;
};

struct options {
    uint64_t schedules, seed;
    unsigned jobs;
    bool trace, mutate;
    uint64_t walk_depth; /* 0: no walk */
    const char *json, *cases, *kept;
    enum break_rule broken_rule;
};

static void usage(FILE *out)
{
    (void)fprintf(
        out,
        "usage: og-sim [--schedules N] [--seed S] [--jobs J] [--json[=FILE]]\n"
        "       og-sim --seed S --trace      one schedule, told line by line\n"
        "       og-sim --break RULE          with one rule broken; exit 0 when the damage\n"
        "                                    is found within the schedules, else 1\n"
        "       og-sim --mutate [--kept FILE] [--schedules N] [--seed S] [--json[=FILE]]\n"
        "                                    each row and rule taken out in turn; exit 0 when\n"
        "                                    the schedules show each, or FILE says why not\n"
        "       og-sim --walk DEPTH [--seed S] [--json[=FILE]]\n"
        "                                    every sequence of so many faults, a second apart\n"
        "       og-sim --table               the decision tables (docs/arbiter.md)\n"
        "Exit: 0 no violation, 1 violation, 2 wrong use.\nRules to break:");
    for (int rule = 1; rule < BREAK_COUNT; rule++)
        (void)fprintf(out, " %s", sim_break_name((enum break_rule)rule));
    (void)fputc('\n', out);
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
    char *end = NULL;
    errno = 0;
    const uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return false;
    *ret_value = value;
    return true;
}

static bool parse_rule(const char *text, enum break_rule *ret_rule)
{
    for (int rule = 1; rule < BREAK_COUNT; rule++)
        if (strcmp(text, sim_break_name((enum break_rule)rule)) == 0) {
            *ret_rule = (enum break_rule)rule;
            return true;
        }
    return false;
}

static uint64_t processors(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > JOBS_MAX ? JOBS_MAX : (uint64_t)count;
}

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"schedules", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"json", optional_argument, NULL, 'o'},
                                          {"trace", no_argument, NULL, 't'},
                                          {"break", required_argument, NULL, 'b'},
                                          {"cases", required_argument, NULL, 'c'},
                                          {"mutate", no_argument, NULL, 'm'},
                                          {"walk", required_argument, NULL, 'w'},
                                          {"table", no_argument, NULL, 'd'},
                                          {"kept", required_argument, NULL, 'k'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    uint64_t jobs = processors();
    int letter;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        bool good = true;
        switch (letter) {
        case 'n':
            good = parse_number(optarg, &options->schedules);
            break;
        case 's':
            good = parse_number(optarg, &options->seed);
            break;
        case 'j':
            good = parse_number(optarg, &jobs) && jobs >= 1 && jobs <= JOBS_MAX;
            break;
        case 'o':
            options->json = optarg != NULL ? optarg : "-";
            break;
        case 'c':
            options->cases = optarg;
            break;
        case 'm':
            options->mutate = true;
            break;
        case 'k':
            options->kept = optarg;
            break;
        case 't':
            options->trace = true;
            break;
        case 'b':
            good = parse_rule(optarg, &options->broken_rule);
            break;
        case 'w':
            good = parse_number(optarg, &options->walk_depth) && options->walk_depth >= 1 &&
                   options->walk_depth <= WALK_DEPTH_MAX;
            break;
        case 'd':
            table_print(stdout);
            exit(0);
        case 'h':
            usage(stdout);
            exit(0);
        default:
            good = false;
        }
        if (!good) {
            usage(stderr);
            return -1;
        }
    }
    options->jobs = (unsigned)jobs;
    return optind == argc ? 0 : -1;
}

static void add_result(struct totals *totals, uint64_t seed, const struct result *result)
{
    totals->schedules++;
    totals->acknowledged += result->acknowledged;
    totals->takeovers += result->takeovers;
    if (result->overlap_ms > totals->overlap_ms)
        totals->overlap_ms = result->overlap_ms;
    if (!result->waits && result->active_after_ms > totals->active_after_ms)
        totals->active_after_ms = result->active_after_ms;
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        totals->faults[kind] += result->faults[kind];
    for (int row = 0; row < ROWS; row++)
        totals->rows[row] += result->rows[row];
    totals->fences += result->fences;
    if (result->waits) {
        totals->waiting++;
        if (result->waits_row < ROWS)
            totals->waits_rows[result->waits_row]++;
    }
    if (result->violation == VIOLATION_NONE)
        return;
    totals->kinds[result->violation]++;
    if (result->violation == VIOLATION_STUCK)
        totals->stuck++;
    else
        totals->violations++;
    if (totals->failings < FAILING_MAX) {
        totals->failing_kind[totals->failings] = result->violation;
        totals->failing[totals->failings++] = seed;
    }
}

/* A standstill is not the damage that a broken rule must show, except where a machine that ought to
 * reset itself hangs on for ever. */
static bool damage(const struct options *options, const struct totals *totals)
{
    return totals->violations > 0 ||
           (options->broken_rule == BREAK_NO_SELF_FENCE && totals->stuck > 0);
}

static void run_part(const struct options *options, unsigned job, struct totals *totals)
{
    static struct world world;
    for (uint64_t i = job; i < options->schedules; i += options->jobs) {
        sim_run(&world, options->seed + i, options->broken_rule, false);
        add_result(totals, options->seed + i, &world.result);
        if (options->broken_rule != BREAK_NONE && damage(options, totals))
            return;
    }
}

static void merge(struct totals *sum, const struct totals *part)
{
    sum->schedules += part->schedules;
    sum->violations += part->violations;
    sum->stuck += part->stuck;
    sum->waiting += part->waiting;
    sum->acknowledged += part->acknowledged;
    sum->takeovers += part->takeovers;
    sum->fences += part->fences;
    sum->overlap_ms = part->overlap_ms > sum->overlap_ms ? part->overlap_ms : sum->overlap_ms;
    if (part->active_after_ms > sum->active_after_ms)
        sum->active_after_ms = part->active_after_ms;
    for (int i = 0; i < VIOLATION_COUNT; i++)
        sum->kinds[i] += part->kinds[i];
    for (int i = 0; i < FAULT_COUNT; i++)
        sum->faults[i] += part->faults[i];
    for (int i = 0; i < ROWS; i++) {
        sum->waits_rows[i] += part->waits_rows[i];
        sum->rows[i] += part->rows[i];
    }
    for (unsigned i = 0; i < part->failings && sum->failings < FAILING_MAX; i++) {
        sum->failing_kind[sum->failings] = part->failing_kind[i];
        sum->failing[sum->failings++] = part->failing[i];
    }
}

static int run_all(const struct options *options, struct totals *ret_totals)
{
    struct totals *parts = mmap(NULL, sizeof(*parts) * options->jobs, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (parts == MAP_FAILED) {
        perror("mmap");
        return -1;
    }
    int failed = 0;
    pid_t children[JOBS_MAX] = {0};
    for (unsigned job = 0; job < options->jobs; job++) {
        children[job] = fork();
        if (children[job] == 0) {
            run_part(options, job, &parts[job]);
            _exit(0);
        }
        failed += children[job] < 0;
    }
    for (unsigned job = 0; job < options->jobs; job++) {
        int status = 0;
        if (children[job] > 0 && (waitpid(children[job], &status, 0) < 0 || status != 0))
            failed++;
        merge(ret_totals, &parts[job]);
    }
    (void)munmap(parts, sizeof(*parts) * options->jobs);
    if (failed > 0)
        (void)fprintf(stderr, "og-sim: %d of %u jobs ended abnormally\n", failed, options->jobs);
    return failed == 0 ? 0 : -1;
}

static void print_totals(FILE *out, const struct totals *totals, double seconds)
{
    (void)fprintf(out, "%" PRIu64 " schedules in %.1f s (%.0f a second)\n", totals->schedules,
                  seconds, (double)totals->schedules / seconds);
    (void)fprintf(
        out, "violations %" PRIu64 ", stuck %" PRIu64 ", waiting for a missing node %" PRIu64 "\n",
        totals->violations, totals->stuck, totals->waiting);
    (void)fprintf(
        out,
        "takeovers %" PRIu64 ", acknowledged writes %" PRIu64
        ", longest double address after a pause %" PRIu64 " ms, longest way back %" PRIu64 " ms\n",
        totals->takeovers, totals->acknowledged, totals->overlap_ms, totals->active_after_ms);
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        (void)fprintf(out, "  %-24s %" PRIu64 "\n", sim_fault_name((enum fault_kind)kind),
                      totals->faults[kind]);
    (void)fprintf(out,
                  "machines that reset themselves %" PRIu64 "; how often each rule came up:\n ",
                  totals->fences);
    for (unsigned row = 0; row < ROWS; row++)
        if (totals->rows[row] > 0)
            (void)fprintf(out, " R%u:%" PRIu64, row, totals->rows[row]);
    (void)fputc('\n', out);
    for (unsigned row = 0; row < ROWS; row++)
        if (totals->waits_rows[row] > 0)
            (void)fprintf(out, "  waits by R%-15u %" PRIu64 "\n", row, totals->waits_rows[row]);
    for (unsigned i = 0; i < totals->failings; i++)
        (void)fprintf(out, "seed %" PRIu64 ": %s (og-sim --seed %" PRIu64 " --trace)\n",
                      totals->failing[i], sim_violation_name(totals->failing_kind[i]),
                      totals->failing[i]);
}

static int write_json(const char *path, const struct totals *totals, double seconds)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    (void)fprintf(
        file,
        "{\"schedules\": %" PRIu64 ", \"violations\": %" PRIu64 ", \"stuck\": %" PRIu64
        ", \"waiting\": %" PRIu64 ", \"takeovers\": %" PRIu64 ", \"acknowledged\": %" PRIu64
        ", \"longest_overlap_ms\": %" PRIu64 ", \"seconds\": %.2f"
        ", \"schedules_per_s\": %.0f, \"faults\": {",
        totals->schedules, totals->violations, totals->stuck, totals->waiting, totals->takeovers,
        totals->acknowledged, totals->overlap_ms, seconds, (double)totals->schedules / seconds);
    for (int kind = 0; kind < FAULT_COUNT; kind++)
        (void)fprintf(file, "%s\"%s\": %" PRIu64, kind > 0 ? ", " : "",
                      sim_fault_name((enum fault_kind)kind), totals->faults[kind]);
    (void)fprintf(file, "}, \"failing_seeds\": [");
    for (unsigned i = 0; i < totals->failings; i++)
        (void)fprintf(file, "%s%" PRIu64, i > 0 ? ", " : "", totals->failing[i]);
    (void)fprintf(file, "]}\n");
    if ((file == stdout ? fflush(stdout) : fclose(file)) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}

/* Lines are `SEED what it once showed`; # begins a remark. A file without a seed is an error. */
static int run_cases(const char *path)
{
    static struct world world;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return 2;
    }
    char line[512];
    unsigned run = 0, failed = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = NULL;
        const uint64_t seed = strtoull(line, &end, 10);
        if (end == line)
            continue;
        run++;
        sim_run(&world, seed, BREAK_NONE, false);
        if (world.result.violation == VIOLATION_NONE)
            continue;
        failed++;
        printf("seed %" PRIu64 ": %s\n", seed, sim_violation_name(world.result.violation));
    }
    (void)fclose(file);
    printf("%u kept seeds, %u failed\n", run, failed);
    return run > 0 && failed == 0 ? 0 : 1;
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct options options = {.schedules = 1000, .seed = 1, .kept = SIM_MUTANTS};
    if (parse_options(argc, argv, &options) < 0)
        return 2;
    if (options.cases != NULL)
        return run_cases(options.cases);
    if (options.walk_depth != 0)
        return walk_run((unsigned)options.walk_depth, options.seed, options.json);
    if (options.mutate)
        return mutate_run(&(struct mutate_options){.schedules = options.schedules,
                                                   .seed = options.seed,
                                                   .jobs = options.jobs,
                                                   .kept = options.kept,
                                                   .json = options.json});
    if (options.trace) {
        static struct world world;
        sim_run(&world, options.seed, options.broken_rule, true);
        return world.result.violation == VIOLATION_NONE ? 0 : 1;
    }

    struct totals totals = {0};
    const double begin_s = now_s();
    int r = run_all(&options, &totals);
    const double seconds = now_s() - begin_s + 1e-9;
    const bool plain = options.json != NULL && strcmp(options.json, "-") == 0;
    print_totals(plain ? stderr : stdout, &totals, seconds);
    if (options.json != NULL && write_json(options.json, &totals, seconds) < 0)
        r = -1;
    if (r < 0)
        return 1;
    if (options.broken_rule != BREAK_NONE)
        return !damage(&options, &totals);
    return totals.violations + totals.stuck > 0;
}
