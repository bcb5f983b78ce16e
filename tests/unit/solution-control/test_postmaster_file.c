#include "solution-control/postmaster_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FILE_OF(pid, state)                                                                       \
    pid "\n/srv/open-gateway/pg\n1763958000\n5432\n/run/open-gateway/pg\n\n  5432  1\n" state "\n"

static bool ready(const char *text, pid_t pid)
{
    return postmaster_is_ready(text, strlen(text), pid);
}

static void a_server_is_ready_when_it_says_so(void **state)
{
    (void)state;
    assert_true(ready(FILE_OF("4711", "ready   "), 4711));
    assert_true(ready(FILE_OF("4711", "ready"), 4711));
}

static void a_server_that_recovers_or_stops_is_not_ready(void **state)
{
    (void)state;
    assert_false(ready(FILE_OF("4711", "starting"), 4711));
    assert_false(ready(FILE_OF("4711", "stopping"), 4711));
    assert_false(ready(FILE_OF("4711", "standby "), 4711));
    assert_false(ready(FILE_OF("4711", ""), 4711));
}

static void a_file_that_a_crash_left_behind_does_not_count(void **state)
{
    (void)state;
    assert_false(ready(FILE_OF("4711", "ready   "), 471));
    assert_false(ready(FILE_OF("4711", "ready   "), 47110));
    assert_false(ready(FILE_OF("0", "ready   "), 0));
    assert_false(ready(FILE_OF("-4711", "ready   "), 4711));
}

/* PostgreSQL writes the state last, with its newline. */
static void a_file_that_is_cut_anywhere_is_not_ready(void **state)
{
    static const char whole[] = FILE_OF("4711", "ready   ");
    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++)
        assert_false(postmaster_is_ready(whole, len, 4711));
    assert_true(postmaster_is_ready(whole, sizeof(whole) - 1, 4711));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_ready_when_it_says_so),
        cmocka_unit_test(a_server_that_recovers_or_stops_is_not_ready),
        cmocka_unit_test(a_file_that_a_crash_left_behind_does_not_count),
        cmocka_unit_test(a_file_that_is_cut_anywhere_is_not_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
