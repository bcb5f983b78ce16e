#include "gateway/auth/administrators.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/administrators.XXXXXX";

static int read_text(const char *text, struct administrators **ret, struct diag *diag)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return administrators_read(path, ret, diag);
}

static void logins_are_found_with_their_hash(void **unused)
{
    struct administrators *administrators = NULL;
    (void)unused;
    assert_int_equal(read_text("{\"administrators\":["
                               "{\"login\":\"admin\",\"password_hash\":\"$scrypt$a\"},"
                               "{\"login\":\"two\",\"password_hash\":\"$scrypt$b\"}]}",
                               &administrators, NULL),
                     0);
    assert_string_equal(administrators_find(administrators, "two"), "$scrypt$b");
    assert_null(administrators_find(administrators, "Admin"));
    administrators_free(administrators);
}

static void wrong_files_are_refused_with_the_reason(void **unused)
{
    static const char *const rows[][2] = {
        {"{}", "must be a list"},
        {"{\"administrators\":[]}", "must be a list with an entry"},
        {"{\"administrators\":[{\"login\":\"a\"}]}", "entry 1: \"password_hash\""},
        {"{\"administrators\":[{\"login\":\"a:b\",\"password_hash\":\"$scrypt$\"}]}",
         "entry 1: \"login\""},
        {"{\"administrators\":[{\"login\":\"a\",\"password_hash\":\"clear\"}]}", "scrypt"},
        {"{\"administrators\":[{\"login\":\"a\",\"password_hash\":\"$scrypt$\"},"
         "{\"login\":\"a\",\"password_hash\":\"$scrypt$\"}]}",
         "twice"},
        {"{", "line 1"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct administrators *administrators = NULL;
        struct diag diag = {0};
        assert_int_equal(read_text(rows[i][0], &administrators, &diag), -EINVAL);
        assert_null(administrators);
        assert_non_null(strstr(diag.text, rows[i][1]));
        assert_non_null(strstr(diag.text, path));
    }
}

static int make_file(void **unused)
{
    (void)unused;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **unused)
{
    (void)unused;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_are_found_with_their_hash),
        cmocka_unit_test(wrong_files_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
