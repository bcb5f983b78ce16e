#include "ha/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static const struct arb_durable first = {
    .right = {.mode = ARB_MODE_PAIR, .term = 7, .seq = 70},
    .witness_run = 0x1122334455667788u,
    .last_active_term = 6,
    .fresh = true,
};
static const struct arb_durable second = {
    .right = {.mode = ARB_MODE_SOLO, .owner = ARB_NODE_SECONDARY, .term = 8, .seq = 71},
    .witness_run = 2,
    .last_active_term = 8,
};

static int make_folder(void **unused)
{
    (void)unused;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_durable.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/state", folder);
    return 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    (void)unlink(path);
    return rmdir(folder); /* fails when something was left behind */
}

static bool same(const struct arb_durable *a, const struct arb_durable *b)
{
    return a->right.mode == b->right.mode && a->right.owner == b->right.owner &&
           a->right.term == b->right.term && a->right.seq == b->right.seq &&
           a->witness_run == b->witness_run && a->last_active_term == b->last_active_term &&
           a->fresh == b->fresh;
}

static void read_file(uint8_t bytes[DURABLE_FILE_BYTES])
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, DURABLE_FILE_BYTES), DURABLE_FILE_BYTES);
    assert_int_equal(close(fd), 0);
}

static void write_file(const uint8_t *bytes, size_t len_bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len_bytes), (ssize_t)len_bytes);
    assert_int_equal(close(fd), 0);
}

static void assert_holds(const struct arb_durable *wanted)
{
    struct arb_durable state;
    memset(&state, 0xee, sizeof(state));
    assert_int_equal(durable_read(path, &state, NULL), 0);
    assert_true(same(&state, wanted));
}

static void assert_unreadable(int code)
{
    struct arb_durable state = {.witness_run = 4711};
    struct diag diag = {0};
    assert_int_equal(durable_read(path, &state, &diag), code);
    assert_int_equal(state.witness_run, 4711);
    assert_true(strstr(diag.text, path) != NULL);
    assert_true(durable_write(path, &first, &diag) < 0); /* and it is not written over */
}

static void what_is_created_is_read_and_belongs_to_its_owner_only(void **unused)
{
    (void)unused;
    struct stat st;
    assert_int_equal(durable_create(path, &first, NULL), 0);
    assert_holds(&first);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, DURABLE_FILE_BYTES);
}

static void an_existing_state_is_not_created_over(void **unused)
{
    (void)unused;
    assert_int_equal(durable_create(path, &first, NULL), 0);
    assert_int_equal(durable_create(path, &second, NULL), -EEXIST);
    assert_holds(&first);
}

static void a_thousand_writes_are_each_read_back(void **unused)
{
    (void)unused;
    assert_int_equal(durable_create(path, &first, NULL), 0);
    struct arb_durable state = second;
    for (uint64_t i = 0; i < 1000; i++) {
        state.right.seq = i;
        assert_int_equal(durable_write(path, &state, NULL), 0);
        assert_holds(&state);
    }
}

/* The power fails after each byte of the write in turn: the old state or the new one, never none.
 */
static void a_write_torn_at_any_byte_leaves_the_old_state_or_the_new_one(void **unused)
{
    (void)unused;
    uint8_t before[DURABLE_FILE_BYTES], after[DURABLE_FILE_BYTES];
    struct arb_durable third = second;
    third.right.seq++;
    assert_int_equal(durable_create(path, &first, NULL), 0);
    assert_int_equal(durable_write(path, &second, NULL), 0);
    read_file(before);
    assert_int_equal(durable_write(path, &third, NULL), 0);
    read_file(after);
    for (unsigned torn = 0; torn <= DURABLE_FILE_BYTES; torn++) {
        if (torn > DURABLE_SLOT_BYTES && torn < DURABLE_SLOT_STEP_BYTES)
            continue; /* between the slots nothing is written */
        struct arb_durable state;
        uint8_t mixed[DURABLE_FILE_BYTES];
        memcpy(mixed, before, sizeof(mixed));
        memcpy(mixed, after, torn);
        write_file(mixed, sizeof(mixed));
        assert_int_equal(durable_read(path, &state, NULL), 0);
        assert_true(same(&state, &second) || same(&state, &third));
    }
    assert_holds(&third);
}

static void any_flipped_bit_in_the_newest_slot_falls_back_to_the_older_one(void **unused)
{
    (void)unused;
    uint8_t bytes[DURABLE_FILE_BYTES];
    assert_int_equal(durable_create(path, &first, NULL), 0);
    assert_int_equal(durable_write(path, &second, NULL), 0);
    read_file(bytes);
    for (unsigned bit = 0; bit < DURABLE_SLOT_BYTES * 8; bit++) {
        uint8_t *byte = &bytes[DURABLE_SLOT_STEP_BYTES + bit / 8];
        *byte ^= (uint8_t)(1u << bit % 8);
        write_file(bytes, sizeof(bytes));
        assert_holds(&first);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
}

static void without_a_file_there_is_no_state(void **unused)
{
    (void)unused;
    assert_unreadable(-ENODATA);
}

static void two_bad_slots_are_unreadable_and_stay_so(void **unused)
{
    (void)unused;
    uint8_t bytes[DURABLE_FILE_BYTES];
    assert_int_equal(durable_create(path, &first, NULL), 0);
    read_file(bytes);
    bytes[40] ^= 1;
    write_file(bytes, sizeof(bytes));
    assert_unreadable(-EBADMSG);
}

static void a_short_or_empty_file_is_unreadable(void **unused)
{
    (void)unused;
    uint8_t bytes[DURABLE_FILE_BYTES];
    assert_int_equal(durable_create(path, &first, NULL), 0);
    read_file(bytes);
    write_file(bytes, sizeof(bytes) - 1);
    assert_unreadable(-EBADMSG);
    write_file(bytes, 0);
    assert_unreadable(-EBADMSG);
}

static uint64_t sum_of(const uint8_t *bytes)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < DURABLE_SLOT_BYTES - 8; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3u;
    return sum;
}

static void a_newer_version_is_refused_not_guessed(void **unused)
{
    (void)unused;
    uint8_t bytes[DURABLE_FILE_BYTES];
    assert_int_equal(durable_create(path, &first, NULL), 0);
    read_file(bytes);
    bytes[8] = 2;
    const uint64_t sum = sum_of(bytes);
    for (unsigned i = 0; i < 8; i++)
        bytes[DURABLE_SLOT_BYTES - 8 + i] = (uint8_t)(sum >> (8 * i));
    write_file(bytes, sizeof(bytes));
    assert_unreadable(-EPROTONOSUPPORT);
}

static void a_state_that_is_none_is_not_written(void **unused)
{
    (void)unused;
    struct arb_durable bad = first;
    bad.right.owner = ARB_NODE_PRIMARY; /* PAIR has no owner */
    assert_int_equal(durable_create(path, &bad, NULL), -EINVAL);
    assert_int_equal(durable_create(path, &first, NULL), 0);
    bad.right.mode = ARB_MODE_SOLO;
    bad.right.owner = 3;
    assert_int_equal(durable_write(path, &bad, NULL), -EINVAL);
    assert_holds(&first);
}

/* A limit on the size of files behaves like a disk without a free block. */
static void no_space_is_needed_to_write_but_told_when_creating(void **unused)
{
    (void)unused;
    struct rlimit old, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);

    none = old;
    none.rlim_cur = DURABLE_FILE_BYTES - 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    struct diag diag = {0};
    const int created = durable_create(path, &first, &diag);
    const bool left = access(path, F_OK) == 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(created, -EFBIG);
    assert_true(diag.text[0] != '\0');
    assert_false(left);

    assert_int_equal(durable_create(path, &first, NULL), 0);
    none.rlim_cur = DURABLE_FILE_BYTES;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    const int written = durable_write(path, &second, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(written, 0);
    assert_holds(&second);
}

static void a_disk_that_fails_is_an_error_and_keeps_the_old_state(void **unused)
{
    (void)unused;
    struct rlimit old, none;
    assert_int_equal(durable_create(path, &first, NULL), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    none = old;
    none.rlim_cur = DURABLE_SLOT_STEP_BYTES + 100; /* the second slot cannot be written whole */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    const int written = durable_write(path, &second, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(written < 0);
    assert_holds(&first);
}

static void a_link_in_place_of_the_file_is_not_followed(void **unused)
{
    (void)unused;
    assert_int_equal(symlink("/etc/hostname", path), 0);
    struct arb_durable state;
    assert_int_equal(durable_read(path, &state, NULL), -ELOOP);
    assert_int_equal(durable_write(path, &first, NULL), -ELOOP);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_created_is_read_and_belongs_to_its_owner_only),
        T(an_existing_state_is_not_created_over),
        T(a_thousand_writes_are_each_read_back),
        T(a_write_torn_at_any_byte_leaves_the_old_state_or_the_new_one),
        T(any_flipped_bit_in_the_newest_slot_falls_back_to_the_older_one),
        T(without_a_file_there_is_no_state),
        T(two_bad_slots_are_unreadable_and_stay_so),
        T(a_short_or_empty_file_is_unreadable),
        T(a_newer_version_is_refused_not_guessed),
        T(a_state_that_is_none_is_not_written),
        T(no_space_is_needed_to_write_but_told_when_creating),
        T(a_disk_that_fails_is_an_error_and_keeps_the_old_state),
        T(a_link_in_place_of_the_file_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
