/* setup.c - what the installer asks for before the first start. Every part can be repeated: what is
 * there already stays as it is. */
#include "solution-control/solution_control.h"

#include "ha/durable.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct metadata_run {
    struct drbdctl_link *link;
    bool wipe;
    int error;
    struct diag *diag;
};

static void on_metadata_made(void *context, const struct drbdctl_outcome *outcome)
{
    struct metadata_run *run = context;
    if (outcome->result == DRBDCTL_RESULT_OK) {
        run->error = 0;
    } else if ((outcome->result == DRBDCTL_RESULT_HAS_METADATA ||
                outcome->result == DRBDCTL_RESULT_HAS_DATA) &&
               run->wipe && outcome->command == DRBDCTL_COMMAND_CREATE_METADATA) {
        if (drbdctl_run(run->link, DRBDCTL_COMMAND_CREATE_METADATA_FORCED, on_metadata_made, run) ==
            0)
            return;
        run->error = diag_fail(run->diag, -EBUSY, "DRBD metadata: too many commands wait");
    } else {
        run->error = diag_fail(run->diag, -EIO, "DRBD metadata: %s",
                               outcome->diag.text[0] ? outcome->diag.text
                                                     : drbdctl_result_name(outcome->result));
    }
    drbdctl_close(run->link);
}

static int create_metadata(const struct config *config, bool wipe, struct diag *diag)
{
    uv_loop_t loop;
    struct metadata_run run = {.wipe = wipe, .error = -EIO, .diag = diag};
    const struct drbdctl_options options = {.disk = config->drbd.device};
    int r = uv_loop_init(&loop);
    if (r < 0)
        return diag_fail(diag, r, "no event loop: %s", uv_strerror(r));
    r = drbdctl_open(&loop, &options, &run.link, diag);
    if (r == 0 && drbdctl_run(run.link, DRBDCTL_COMMAND_CREATE_METADATA, on_metadata_made, &run) < 0)
        drbdctl_close(run.link);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    return r < 0 ? r : run.error;
}

static int make_marker(const char *path, struct diag *diag)
{
    AUTO(common_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fsync(fd) != 0)
        return diag_fail(diag, -errno, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static int make_folder(const char *path, mode_t mode, struct diag *diag)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return diag_fail(diag, -errno, "cannot make %s: %s", path, strerror(errno));
    return 0;
}

/* The durable state last: it is what makes this node a member. */
int sol_setup_run(const struct config *config, const struct sol_setup *setup, struct diag *diag)
{
    struct arb_durable durable = {.fresh = true,
                                  .right = {.mode = ARB_MODE_PAIR, .owner = ARB_NODE_NONE}};
    int r = make_folder(SOL_STATE_FOLDER, 0750, diag);
    if (r == 0)
        r = make_folder(SOL_RUN_FOLDER, 0755, diag);
    if (r == 0)
        r = sol_files_write(config, diag);
    if (r < 0 || access(SOL_DURABLE_FILE, F_OK) == 0)
        return r;
    if (setup->create_metadata)
        r = create_metadata(config, setup->wipe, diag);
    if (r == 0)
        r = make_marker(SOL_MAY_FORMAT_FILE, diag);
    return r == 0 ? durable_create(SOL_DURABLE_FILE, &durable, diag) : r;
}
