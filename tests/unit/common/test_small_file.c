#include "lib/common/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct small_file_mode own = {.mode = 0600}, shared = {.mode = 0644};
static char folder[32], path[64];

static int begin(void **unused)
{
    (void)unused;
    (void)snprintf(folder, sizeof(folder), "/tmp/small-file-XXXXXX");
    (void)snprintf(path, sizeof(path), "%s/file",
                   mkdtemp(folder) != NULL ? folder : "/nonexistent");
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    (void)unlink(path);
    return rmdir(folder); /* fails when anything was left beside the file */
}

static int replace(const char *text, const struct small_file_mode *how)
{
    return small_file_replace(path, text, strlen(text), how, NULL);
}

static int update(const char *text, const struct small_file_mode *how)
{
    return small_file_update(path, text, strlen(text), how, NULL);
}

static void assert_content(const char *expected)
{
    char *text = NULL;
    size_t len_bytes = 0;
    struct diag diag = {0};
    if (small_file_read(path, 1000, &text, &len_bytes, &diag) < 0)
        fail_msg("%s", diag.text);
    assert_string_equal(text, expected);
    assert_int_equal(len_bytes, strlen(expected));
    small_file_free(text, len_bytes);
}

static mode_t mode_now(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_file_is_replaced_with_its_mode(void **unused)
{
    (void)unused;
    assert_int_equal(replace("one", &own), 0);
    assert_content("one");
    assert_int_equal(mode_now(), 0600);
    assert_int_equal(replace("", &shared), 0);
    assert_content("");
    assert_int_equal(mode_now(), 0644);
}

static void an_update_writes_only_what_differs(void **unused)
{
    (void)unused;
    assert_int_equal(update("one", &own), 1);
    assert_int_equal(update("one", &own), 0);
    assert_int_equal(update("two", &own), 1);
    assert_int_equal(update("tw", &own), 1);
    assert_int_equal(update("two", &own), 1);
    assert_int_equal(update("two", &shared), 1);
    assert_int_equal(mode_now(), 0644);
    assert_int_equal(chmod(path, 0666), 0); /* somebody opened it: closed again */
    assert_int_equal(update("two", &shared), 1);
    assert_int_equal(mode_now(), 0644);
    assert_content("two");
}

static void the_group_is_set_and_must_exist(void **unused)
{
    const struct group *mine = getgrgid(getegid());
    struct small_file_mode how = {.mode = 0640, .group = "no-such-group-here"};
    struct diag diag = {0};
    struct stat st;
    (void)unused;
    assert_non_null(mine);
    assert_int_equal(small_file_replace(path, "x", 1, &how, &diag), -ENOENT);
    assert_non_null(strstr(diag.text, path));
    how.group = mine->gr_name;
    assert_int_equal(update("x", &how), 1);
    assert_int_equal(update("x", &how), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_gid, getegid());
}

static void a_created_file_is_never_replaced(void **unused)
{
    (void)unused;
    assert_int_equal(small_file_create(path, "one", 3, &own, NULL), 0);
    assert_int_equal(small_file_create(path, "two", 3, &own, NULL), -EEXIST);
    assert_content("one");
}

static void a_symbolic_link_is_replaced_and_not_followed(void **unused)
{
    struct stat st;
    char target[80];
    (void)unused;
    (void)snprintf(target, sizeof(target), "%s.target", path);
    int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(update("text", &own), 1);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 0);
    (void)unlink(target);
}

static void a_missing_folder_is_named(void **unused)
{
    struct diag diag = {0};
    (void)unused;
    assert_int_equal(small_file_replace("/nonexistent/file", "x", 1, &own, &diag), -ENOENT);
    assert_string_equal(diag.text, "cannot write /nonexistent/file: No such file or directory");
}

static void what_is_odd_is_not_read(void **unused)
{
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"/tmp", -EINVAL}, {"/dev/zero", -EINVAL}, {"/nonexistent/file", -ENOENT}};
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t len_bytes = 0;
        struct diag diag = {0};
        assert_int_equal(small_file_read(cases[i].path, 10, &text, &len_bytes, &diag),
                         cases[i].code);
        assert_null(text);
        assert_non_null(strstr(diag.text, cases[i].path));
    }
}

static void a_large_file_is_refused(void **unused)
{
    char *text = NULL;
    size_t len_bytes = 0;
    (void)unused;
    assert_int_equal(replace("12345", &own), 0);
    assert_int_equal(small_file_read(path, 4, &text, &len_bytes, NULL), -EFBIG);
    assert_int_equal(small_file_read(path, 5, &text, &len_bytes, NULL), 0);
    small_file_free(text, len_bytes);
}

static void a_secret_is_read_only_when_it_is_one(void **unused)
{
    char *text = NULL;
    size_t len_bytes = 0;
    struct diag diag = {0};
    (void)unused;
    assert_int_equal(replace("secret", &own), 0);
    assert_int_equal(small_file_read_secret(path, 100, &text, &len_bytes, &diag), 0);
    small_file_free(text, len_bytes);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(small_file_read_secret(path, 100, &text, &len_bytes, &diag), -EPERM);
    assert_non_null(strstr(diag.text, "chmod 600"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_replaced_with_its_mode),
        CASE(an_update_writes_only_what_differs),
        CASE(the_group_is_set_and_must_exist),
        CASE(a_created_file_is_never_replaced),
        CASE(a_symbolic_link_is_replaced_and_not_followed),
        CASE(a_missing_folder_is_named),
        CASE(what_is_odd_is_not_read),
        CASE(a_large_file_is_refused),
        CASE(a_secret_is_read_only_when_it_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
