#include "solution-control/disk_beat.h"

#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 512 };

struct disk_beat {
    pthread_t thread;
    sem_t wanted;
    int fd; /* changed only while nothing is being written */
    atomic_bool writing, ending;
    _Atomic uint64_t acknowledged_ms;
    _Atomic int last_error;
};

static void write_record(struct disk_beat *beat)
{
    char record[RECORD_BYTES] = "open-gateway beat\n";
    uint64_t begun_ms = common_boot_ms();
    memcpy(record + 32, &begun_ms, sizeof(begun_ms));
    ssize_t written = pwrite(beat->fd, record, sizeof(record), 0);
    if (written == (ssize_t)sizeof(record))
        atomic_store(&beat->acknowledged_ms, begun_ms);
    else
        atomic_store(&beat->last_error, written < 0 ? errno : EIO);
}

static void *run(void *argument)
{
    struct disk_beat *beat = argument;
    for (;;) {
        while (sem_wait(&beat->wanted) != 0 && errno == EINTR)
            ;
        if (atomic_load(&beat->ending))
            return NULL;
        write_record(beat);
        atomic_store(&beat->writing, false);
    }
}

int disk_beat_new(struct disk_beat **ret_beat, struct diag *diag)
{
    struct disk_beat *beat = calloc(1, sizeof(*beat));
    if (beat == NULL)
        return diag_fail(diag, -ENOMEM, "disk beat: no memory");
    beat->fd = -1;
    int r = sem_init(&beat->wanted, 0, 0) != 0 ? errno : 0;
    if (r == 0)
        r = pthread_create(&beat->thread, NULL, run, beat);
    if (r != 0) {
        free(beat);
        return diag_fail(diag, -r, "disk beat: cannot start its thread: %s", strerror(r));
    }
    *ret_beat = beat;
    return 0;
}

int disk_beat_open(struct disk_beat *beat, const char *path, struct diag *diag)
{
    if (atomic_load(&beat->writing))
        return diag_fail(diag, -EBUSY, "disk beat: the last write has not ended");
    int fd = open(path, O_WRONLY | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return diag_fail(diag, -errno, "disk beat: cannot open %s: %s", path, strerror(errno));
    if (beat->fd >= 0)
        (void)close(beat->fd);
    beat->fd = fd;
    atomic_store(&beat->acknowledged_ms, 0);
    return 0;
}

void disk_beat_write(struct disk_beat *beat)
{
    if (beat->fd < 0 || atomic_exchange(&beat->writing, true))
        return;
    (void)sem_post(&beat->wanted);
}

uint64_t disk_beat_acknowledged_ms(const struct disk_beat *beat)
{
    return atomic_load(&beat->acknowledged_ms);
}

bool disk_beat_is_writing(const struct disk_beat *beat)
{
    return atomic_load(&beat->writing);
}

int disk_beat_close(struct disk_beat *beat)
{
    if (atomic_load(&beat->writing))
        return -EBUSY;
    if (beat->fd >= 0)
        (void)close(beat->fd);
    beat->fd = -1;
    atomic_store(&beat->acknowledged_ms, 0);
    return 0;
}

void disk_beat_free(struct disk_beat *beat)
{
    if (beat == NULL)
        return;
    if (atomic_load(&beat->writing)) {
        (void)pthread_detach(beat->thread);
        return;
    }
    atomic_store(&beat->ending, true);
    (void)sem_post(&beat->wanted);
    (void)pthread_join(beat->thread, NULL);
    (void)disk_beat_close(beat);
    (void)sem_destroy(&beat->wanted);
    free(beat);
}
