/* steps.c - what each step of the executor does. Every effect is asynchronous and ends in
 * executor_step_done(); budgets are the executor's. */
#include "solution-control/solution_control.h"

#include "ha/tickle.h"
#include "lib/common/child.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "solution-control/postmaster_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mntent.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char module[] = "steps";

static const char pg_bin[] = "/usr/lib/postgresql/15/bin";
enum { DATABASE_POLL_MS = 20 };
static const char file_system_label[] = "open-gateway";

/* --- small helpers ----------------------------------------------------------------------------- */

static void done(struct sol_daemon *daemon, enum executor_step step, int error, const char *why)
{
    executor_step_done(daemon->executor, step, error == 0 ? EXECUTOR_OK : EXECUTOR_FAILED, why);
}

/* A step that is one command: its exit code is the result, its output the reason. */
struct command_step {
    struct sol_daemon *daemon;
    enum executor_step step;
    void (*then)(struct sol_daemon *daemon, const struct child_result *result);
};

static void on_command_ended(void *context, const struct child_result *result)
{
    struct command_step *command = context;
    struct command_step ended = *command;
    free(command);
    if (ended.then != NULL)
        ended.then(ended.daemon, result);
    else
        done(ended.daemon, ended.step, result->status, result->output);
}

static void run_command(struct sol_daemon *daemon, enum executor_step step,
                        const char *const *argv, const char *user, uint64_t budget_ms,
                        void (*then)(struct sol_daemon *, const struct child_result *))
{
    struct command_step *command = calloc(1, sizeof(*command));
    const struct child_options options = {.argv = argv,
                                          .user = user,
                                          .budget_ms = budget_ms,
                                          .done = on_command_ended,
                                          .context = command};
    if (command != NULL)
        *command = (struct command_step){daemon, step, then};
    if (command == NULL || child_start(daemon->loop, &options) == NULL) {
        free(command);
        done(daemon, step, -ENOMEM, "no memory");
    }
}

static bool is_mounted(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    if (mounts == NULL)
        return true; /* unknown: better try to unmount */
    bool found = false;
    struct mntent entry;
    char buffer[4096];
    while (!found && getmntent_r(mounts, &entry, buffer, sizeof(buffer)) != NULL)
        found = strcmp(entry.mnt_dir, SOL_MOUNT_POINT) == 0;
    (void)endmntent(mounts);
    return found;
}

static bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int make_folder(const char *path, const char *owner, mode_t mode)
{
    struct passwd *user = owner != NULL ? getpwnam(owner) : NULL;
    if (owner != NULL && user == NULL)
        return -ENOENT;
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return -errno;
    if (chmod(path, mode) != 0 || (user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0))
        return -errno;
    return 0;
}

/* --- DRBD -------------------------------------------------------------------------------------- */

enum { UP_RETRY_MS = 10000 };

static void on_up_done(void *context, const struct drbdctl_outcome *outcome)
{
    struct sol_daemon *daemon = context;
    bool up = outcome->result == DRBDCTL_RESULT_OK;
    if (up) {
        daemon->up_retry_at_ms = 0;
        daemon->drbd_text[0] = '\0';
    } else {
        daemon->up_retry_at_ms = common_boot_ms() + UP_RETRY_MS;
        if (strncmp(daemon->drbd_text, outcome->diag.text, sizeof(daemon->drbd_text) - 1) != 0)
            log_error(module, "the replicated disk is not up: %s", outcome->diag.text);
        (void)snprintf(daemon->drbd_text, sizeof(daemon->drbd_text), "%.*s",
                       (int)sizeof(daemon->drbd_text) - 1, outcome->diag.text);
    }
    /* A node without its disk stays up, shows why, and tries again: this step never fails. */
    if (executor_current(daemon->executor) == EXECUTOR_LOAD_DRBD)
        done(daemon, EXECUTOR_LOAD_DRBD, 0, NULL);
    sol_daemon_kick(daemon);
}

void sol_drbd_up(struct sol_daemon *daemon)
{
    daemon->up_retry_at_ms = common_boot_ms() + UP_RETRY_MS;
    if (drbdctl_run(daemon->drbd, DRBDCTL_COMMAND_UP, on_up_done, daemon) < 0 &&
        executor_current(daemon->executor) == EXECUTOR_LOAD_DRBD)
        done(daemon, EXECUTOR_LOAD_DRBD, 0, NULL);
}

static void promote(struct sol_daemon *daemon);

static void on_gateway_withdrawn(void *context, bool gone)
{
    struct sol_daemon *daemon = context;
    if (!gone)
        done(daemon, EXECUTOR_PROMOTE, -EBUSY, "the gateway's process cannot be killed");
    else
        executor_step_done(daemon->executor, EXECUTOR_PROMOTE, EXECUTOR_PEER_LIVES,
                           "the peer is Primary");
}

/* The first try may only have found out that the peer is dead (drbd: refused although the helper
 * said 7); the second one then succeeds. More tries would not help. */
static void on_promoted(void *context, const struct drbdctl_outcome *outcome)
{
    enum { TRIES = 2 };
    struct sol_daemon *daemon = context;
    if (outcome->result == DRBDCTL_RESULT_OK)
        done(daemon, EXECUTOR_PROMOTE, 0, NULL);
    else if (outcome->result == DRBDCTL_RESULT_REFUSED_NOT_OUTDATED &&
             ++daemon->promote_tries < TRIES)
        promote(daemon);
    else if (outcome->result == DRBDCTL_RESULT_REFUSED_MULTIPLE_PRIMARIES)
        service_stop(daemon->gateway, on_gateway_withdrawn, daemon); /* no release follows */
    else
        done(daemon, EXECUTOR_PROMOTE, -EIO,
             outcome->diag.text[0] ? outcome->diag.text : drbdctl_result_name(outcome->result));
}

static void promote(struct sol_daemon *daemon)
{
    if (drbdctl_run(daemon->drbd, DRBDCTL_COMMAND_PRIMARY, on_promoted, daemon) < 0)
        done(daemon, EXECUTOR_PROMOTE, -EBUSY, "too many commands wait");
}

static void on_demoted(void *context, const struct drbdctl_outcome *outcome)
{
    struct sol_daemon *daemon = context;
    done(daemon, EXECUTOR_DEMOTE, outcome->result == DRBDCTL_RESULT_OK ? 0 : -EIO,
         outcome->diag.text);
}

static void demote(struct sol_daemon *daemon)
{
    const struct drbdctl_state *state = drbdctl_state(daemon->drbd);
    bool nothing_to_do =
        (state->valid && (!state->up || state->role == DRBDCTL_ROLE_SECONDARY)) ||
        daemon->drbd_text[0] != '\0';
    if (nothing_to_do)
        done(daemon, EXECUTOR_DEMOTE, 0, NULL);
    else if (drbdctl_run(daemon->drbd, DRBDCTL_COMMAND_SECONDARY, on_demoted, daemon) < 0)
        done(daemon, EXECUTOR_DEMOTE, -EBUSY, "too many commands wait");
}

/* --- file system ------------------------------------------------------------------------------- */

static void on_formatted(struct sol_daemon *daemon, const struct child_result *result)
{
    done(daemon, EXECUTOR_FORMAT, result->status, result->output);
}

/* blkid: 0 = something is there (its label is printed), 2 = nothing found. */
static void on_device_read(struct sol_daemon *daemon, const struct child_result *result)
{
    static const char *const make[] = {"mkfs.ext4", "-q", "-F", "-m", "1", "-L",
                                       file_system_label, DRBDCTL_DEVICE, NULL};
    if (result->status == 2) {
        log_notice(module, "%s is empty: making its file system", DRBDCTL_DEVICE);
        run_command(daemon, EXECUTOR_FORMAT, make, NULL, 60000, on_formatted);
    } else if (result->status == 0 && strncmp(result->output, file_system_label,
                                              strlen(file_system_label)) == 0) {
        done(daemon, EXECUTOR_FORMAT, 0, NULL);
    } else {
        done(daemon, EXECUTOR_FORMAT, -EEXIST,
             "the disk holds foreign data; install with <drbd wipe=\"yes\"> to destroy it");
    }
}

/* Only between installation and first activation may an empty disk be formatted. */
static void format_if_new(struct sol_daemon *daemon)
{
    static const char *const look[] = {"blkid",    "-p", "-o", "value", "-s",
                                       "LABEL", DRBDCTL_DEVICE, NULL};
    if (!file_exists(SOL_MAY_FORMAT_FILE))
        done(daemon, EXECUTOR_FORMAT, 0, NULL);
    else
        run_command(daemon, EXECUTOR_FORMAT, look, NULL, 10000, on_device_read);
}

/* The gateway rewrites the list with its first channel: keep the old one for the tickle. */
static void keep_channels(void)
{
    if (rename(SOL_CHANNELS_FILE, SOL_CHANNELS_FILE ".last") != 0 && errno == ENOENT)
        (void)unlink(SOL_CHANNELS_FILE ".last");
}

static void on_mounted(void *context, int error)
{
    struct sol_daemon *daemon = context;
    struct diag diag = {0};
    if (error < 0) {
        done(daemon, EXECUTOR_MOUNT, error, strerror(-error));
        return;
    }
    keep_channels();
    int r = disk_beat_open(daemon->beat, SOL_BEAT_FILE, &diag);
    done(daemon, EXECUTOR_MOUNT, r, diag.text);
}

static void mount_volume(struct sol_daemon *daemon)
{
    int r = make_folder(SOL_MOUNT_POINT, NULL, 0755);
    if (r < 0)
        done(daemon, EXECUTOR_MOUNT, r, SOL_MOUNT_POINT " cannot be made");
    else if (volume_mount(daemon->volume, on_mounted, daemon) < 0)
        done(daemon, EXECUTOR_MOUNT, -EBUSY, "an earlier mount or unmount still hangs");
}

static void on_unmounted(void *context, int error)
{
    done(context, EXECUTOR_UNMOUNT, error, strerror(-error));
}

/* A mount that still hangs could come through later: then it is not "not mounted". */
static void unmount_volume(struct sol_daemon *daemon)
{
    if (disk_beat_close(daemon->beat) < 0)
        done(daemon, EXECUTOR_UNMOUNT, -EBUSY, "a write to the disk hangs");
    else if (volume_is_busy(daemon->volume))
        done(daemon, EXECUTOR_UNMOUNT, -EBUSY, "an earlier mount or unmount still hangs");
    else if (!is_mounted())
        done(daemon, EXECUTOR_UNMOUNT, 0, NULL);
    else if (volume_unmount(daemon->volume, on_unmounted, daemon) < 0)
        done(daemon, EXECUTOR_UNMOUNT, -ENOMEM, "the unmount cannot be begun");
}

/* --- PostgreSQL -------------------------------------------------------------------------------- */

/* Everything that matters is fixed here, on the command line, and not in a file on the volume:
 * durability on, crash recovery bounded to about two seconds, local socket only. */
static char database_program[64];
static const char *const database_argv[] = {
    database_program,
    "-D", SOL_DATABASE_FOLDER,
    "-c", "listen_addresses=",
    "-c", "unix_socket_directories=" SOL_DATABASE_SOCKET_FOLDER,
    "-c", "unix_socket_permissions=0777", /* who may do what is decided by peer authentication */
    "-c", "hba_file=" SOL_RUN_FOLDER "/pg_hba.conf",
    "-c", "ident_file=" SOL_RUN_FOLDER "/pg_ident.conf",
    "-c", "fsync=on",
    "-c", "full_page_writes=on",
    "-c", "synchronous_commit=on",
    "-c", "wal_level=minimal",
    "-c", "max_wal_senders=0",
    "-c", "max_logical_replication_workers=0",
    /* One call for the volume instead of one fsync for each of a thousand files, before recovery. */
    "-c", "recovery_init_sync_method=syncfs",
    "-c", "max_wal_size=64MB",
    "-c", "min_wal_size=32MB",
    "-c", "checkpoint_timeout=30s",
    "-c", "shared_buffers=64MB",
    "-c", "max_connections=60",
    "-c", "log_destination=stderr",
    "-c", "logging_collector=off",
    "-c", "log_checkpoints=off",
    "-c", "timezone=UTC",
    NULL};

static const char initial_folder[] = SOL_MOUNT_POINT "/pg.new";

static void on_initial_database(struct sol_daemon *daemon, const struct child_result *result)
{
    int r = result->status;
    if (r == 0 && rename(initial_folder, SOL_DATABASE_FOLDER) != 0)
        r = -errno;
    done(daemon, EXECUTOR_PREPARE_DATABASE, r, result->output);
}

static void make_initial_database(struct sol_daemon *daemon, const struct child_result *removed)
{
    static char initdb[64];
    static const char *const argv[] = {initdb,        "-D",       initial_folder, "-E",
                                       "UTF8",        "--locale", "C.UTF-8",      "-A",
                                       "peer",        "-U",       "postgres",     "--wal-segsize",
                                       "8",           NULL};
    int r = removed->status;
    if (r == 0)
        r = make_folder(initial_folder, "postgres", 0700);
    (void)snprintf(initdb, sizeof(initdb), "%s/initdb", pg_bin);
    if (r != 0)
        done(daemon, EXECUTOR_PREPARE_DATABASE, r, "the folder for the database cannot be made");
    else
        run_command(daemon, EXECUTOR_PREPARE_DATABASE, argv, "postgres", 58000,
                    on_initial_database);
}

/* A crash in the middle of initdb leaves pg.new behind: made anew, renamed when complete. */
static void prepare_database(struct sol_daemon *daemon)
{
    static const char *const remove[] = {"rm", "-rf", "--", initial_folder, NULL};
    int r = make_folder(SOL_GATEWAY_FOLDER, "roxe-gateway", 0750);
    if (r == 0)
        r = make_folder(SOL_DATABASE_SOCKET_FOLDER, "postgres", 0755);
    if (r < 0)
        done(daemon, EXECUTOR_PREPARE_DATABASE, r, "folders or users of the package are missing");
    else if (file_exists(SOL_DATABASE_FOLDER "/PG_VERSION"))
        done(daemon, EXECUTOR_PREPARE_DATABASE, 0, NULL);
    else if (!file_exists(SOL_MAY_FORMAT_FILE))
        done(daemon, EXECUTOR_PREPARE_DATABASE, -ENOENT,
             "the volume holds no database; restore a backup");
    else
        run_command(daemon, EXECUTOR_PREPARE_DATABASE, remove, NULL, 20000, make_initial_database);
}

static void on_database_state(void *context, bool up, const struct diag *why)
{
    struct sol_daemon *daemon = context;
    if (!up) {
        log_debug(module, "PostgreSQL: %s", why != NULL ? why->text : "");
        if (!daemon->database_asking && executor_current(daemon->executor) == EXECUTOR_START_DATABASE)
            timer_start(daemon->database_poll, DATABASE_POLL_MS, 0);
        return;
    }
    if (service_state(daemon->database) == SERVICE_STOPPED)
        return;
    service_confirm(daemon->database);
    if (executor_current(daemon->executor) == EXECUTOR_START_DATABASE)
        done(daemon, EXECUTOR_START_DATABASE, 0, NULL);
}

static int open_database_connection(struct sol_daemon *daemon, struct diag *diag)
{
    static const char *const keywords[] = {"host", "user", "dbname", "application_name", NULL};
    static const char *const values[] = {SOL_DATABASE_SOCKET_FOLDER, "postgres", "postgres",
                                         "solution-control", NULL};
    const struct pg_options options = {.keywords = keywords,
                                       .values = values,
                                       .connect_timeout_ms = 5000,
                                       .keep = true,
                                       .state = on_database_state,
                                       .context = daemon};
    return pg_open(daemon->loop, &options, &daemon->db, diag);
}

static bool database_is_ready(const struct sol_daemon *daemon)
{
    char text[POSTMASTER_FILE_BYTES];
    int fd = open(SOL_DATABASE_FOLDER "/postmaster.pid", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (fd >= 0)
        (void)close(fd);
    return got > 0 && postmaster_is_ready(text, (size_t)got, service_pid(daemon->database));
}

static void ask_database(struct sol_daemon *daemon)
{
    struct diag diag = {0};
    if (daemon->db == NULL) {
        if (open_database_connection(daemon, &diag) < 0)
            done(daemon, EXECUTOR_START_DATABASE, -ENOMEM, diag.text);
        return;
    }
    daemon->database_asking = true;
    pg_reset(daemon->db);
    daemon->database_asking = false;
}

/* The server says in its own file when it takes connections. One that comes too early costs it a
 * process, while it recovers; and the connection's back-off would cost a second here. */
static void on_database_poll(void *context)
{
    struct sol_daemon *daemon = context;
    if (executor_current(daemon->executor) != EXECUTOR_START_DATABASE ||
        (daemon->db != NULL && pg_is_up(daemon->db)))
        return;
    if (database_is_ready(daemon))
        ask_database(daemon);
    else
        timer_start(daemon->database_poll, DATABASE_POLL_MS, 0);
}

static void start_database(struct sol_daemon *daemon)
{
    service_start(daemon->database);
    if (daemon->db != NULL && pg_is_up(daemon->db))
        done(daemon, EXECUTOR_START_DATABASE, 0, NULL);
    else
        timer_start(daemon->database_poll, DATABASE_POLL_MS, 0);
}

static void on_databases_created(struct sol_daemon *daemon, const struct child_result *result)
{
    if (result->status == 0 && unlink(SOL_MAY_FORMAT_FILE) != 0 && errno != ENOENT)
        log_warning(module, "cannot remove %s: %s", SOL_MAY_FORMAT_FILE, strerror(errno));
    done(daemon, EXECUTOR_CREATE_DATABASES, result->status, result->output);
}

/* Runs once, after the first start. psql's \gexec makes each statement idempotent. */
static void create_databases(struct sol_daemon *daemon)
{
    static const char *const argv[] = {
        "psql", "-X", "-q", "-h", SOL_DATABASE_SOCKET_FOLDER, "-U", "postgres", "-v",
        "ON_ERROR_STOP=1", "-f", "/usr/share/open-gateway/databases.sql", NULL};
    if (!file_exists(SOL_MAY_FORMAT_FILE))
        done(daemon, EXECUTOR_CREATE_DATABASES, 0, NULL);
    else
        run_command(daemon, EXECUTOR_CREATE_DATABASES, argv, "postgres", 28000,
                    on_databases_created);
}

static void on_database_stopped(void *context, bool gone)
{
    struct sol_daemon *daemon = context;
    done(daemon, EXECUTOR_STOP_DATABASE, gone ? 0 : -EBUSY, "its process cannot be killed");
}

static void stop_database(struct sol_daemon *daemon)
{
    struct pg *db = daemon->db;
    daemon->db = NULL;
    pg_close(db);
    service_stop(daemon->database, on_database_stopped, daemon);
}

static void on_checkpoint(void *context, const struct pg_result *result)
{
    struct sol_daemon *daemon = context;
    if (result->error < 0)
        log_info(module, "checkpoint before the release: %s", result->message);
    done(daemon, EXECUTOR_CHECKPOINT, 0, NULL); /* it only shortens what follows */
}

static void checkpoint(struct sol_daemon *daemon)
{
    if (daemon->db == NULL || !pg_is_up(daemon->db) ||
        pg_query(daemon->db, "CHECKPOINT", NULL, 0, 1500, on_checkpoint, daemon) < 0)
        done(daemon, EXECUTOR_CHECKPOINT, 0, NULL);
}

/* --- gateway, address -------------------------------------------------------------------------- */

static void on_gateway_stopped(void *context, bool gone)
{
    struct sol_daemon *daemon = context;
    done(daemon, EXECUTOR_STOP_GATEWAY, gone ? 0 : -EBUSY, "its process cannot be killed");
}

static void drop_vip(struct sol_daemon *daemon, enum executor_step step)
{
    struct diag diag = {0};
    claim_cancel(daemon->claim);
    int r = step == EXECUTOR_CLEAN_VIP ? vip_clean_up(daemon->vip, &diag)
                                       : vip_drop(daemon->vip, &diag);
    if (r == -ENODEV)
        r = 0; /* no interface, no address */
    done(daemon, step, r, diag.text);
}

static void on_tickled(void *context, const struct tickle_result *result)
{
    struct sol_daemon *daemon = context;
    log_info(module, "open channels of the former active node: %s", result->text);
    done(daemon, EXECUTOR_TICKLE, 0, NULL);
}

static void tickle(struct sol_daemon *daemon)
{
    struct rtnl_addr address;
    struct diag diag = {0};
    int r = sol_vip_address(&daemon->config, &address, &diag);
    const struct tickle_options options = {
        .path = SOL_CHANNELS_FILE ".last", .vips = &address, .vip_count = 1};
    if (r == 0)
        r = tickle_start(daemon->loop, &options, on_tickled, daemon, &diag);
    if (r < 0) {
        log_warning(module, "open channels cannot be woken: %s", diag.text);
        done(daemon, EXECUTOR_TICKLE, 0, NULL); /* their clients find out by themselves, later */
    }
}

/* The gateway was begun with the promotion (it answers nobody before its database is there); its
 * first good answer ends this step. */
static void start_gateway(struct sol_daemon *daemon)
{
    service_start(daemon->gateway);
    probes_start(daemon->probes);
}

/* --- the executor's two entry points ----------------------------------------------------------- */

/* A turn of the loop lies between begin and the first effect, as the executor demands. */
struct begin_later {
    struct timer *timer;
    struct sol_daemon *daemon;
    enum executor_step step;
};

static void begin_step(struct sol_daemon *daemon, enum executor_step step)
{
    switch (step) {
    case EXECUTOR_CLEAN_VIP:
    case EXECUTOR_DROP_VIP:
        drop_vip(daemon, step);
        break;
    case EXECUTOR_LOAD_DRBD:
        sol_drbd_up(daemon);
        break;
    case EXECUTOR_PROMOTE:
        claim_prepare(daemon->claim);
        service_start(daemon->gateway); /* loads while the disk is promoted and recovered */
        promote(daemon);
        break;
    case EXECUTOR_FORMAT:
        format_if_new(daemon);
        break;
    case EXECUTOR_MOUNT:
        mount_volume(daemon);
        break;
    case EXECUTOR_PREPARE_DATABASE:
        prepare_database(daemon);
        break;
    case EXECUTOR_START_DATABASE:
        start_database(daemon);
        break;
    case EXECUTOR_CREATE_DATABASES:
        create_databases(daemon);
        break;
    case EXECUTOR_START_GATEWAY:
        start_gateway(daemon);
        break;
    case EXECUTOR_CLAIM_VIP:
        claim_start(daemon->claim);
        break;
    case EXECUTOR_TICKLE:
        tickle(daemon);
        break;
    case EXECUTOR_CHECKPOINT:
        checkpoint(daemon);
        break;
    case EXECUTOR_STOP_GATEWAY:
        service_stop(daemon->gateway, on_gateway_stopped, daemon);
        break;
    case EXECUTOR_STOP_DATABASE:
        stop_database(daemon);
        break;
    case EXECUTOR_UNMOUNT:
        unmount_volume(daemon);
        break;
    case EXECUTOR_DEMOTE:
        demote(daemon);
        break;
    case EXECUTOR_STEP_COUNT:
        break;
    }
}

static void on_begin_later(void *context)
{
    struct begin_later later = *(struct begin_later *)context;
    free(context);
    timer_free(later.timer);
    begin_step(later.daemon, later.step);
}

void sol_step_begin(void *context, enum executor_step step)
{
    struct sol_daemon *daemon = context;
    struct begin_later *later = calloc(1, sizeof(*later));
    if (later != NULL) {
        *later = (struct begin_later){.daemon = daemon, .step = step};
        later->timer = timer_new(daemon->loop, on_begin_later, later);
    }
    if (later == NULL || later->timer == NULL) {
        log_error(module, "no memory to begin a step; its budget will end it");
        free(later);
        return;
    }
    timer_start(later->timer, 0, 0);
}

void sol_step_give_up(void *context, enum executor_step step)
{
    struct sol_daemon *daemon = context;
    log_error(module, "%s: given up", executor_step_text(step));
    if (step == EXECUTOR_CLAIM_VIP)
        claim_cancel(daemon->claim);
}

static void on_service_changed(void *context)
{
    sol_daemon_kick(context);
}

int sol_steps_open(struct sol_daemon *daemon, struct diag *diag)
{
    static const char *const corosync[] = {"/usr/sbin/corosync", "-f", NULL};
    static const char *const gateway[] = {"/usr/lib/open-gateway/roxe-gateway", "--config",
                                          SOL_GATEWAY_CONFIG, NULL};
    const struct service_options services[] = {
        {.name = "corosync",
         .argv = corosync,
         .stop = {{SIGTERM, 5000}},
         .changed = on_service_changed,
         .context = daemon},
        {.name = "PostgreSQL", /* fast, then immediate */
         .argv = database_argv,
         .user = "postgres",
         .stop = {{SIGINT, 8000}, {SIGQUIT, 4000}},
         .changed = on_service_changed,
         .context = daemon},
        {.name = "gateway",
         .argv = gateway,
         .stop = {{SIGTERM, 2000}},
         .changed = on_service_changed,
         .context = daemon},
    };
    const struct volume_options volume = {
        .device = DRBDCTL_DEVICE, .folder = SOL_MOUNT_POINT, .type = "ext4", .flags = MS_NOATIME};
    (void)snprintf(database_program, sizeof(database_program), "%s/postgres", pg_bin);
    daemon->database_poll = timer_new(daemon->loop, on_database_poll, daemon);
    daemon->volume = volume_new(daemon->loop, &volume);
    daemon->corosync = service_new(daemon->loop, &services[0]);
    daemon->database = service_new(daemon->loop, &services[1]);
    daemon->gateway = service_new(daemon->loop, &services[2]);
    if (daemon->database_poll == NULL || daemon->volume == NULL || daemon->corosync == NULL ||
        daemon->database == NULL || daemon->gateway == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the services");
    return 0;
}
