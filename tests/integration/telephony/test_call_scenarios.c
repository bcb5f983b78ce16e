/* Telephone calls as clients see them: each scenario of scenarios/ is played on a real gateway, a
 * real PostgreSQL and the simulated PBX; answers and every event of every user are compared with
 * what is kept beside it.
 *
 *   test_call_scenarios [--update] [PART-OF-A-NAME]
 *
 * --update writes what has come as the new expectation: read it before it is kept. */
#include "tests/integration/telephony/play.h"

#include "lib/common/common.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SCENARIOS_MAX = 128, NAME_CHARS = 128 };

static struct stage stage;
static bool update;

static void scenario_path(const char *name, const char *ending, char path[512])
{
    (void)snprintf(path, 512, "%s/%s.%s", SCENARIOS, name, ending);
}

static void keep(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* True: as kept. Otherwise the difference stands on stderr. */
static bool compare(const char *name, const char *actual)
{
    char path[512];
    struct buf difference = {0};
    scenario_path(name, "expected", path);
    if (update) {
        keep(path, actual);
        return true;
    }
    AUTO(common_freep) char *expected = harness_read_file(path);
    bool differs = record_diff(expected != NULL ? expected : "", actual, &difference);
    if (differs)
        (void)fprintf(stderr, "%s: - expected, + came\n%s", name, difference.data);
    buf_done(&difference);
    return !differs;
}

static bool comes_as_kept(const char *name, const struct script *script)
{
    static struct record record;
    struct buf text = {0};
    char base[64];
    (void)snprintf(base, sizeof(base), "https://127.0.0.1:%u", stage.harness.port);
    record_init(&record, base);
    bool fine = play(&stage, script, &record);
    record_write(&record, script->title, &text);
    record_done(&record);
    AUTO(common_freep) char *actual = buf_take(&text);
    if (!fine)
        (void)fprintf(stderr, "%s has come to:\n%s", name, actual);
    return fine && actual != NULL && compare(name, actual);
}

static void a_scenario_leads_to_what_is_kept(void **state)
{
    static struct script script;
    char path[512];
    scenario_path(*state, "scenario", path);
    assert_true(script_read(path, &script));
    assert_true(comes_as_kept(*state, &script));
    stage_tidy(&stage);
}

/* A scenario that fails must not spoil the next one. */
static int tidy(void **state)
{
    (void)state;
    stage_stop_listening(&stage);
    stage_tidy(&stage);
    return 0;
}

static int open_all(void **unused)
{
    (void)unused;
    stage_open(&stage);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    stage_close(&stage);
    return 0;
}

static int has_part(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 9 && len < NAME_CHARS && strcmp(entry->d_name + len - 9, ".scenario") == 0;
}

static size_t list_scenarios(const char *part, struct CMUnitTest *tests)
{
    static char names[SCENARIOS_MAX][NAME_CHARS];
    struct dirent **entries = NULL;
    size_t count = 0;
    int found = scandir(SCENARIOS, &entries, has_part, alphasort);
    for (int i = 0; i < found; i++) {
        char *name = names[count];
        (void)snprintf(name, NAME_CHARS, "%.*s", (int)strlen(entries[i]->d_name) - 9,
                       entries[i]->d_name);
        if (count < SCENARIOS_MAX && strstr(name, part) != NULL)
            tests[count++] = (struct CMUnitTest){.name = name,
                                                 .test_func = a_scenario_leads_to_what_is_kept,
                                                 .teardown_func = tidy,
                                                 .initial_state = name};
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[SCENARIOS_MAX];
    const char *part = "";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--update") == 0)
            update = true;
        else
            part = argv[i];
    }
    size_t count = list_scenarios(part, tests);
    if (count == 0) {
        (void)fprintf(stderr, "no scenario in %s matches '%s'\n", SCENARIOS, part);
        return 1;
    }
    return _cmocka_run_group_tests("call scenarios", tests, count, open_all, close_all);
}
