#include "ha/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Slot: magic 8, version 4, mode 4, owner 4, fresh 4, counter 8, term 8, seq 8, run 8,
 * last_active_term 8, zeros, checksum 8 at the end (FNV-1a of everything before it). Little-endian.
 */
enum { VERSION = 1, SUM_AT = DURABLE_SLOT_BYTES - 8 };

static const char magic[8] = {'O', 'G', 'D', 'U', 'R', 'A', 'B', 'L'};

struct slot {
    bool whole, newer_version;
    uint64_t counter;
    struct arb_durable state;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint64_t checksum(const uint8_t *bytes)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < SUM_AT; i++) {
        sum ^= bytes[i];
        sum *= 0x100000001b3u;
    }
    return sum;
}

static bool is_state(uint64_t mode, uint64_t owner, uint64_t fresh)
{
    if (fresh > 1)
        return false;
    if (mode == ARB_MODE_PAIR)
        return owner == ARB_NODE_NONE;
    return mode == ARB_MODE_SOLO && (owner == ARB_NODE_PRIMARY || owner == ARB_NODE_SECONDARY);
}

static void write_slot(uint8_t bytes[DURABLE_SLOT_BYTES], const struct arb_durable *state,
                       uint64_t counter)
{
    memset(bytes, 0, DURABLE_SLOT_BYTES);
    memcpy(bytes, magic, sizeof(magic));
    put(bytes + 8, VERSION, 4);
    put(bytes + 12, (uint64_t)state->right.mode, 4);
    put(bytes + 16, state->right.owner, 4);
    put(bytes + 20, state->fresh, 4);
    put(bytes + 24, counter, 8);
    put(bytes + 32, state->right.term, 8);
    put(bytes + 40, state->right.seq, 8);
    put(bytes + 48, state->witness_run, 8);
    put(bytes + 56, state->last_active_term, 8);
    put(bytes + SUM_AT, checksum(bytes), 8);
}

static struct slot read_slot(const uint8_t *bytes)
{
    struct slot slot = {0};
    if (memcmp(bytes, magic, sizeof(magic)) != 0 || get(bytes + SUM_AT, 8) != checksum(bytes))
        return slot;
    slot.newer_version = get(bytes + 8, 4) > VERSION;
    const uint64_t mode = get(bytes + 12, 4), owner = get(bytes + 16, 4),
                   fresh = get(bytes + 20, 4);
    if (get(bytes + 8, 4) != VERSION || !is_state(mode, owner, fresh))
        return slot;
    slot.whole = true;
    slot.counter = get(bytes + 24, 8);
    slot.state = (struct arb_durable){
        .right = {.mode = (enum arb_mode)mode,
                  .owner = (uint32_t)owner,
                  .term = get(bytes + 32, 8),
                  .seq = get(bytes + 40, 8)},
        .witness_run = get(bytes + 48, 8),
        .last_active_term = get(bytes + 56, 8),
        .fresh = fresh == 1,
    };
    return slot;
}

static int read_whole(int fd, uint8_t *bytes, size_t len_bytes)
{
    size_t done = 0;
    while (done < len_bytes) {
        ssize_t got = pread(fd, bytes + done, len_bytes - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EBADMSG; /* shorter than it was created */
        done += (size_t)got;
    }
    return 0;
}

static int write_whole(int fd, const uint8_t *bytes, size_t len_bytes, off_t at)
{
    size_t done = 0;
    while (done < len_bytes) {
        ssize_t put_bytes = pwrite(fd, bytes + done, len_bytes - done, at + (off_t)done);
        if (put_bytes < 0 && errno == EINTR)
            continue;
        if (put_bytes < 0)
            return -errno;
        if (put_bytes == 0)
            return -EIO;
        done += (size_t)put_bytes;
    }
    return 0;
}

/* Finds the newest whole slot: its index, or a negative errno. */
static int newest(int fd, const char *path, struct slot slots[2], struct diag *diag)
{
    uint8_t bytes[DURABLE_FILE_BYTES];
    int r = read_whole(fd, bytes, sizeof(bytes));
    if (r < 0)
        return diag_fail(diag, r, "%s: cannot be read: %s", path, strerror(-r));
    for (int i = 0; i < 2; i++)
        slots[i] = read_slot(bytes + i * DURABLE_SLOT_STEP_BYTES);
    if (slots[0].newer_version || slots[1].newer_version)
        return diag_fail(diag, -EPROTONOSUPPORT,
                         "%s: was written by a newer version of this program", path);
    if (!slots[0].whole && !slots[1].whole)
        return diag_fail(diag, -EBADMSG, "%s: holds no whole state of the arbiter", path);
    if (slots[0].whole && slots[1].whole)
        return slots[1].counter > slots[0].counter ? 1 : 0;
    return slots[1].whole ? 1 : 0;
}

static int open_file(const char *path, int flags, struct diag *diag)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        return fd;
    const int code = errno == ENOENT ? -ENODATA : -errno;
    return diag_fail(diag, code, "%s: cannot be opened: %s", path, strerror(errno));
}

int durable_read(const char *path, struct arb_durable *ret_state, struct diag *diag)
{
    int fd = open_file(path, O_RDONLY, diag);
    if (fd < 0)
        return fd;
    struct slot slots[2];
    int index = newest(fd, path, slots, diag);
    (void)close(fd);
    if (index < 0)
        return index;
    *ret_state = slots[index].state;
    return 0;
}

int durable_write(const char *path, const struct arb_durable *state, struct diag *diag)
{
    if (!is_state((uint64_t)state->right.mode, state->right.owner, state->fresh))
        return diag_fail(diag, -EINVAL, "%s: this is no state of the arbiter", path);
    int fd = open_file(path, O_RDWR, diag);
    if (fd < 0)
        return fd;

    struct slot slots[2];
    int index = newest(fd, path, slots, diag);
    if (index < 0) {
        (void)close(fd);
        return index;
    }
    uint8_t bytes[DURABLE_SLOT_BYTES];
    write_slot(bytes, state, slots[index].counter + 1);
    const off_t at = (off_t)(index == 0 ? 1 : 0) * DURABLE_SLOT_STEP_BYTES;
    int r = write_whole(fd, bytes, sizeof(bytes), at);
    if (r == 0 && fdatasync(fd) != 0)
        r = -errno;
    (void)close(fd);
    return r == 0 ? 0 : diag_fail(diag, r, "%s: cannot be written: %s", path, strerror(-r));
}

static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof(copy))
        return -ENAMETOOLONG;
    memcpy(copy, path, strlen(path) + 1);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    (void)close(fd);
    return r;
}

static int fill_new(int fd, const struct arb_durable *state)
{
    uint8_t bytes[DURABLE_FILE_BYTES] = {0}; /* real blocks, so that no later write needs space */
    write_slot(bytes, state, 1);
    int r = write_whole(fd, bytes, sizeof(bytes), 0);
    if (r == 0 && fsync(fd) != 0)
        r = -errno;
    return r;
}

int durable_create(const char *path, const struct arb_durable *state, struct diag *diag)
{
    char temporary[PATH_MAX];
    if (!is_state((uint64_t)state->right.mode, state->right.owner, state->fresh))
        return diag_fail(diag, -EINVAL, "%s: this is no state of the arbiter", path);
    const int len = snprintf(temporary, sizeof(temporary), "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof(temporary))
        return diag_fail(diag, -ENAMETOOLONG, "%s: the path is too long", path);

    (void)unlink(temporary); /* of an installation that was interrupted */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return diag_fail(diag, -errno, "%s: cannot be made: %s", temporary, strerror(errno));
    int r = fill_new(fd, state);
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r == 0 && link(temporary, path) != 0) /* unlike rename, never replaces a state */
        r = -errno;
    (void)unlink(temporary);
    if (r == 0)
        r = sync_folder_of(path);
    return r == 0 ? 0 : diag_fail(diag, r, "%s: cannot be made: %s", path, strerror(-r));
}
