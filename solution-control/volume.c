#include "solution-control/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>

struct volume {
    uv_loop_t *loop;
    struct volume_options options;
    uv_work_t work;
    bool busy;
    int error; /* of the call, for on_worked */
    volume_done_fn done;
    void *context;
};

struct volume *volume_new(uv_loop_t *loop, const struct volume_options *options)
{
    struct volume *volume = calloc(1, sizeof(*volume));
    if (volume == NULL)
        return NULL;
    volume->loop = loop;
    volume->options = *options;
    volume->work.data = volume;
    return volume;
}

void volume_free(struct volume *volume)
{
    free(volume);
}

bool volume_is_busy(const struct volume *volume)
{
    return volume->busy;
}

static void mount_on_pool(uv_work_t *work)
{
    struct volume *volume = work->data;
    const struct volume_options *options = &volume->options;
    int r = mount(options->device, options->folder, options->type, options->flags, NULL);
    volume->error = r == 0 ? 0 : -errno;
}

static void unmount_on_pool(uv_work_t *work)
{
    struct volume *volume = work->data;
    volume->error = umount2(volume->options.folder, UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
}

static void on_worked(uv_work_t *work, int status)
{
    struct volume *volume = work->data;
    volume->busy = false;
    volume->done(volume->context, status < 0 ? status : volume->error);
}

static int begin(struct volume *volume, uv_work_cb call, volume_done_fn done, void *context)
{
    if (volume->busy)
        return -EBUSY;
    volume->done = done;
    volume->context = context;
    int r = uv_queue_work(volume->loop, &volume->work, call, on_worked);
    volume->busy = r == 0;
    return r;
}

int volume_mount(struct volume *volume, volume_done_fn done, void *context)
{
    return begin(volume, mount_on_pool, done, context);
}

int volume_unmount(struct volume *volume, volume_done_fn done, void *context)
{
    return begin(volume, unmount_on_pool, done, context);
}
