/* volume.h - mounts and unmounts one file system from the event loop, without a program of its own:
 * on a slow machine each of those costs a tenth of a second, twice in a switchover.
 *
 * The call runs on the thread pool, since it may hang as long as the disk is frozen. One at a time:
 * while one is under way, another one is refused. */
#ifndef OG_SOLUTION_VOLUME_H
#define OG_SOLUTION_VOLUME_H

#include <stdbool.h>
#include <uv.h>

struct volume;

struct volume_options {
    const char *device, *folder, *type; /* borrowed for the volume's life */
    unsigned long flags;                /* mount(2) */
};

/* error: 0 or -errno; from the loop, once */
typedef void (*volume_done_fn)(void *context, int error);

struct volume *volume_new(uv_loop_t *loop, const struct volume_options *options); /* NULL: memory */
/* 0, or -EBUSY while a call is under way (done is then not called). */
int volume_mount(struct volume *volume, volume_done_fn done, void *context);
/* The same; a volume in use stays mounted: -EBUSY in done. */
int volume_unmount(struct volume *volume, volume_done_fn done, void *context);
bool volume_is_busy(const struct volume *volume); /* a call is under way */
void volume_free(struct volume *volume); /* nothing may be under way; NULL is fine */

#endif
