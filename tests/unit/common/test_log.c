#include "lib/common/log.h"

#include "lib/common/common.h"
#include "lib/common/log_private.h"
#include "lib/common/log_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error goes to a file while a test looks at what the log writes there. */
struct catcher {
    int saved_stderr, file;
    char text[1 << 20];
};

static int set_up(void **state)
{
    struct catcher *catcher = calloc(1, sizeof(*catcher));
    char path[] = "/tmp/og-log-XXXXXX";
    if (catcher == NULL)
        return -1;
    catcher->file = mkstemp(path);
    (void)unlink(path);
    catcher->saved_stderr = dup(STDERR_FILENO);
    if (catcher->file < 0 || dup2(catcher->file, STDERR_FILENO) < 0)
        return -1;
    (void)fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
    (void)unsetenv("JOURNAL_STREAM");
    log_init("test");
    log_set_level(NULL, LOG_LEVEL_INFO);
    *state = catcher;
    return 0;
}

static int tear_down(void **state)
{
    struct catcher *catcher = *state;
    (void)dup2(catcher->saved_stderr, STDERR_FILENO);
    (void)close(catcher->saved_stderr);
    (void)close(catcher->file);
    free(catcher);
    return 0;
}

static const char *caught(struct catcher *catcher)
{
    ssize_t len = pread(catcher->file, catcher->text, sizeof(catcher->text) - 1, 0);
    catcher->text[len > 0 ? len : 0] = '\0';
    (void)ftruncate(catcher->file, 0);
    return catcher->text;
}

static void a_line_has_time_program_level_module_and_text(void **state)
{
    struct catcher *catcher = *state;
    log_notice("vip", "address %s released", "10.0.0.1");
    const char *line = caught(catcher);
    int end = 0;
    unsigned year, month, day, hour, minute, second, ms;
    assert_int_equal(sscanf(line, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ%n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &end),
                     7);
    assert_string_equal(line + end, " test notice vip: address 10.0.0.1 released\n");
}

static void fields_follow_as_pairs(void **state)
{
    struct catcher *catcher = *state;
    const struct log_field fields[] = {
        {"node", "a"}, {"reason", "lost \"quorum\""}, {"empty", ""}, {"none", NULL}, {NULL, NULL}};
    log_write_fields("ha", LOG_LEVEL_WARNING, fields, "released");
    assert_non_null(
        strstr(caught(catcher),
               " warning ha: released node=a reason=\"lost \\\"quorum\\\"\" empty=\"\" none=-\n"));
}

static void control_characters_and_broken_bytes_are_shown_not_sent(void **state)
{
    struct catcher *catcher = *state;
    const struct log_field fields[] = {{"peer", "x\n2026 forged"}, {NULL, NULL}};
    log_write_fields("m", LOG_LEVEL_ERROR, fields,
                     "a\nb\tc\x1b[31md\x7f \xc2\x9b \xff \xc3\xa4 \xe2\x80\xa8");
    assert_non_null(strstr(caught(catcher),
                           " m: a\\nb\\tc\\x1b[31md\\x7f \\xc2\\x9b \\xff \xc3\xa4 \\xe2\\x80\\xa8 "
                           "peer=\"x\\n2026 forged\"\n"));
}

static void levels_hold_per_module(void **state)
{
    struct catcher *catcher = *state;
    log_set_level(NULL, LOG_LEVEL_WARNING);
    log_set_level("loud", LOG_LEVEL_TRACE);
    log_set_level("quiet", LOG_LEVEL_ERROR);
    assert_true(log_wanted("loud", LOG_LEVEL_TRACE));
    assert_false(log_wanted("other", LOG_LEVEL_NOTICE));
    assert_true(log_wanted("other", LOG_LEVEL_WARNING));
    assert_false(log_wanted("quiet", LOG_LEVEL_WARNING));
    log_debug("loud", "1");
    log_debug("other", "2");
    log_warning("quiet", "3");
    log_warning("other", "4");
    const char *lines = caught(catcher);
    assert_non_null(strstr(lines, "loud: 1"));
    assert_null(strstr(lines, ": 2"));
    assert_null(strstr(lines, ": 3"));
    assert_non_null(strstr(lines, "other: 4"));
    log_set_level(NULL, LOG_LEVEL_INFO); /* all of them, those with a level of their own too */
    assert_false(log_wanted("loud", LOG_LEVEL_DEBUG));
    assert_true(log_wanted("quiet", LOG_LEVEL_INFO));
}

static void a_module_beyond_the_table_is_named(void **state)
{
    struct catcher *catcher = *state;
    log_set_level("a-module-whose-name-is-much-too-long-for-the-table", LOG_LEVEL_TRACE);
    assert_non_null(strstr(caught(catcher), "a-module-whose-name"));
    assert_false(log_wanted("a-module-whose-name-is-much-too-long-for-the-table", LOG_LEVEL_TRACE));
}

static void level_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        enum log_level level = LOG_LEVEL_COUNT;
        assert_true(log_level_parse(log_level_name((enum log_level)i), &level));
        assert_int_equal(level, i);
    }
    enum log_level level = LOG_LEVEL_INFO;
    assert_false(log_level_parse("loud", &level));
    assert_int_equal(level, LOG_LEVEL_INFO);
    assert_string_equal(log_level_name(LOG_LEVEL_COUNT), "?");
}

static void endless_texts_are_cut_to_one_line(void **state)
{
    struct catcher *catcher = *state;
    char big[10000];
    memset(big, '\n', sizeof(big) - 1); /* each becomes two characters */
    big[sizeof(big) - 1] = '\0';
    const struct log_field fields[] = {{"big", big}, {"tail", "t"}, {NULL, NULL}};
    log_write_fields("m", LOG_LEVEL_ERROR, fields, "%s", big);
    const char *lines = caught(catcher);
    assert_in_range(strlen(lines), 2000, 4096);
    assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
}

static void errno_survives(void **state)
{
    (void)state;
    errno = EXDEV;
    log_error("m", "x");
    assert_int_equal(errno, EXDEV);
}

/* ---- journal ---- */

static int listen_as_journal(char *path)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    char stream[64];
    assert_non_null(mkdtemp(path));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    log__set_journal_socket(address.sun_path);
    log_init("test");
    return fd;
}

static void stop_journal(const char *path, int fd)
{
    char socket_path[128];
    (void)snprintf(socket_path, sizeof(socket_path), "%s/socket", path);
    (void)close(fd);
    (void)unlink(socket_path);
    (void)rmdir(path);
}

static void the_journal_gets_whole_fields(void **state)
{
    struct catcher *catcher = *state;
    char path[] = "/tmp/og-journal-XXXXXX", entry[8192];
    int journal = listen_as_journal(path);
    const struct log_field fields[] = {{"node", "a"}, {"peer_name", "x\nPRIORITY=0"}, {NULL, NULL}};
    log_write_fields("ha", LOG_LEVEL_NOTICE, fields, "took over %s\nMESSAGE=forged", "pg");
    ssize_t len = recv(journal, entry, sizeof(entry) - 1, 0);
    stop_journal(path, journal);
    assert_true(len > 0);
    entry[len] = '\0';
    assert_string_equal(entry, "PRIORITY=5\nSYSLOG_IDENTIFIER=test\nOG_MODULE=ha\n"
                               "OG_LEVEL=notice\nMESSAGE=took over pg\\nMESSAGE=forged\n"
                               "OG_NODE=a\nOG_PEER_NAME=x\\nPRIORITY=0\n");
    assert_string_equal(caught(catcher), "");
}

static void without_a_journal_lines_go_to_standard_error(void **state)
{
    struct catcher *catcher = *state;
    char path[] = "/tmp/og-journal-XXXXXX";
    int journal = listen_as_journal(path);
    stop_journal(path, journal);
    log_error("ha", "nobody listens");
    assert_non_null(strstr(caught(catcher), "ha: nobody listens\n"));
}

static void a_hanging_journal_stops_nobody_and_the_loss_is_told(void **state)
{
    (void)state;
    enum { LINES = 5000 }; /* more than any queue of datagrams holds */
    char path[] = "/tmp/og-journal-XXXXXX", entry[8192];
    int journal = listen_as_journal(path);
    uint64_t start = common_boot_ms();
    for (int i = 0; i < LINES; i++)
        log_info("m", "line %d", i);
    assert_true(common_boot_ms() - start < 2000);

    int received = 0;
    while (recv(journal, entry, sizeof(entry), 0) > 0)
        received++;
    assert_in_range(received, 1, LINES - 1);
    log_info("m", "back");
    char told[64];
    (void)snprintf(told, sizeof(told), "MESSAGE=%d lines were lost", LINES - received);
    bool seen = false;
    for (ssize_t len; (len = recv(journal, entry, sizeof(entry) - 1, 0)) > 0;) {
        entry[len] = '\0';
        seen = seen || strstr(entry, told) != NULL;
    }
    stop_journal(path, journal);
    assert_true(seen);
}

static void another_standard_error_is_not_the_journal(void **state)
{
    struct catcher *catcher = *state;
    assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
    log_init("test");
    log_error("ha", "plain");
    assert_non_null(strstr(caught(catcher), "ha: plain\n"));
}

/* ---- threads ---- */

enum { THREADS = 4, LINES_EACH = 500 };

static void *write_lines(void *context)
{
    const int *number = context;
    for (int i = 0; i < LINES_EACH; i++) {
        log_error("threads", "thread %d line %d.", *number, i);
        log_debug("threads", "never");
    }
    return NULL;
}

static void *change_levels(void *context)
{
    (void)context;
    for (int i = 0; i < LINES_EACH; i++) {
        char module[16];
        (void)snprintf(module, sizeof(module), "level%d", i % 8);
        log_set_level(module, i % 2 == 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO);
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    struct catcher *catcher = *state;
    pthread_t threads[THREADS + 1];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[THREADS], NULL, change_levels, NULL), 0);
    for (int i = 0; i <= THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    int lines = 0;
    char *rest = NULL;
    (void)caught(catcher);
    for (char *line = strtok_r(catcher->text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), lines++)
        if (line[4] != '-' || line[strlen(line) - 1] != '.' ||
            strstr(line, " test error threads: thread ") == NULL)
            fail_msg("%s", line);
    assert_int_equal(lines, THREADS * LINES_EACH);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_line_has_time_program_level_module_and_text),
        CASE(fields_follow_as_pairs),
        CASE(control_characters_and_broken_bytes_are_shown_not_sent),
        CASE(levels_hold_per_module),
        CASE(a_module_beyond_the_table_is_named),
        CASE(level_names_go_both_ways),
        CASE(endless_texts_are_cut_to_one_line),
        CASE(errno_survives),
        CASE(the_journal_gets_whole_fields),
        CASE(without_a_journal_lines_go_to_standard_error),
        CASE(a_hanging_journal_stops_nobody_and_the_loss_is_told),
        CASE(another_standard_error_is_not_the_journal),
        CASE(lines_of_many_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
