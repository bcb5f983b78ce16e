/* The journal on a real file. */
#include "lib/common/json.h"
#include "solution-control/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    uv_loop_t loop;
    char folder[64], path[96], old[100];
    struct journal *journal;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/og-journal-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->path, sizeof(world->path), "%s/journal", world->folder);
    (void)snprintf(world->old, sizeof(world->old), "%s.1", world->path);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(journal_open(&world->loop, world->path, &world->journal, NULL), 0);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    journal_close(world->journal);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    (void)unlink(world->path);
    (void)unlink(world->old);
    assert_int_equal(rmdir(world->folder), 0);
    free(world);
    return 0;
}

static void note_flushed(void *context)
{
    *(int *)context += 1;
}

static void write_and_flush(struct world *world, const char *text)
{
    int flushed = 0;
    journal_write(world->journal, &(struct journal_entry){.event = "test", .text = text, .row = 7});
    journal_flush(world->journal, 10000, note_flushed, &flushed);
    while (flushed == 0)
        (void)uv_run(&world->loop, UV_RUN_ONCE);
}

static void append_bytes(const struct world *world, const char *bytes, size_t len_bytes)
{
    int fd = open(world->path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len_bytes), len_bytes);
    (void)close(fd);
}

static cJSON *read_back(struct world *world, unsigned limit, int64_t since_s)
{
    struct buf out = {0};
    cJSON *json = NULL;
    struct diag diag = {0};
    assert_int_equal(journal_read(world->path, limit, since_s, &out, &diag), 0);
    assert_int_equal(json_parse(out.data, out.len_bytes, &json, &diag), 0);
    buf_done(&out);
    return json;
}

static void what_was_flushed_is_read_back_in_order(void **state)
{
    struct world *world = *state;
    write_and_flush(world, "first \"quoted\"\n");
    write_and_flush(world, "second");
    cJSON *json = read_back(world, 10, 0);
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "first \"quoted\"\n");
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 1), "text"), "second");
    cJSON_Delete(json);
}

static void the_limit_keeps_the_newest(void **state)
{
    struct world *world = *state;
    write_and_flush(world, "old");
    write_and_flush(world, "new");
    cJSON *json = read_back(world, 1, 0);
    assert_int_equal(cJSON_GetArraySize(json), 1);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "new");
    cJSON_Delete(json);
}

static void entries_before_the_given_time_are_left_out(void **state)
{
    struct world *world = *state;
    write_and_flush(world, "now");
    cJSON *json = read_back(world, 10, INT64_C(99999999999));
    assert_int_equal(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

static void a_torn_last_line_is_skipped(void **state)
{
    struct world *world = *state;
    write_and_flush(world, "whole");
    append_bytes(world, "{\"at_s\":17", 10);
    cJSON *json = read_back(world, 10, 0);
    assert_int_equal(cJSON_GetArraySize(json), 1);
    cJSON_Delete(json);
}

/* after a power cut the file may end in half a line or in zeros */
static void what_a_power_cut_tore_hides_neither_what_was_nor_what_comes(void **state)
{
    struct world *world = *state;
    static const char zeros[512];
    write_and_flush(world, "before");
    append_bytes(world, "{\"at_s\":17", 10);
    write_and_flush(world, "after the first");
    append_bytes(world, zeros, sizeof(zeros));
    write_and_flush(world, "after the second");
    append_bytes(world, "not JSON\n\n\n", 11);
    cJSON *json = read_back(world, 10, 0);
    assert_int_equal(cJSON_GetArraySize(json), 3);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "before");
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 1), "text"), "after the first");
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 2), "text"), "after the second");
    cJSON_Delete(json);
    json = read_back(world, 2, 0); /* lines that cannot be read do not count */
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "after the first");
    cJSON_Delete(json);
}

static void a_clock_that_was_set_back_hides_no_older_entries(void **state)
{
    static const char past[] = "{\"at_s\":17,\"event\":\"test\",\"text\":\"in the past\"}\n";
    struct world *world = *state;
    write_and_flush(world, "before");
    append_bytes(world, past, sizeof(past) - 1);
    write_and_flush(world, "after");
    cJSON *json = read_back(world, 10, 1000000);
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "before");
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 1), "text"), "after");
    cJSON_Delete(json);
}

static void a_missing_file_is_an_empty_history(void **state)
{
    struct world *world = *state;
    cJSON *json = read_back(world, 10, 0);
    assert_int_equal(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

static void a_large_file_is_set_aside_and_still_read(void **state)
{
    struct world *world = *state;
    write_and_flush(world, "before");
    static char filler[JOURNAL_MAX_BYTES / 2];
    memset(filler, ' ', sizeof(filler));
    filler[sizeof(filler) - 1] = '\n';
    append_bytes(world, filler, sizeof(filler));
    write_and_flush(world, "after");
    struct stat st;
    assert_int_equal(stat(world->old, &st), 0);
    assert_int_equal(stat(world->path, &st), 0);
    assert_true(st.st_size < 1000);
    cJSON *json = read_back(world, 1, 0);
    assert_string_equal(json_string(cJSON_GetArrayItem(json, 0), "text"), "after");
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_was_flushed_is_read_back_in_order),
        TEST(the_limit_keeps_the_newest),
        TEST(entries_before_the_given_time_are_left_out),
        TEST(a_torn_last_line_is_skipped),
        TEST(what_a_power_cut_tore_hides_neither_what_was_nor_what_comes),
        TEST(a_clock_that_was_set_back_hides_no_older_entries),
        TEST(a_missing_file_is_an_empty_history),
        TEST(a_large_file_is_set_aside_and_still_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
