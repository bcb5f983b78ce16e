/* The disk's proof of contact: on real files. */
#include "lib/common/common.h"
#include "solution-control/disk_beat.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void wait_for_write(struct disk_beat *beat)
{
    for (int i = 0; i < 5000 && disk_beat_is_writing(beat); i++)
        (void)usleep(1000);
    assert_false(disk_beat_is_writing(beat));
}

static void a_completed_write_counts_from_the_moment_it_was_begun(void **unused)
{
    char path[] = "/tmp/og-beat-XXXXXX";
    struct disk_beat *beat = NULL;
    (void)unused;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(disk_beat_new(&beat, NULL), 0);
    assert_int_equal(disk_beat_open(beat, path, NULL), 0);
    assert_true(disk_beat_acknowledged_ms(beat) == 0);
    uint64_t before_ms = common_boot_ms();
    disk_beat_write(beat);
    wait_for_write(beat);
    assert_true(disk_beat_acknowledged_ms(beat) >= before_ms);
    assert_true(disk_beat_acknowledged_ms(beat) <= common_boot_ms());
    assert_int_equal(disk_beat_close(beat), 0);
    assert_true(disk_beat_acknowledged_ms(beat) == 0);
    disk_beat_free(beat);
    (void)unlink(path);
}

static void without_a_file_nothing_is_written_or_claimed(void **unused)
{
    struct disk_beat *beat = NULL;
    (void)unused;
    assert_int_equal(disk_beat_new(&beat, NULL), 0);
    disk_beat_write(beat);
    assert_false(disk_beat_is_writing(beat));
    assert_true(disk_beat_acknowledged_ms(beat) == 0);
    disk_beat_free(beat);
}

static void a_write_the_disk_refuses_proves_nothing(void **unused)
{
    struct disk_beat *beat = NULL;
    (void)unused;
    assert_int_equal(disk_beat_new(&beat, NULL), 0);
    assert_int_equal(disk_beat_open(beat, "/dev/full", NULL), 0);
    disk_beat_write(beat);
    wait_for_write(beat);
    assert_true(disk_beat_acknowledged_ms(beat) == 0);
    disk_beat_free(beat);
}

static void a_file_that_cannot_be_made_is_named(void **unused)
{
    struct disk_beat *beat = NULL;
    struct diag diag = {0};
    (void)unused;
    assert_int_equal(disk_beat_new(&beat, NULL), 0);
    assert_int_equal(disk_beat_open(beat, "/nowhere/beat", &diag), -ENOENT);
    assert_non_null(strstr(diag.text, "/nowhere/beat"));
    disk_beat_free(beat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_completed_write_counts_from_the_moment_it_was_begun),
        cmocka_unit_test(without_a_file_nothing_is_written_or_claimed),
        cmocka_unit_test(a_write_the_disk_refuses_proves_nothing),
        cmocka_unit_test(a_file_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
