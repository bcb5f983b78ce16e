/* Each row of the decision tables is missed: by the simulator (a line `seed` in its kept file) or
 * by the decision tests, run here without the row. */
#include "ha/arbiter_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_MAX_LENGTH = 1024, TEXT_MAX_LENGTH = 128 };

static int run_without(const char *program, const char *table, unsigned index)
{
    char row[TEXT_MAX_LENGTH];
    (void)snprintf(row, sizeof(row), "%s %u", table, index);
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        if (table[0] != '\0')
            (void)setenv("OG_MISSING_ROW", row, 1);
        execl(program, program, (char *)NULL);
        _exit(126);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 126);
    return status;
}

/* The kept file's word on a row: 's'eed, 'r'eason that names the tests, 'n'either. */
static char kept_word(const char *table, const char *condition)
{
    char line[LINE_MAX_LENGTH], begin[TEXT_MAX_LENGTH];
    char word = 'n';
    (void)snprintf(begin, sizeof(begin), "%s %s ", table, condition);
    FILE *file = fopen(KEPT_MUTANTS, "r");
    assert_non_null(file);
    while (word == 'n' && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, begin, strlen(begin)) == 0)
            word = strstr(line, " reason Decision tests:") != NULL ? 'r'
                   : strstr(line, " seed ") != NULL                ? 's'
                                                                   : 'o';
    (void)fclose(file);
    return word;
}

static void the_decision_tests_pass_with_all_rows(void **unused)
{
    (void)unused;
    assert_int_equal(run_without(DECISION_TESTS, "", 0), 0);
    assert_int_equal(run_without(SHOWN_TESTS, "", 0), 0);
}

static void a_row_that_the_simulator_does_not_miss_is_missed_by_the_decision_tests(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    for (const struct arb_table *table = arb__tables; table->name != NULL; table++)
        for (unsigned i = 0; table->rows[i].reason != NULL; i++) {
            const char *condition = table->rows[i].when_name;
            const char word = kept_word(table->name, condition);
            if (word == 's')
                continue;
            const bool missed = run_without(DECISION_TESTS, table->name, i) != 0 ||
                                run_without(SHOWN_TESTS, table->name, i) != 0;
            if (missed == (word == 'r'))
                continue;
            wrong++;
            print_message("%s %s: the kept file says %s, the decision tests %s\n", table->name,
                          condition, word == 'r' ? "they find it" : "they do not",
                          missed ? "do" : "do not");
        }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_decision_tests_pass_with_all_rows),
        cmocka_unit_test(a_row_that_the_simulator_does_not_miss_is_missed_by_the_decision_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
