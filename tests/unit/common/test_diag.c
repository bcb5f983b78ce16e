#include "lib/common/diag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_failure_returns_its_code_and_keeps_its_text(void **state)
{
    (void)state;
    struct diag diag = {0};
    assert_int_equal(diag_fail(&diag, -EINVAL, "port %d", 7), -EINVAL);
    assert_string_equal(diag.text, "port 7");
    assert_int_equal(diag_fail(&diag, -EIO, "disk"), -EIO);
    assert_string_equal(diag.text, "disk");
}

static void places_are_put_in_front(void **state)
{
    (void)state;
    struct diag diag = {0};
    (void)diag_fail(&diag, -EINVAL, "no digit");
    assert_int_equal(diag_within(&diag, -EINVAL, "line %d", 3), -EINVAL);
    assert_int_equal(diag_within(&diag, -ENOENT, "a.xml"), -ENOENT);
    assert_string_equal(diag.text, "a.xml: line 3: no digit");
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(diag_fail(NULL, -EIO, "x"), -EIO);
    assert_int_equal(diag_within(NULL, -EIO, "x"), -EIO);
}

static void control_bytes_become_question_marks(void **state)
{
    (void)state;
    struct diag diag = {0};
    (void)diag_fail(&diag, -EIO, "a\nb\x1b[1mc\x7f");
    assert_string_equal(diag.text, "a?b?[1mc?");
}

static void its_own_text_may_be_an_argument(void **state)
{
    (void)state;
    struct diag diag = {0};
    (void)diag_fail(&diag, -EIO, "inner");
    (void)diag_fail(&diag, -EIO, "outer (%s)", diag.text);
    assert_string_equal(diag.text, "outer (inner)");
}

static void long_texts_are_cut_at_their_end(void **state)
{
    (void)state;
    struct diag diag = {0};
    char big[2000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)diag_fail(&diag, -EIO, "%s", big);
    assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
    (void)diag_within(&diag, -EIO, "file");
    assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
    assert_int_equal(strncmp(diag.text, "file: xxx", 9), 0);
    (void)diag_within(&diag, -EIO, "%s", big);
    assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_returns_its_code_and_keeps_its_text),
        cmocka_unit_test(places_are_put_in_front),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(control_bytes_become_question_marks),
        cmocka_unit_test(its_own_text_may_be_an_argument),
        cmocka_unit_test(long_texts_are_cut_at_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
