/* solution_control.h - the daemon that holds a node of the pair together. Room's guide:
 *
 *   main.c         arguments, one loop, signals
 *   setup.c        `--init`: what the installer asks for before the first start
 *   files.c        the files that other programs read: corosync.conf, DRBD resource, gateway.json …
 *   daemon.c       collects facts, asks the arbiter, carries out its plan; the only writer of state
 *   facts.c        from modules to struct arb_facts
 *   executor.c     orders as lists of steps with budgets          (no effects of its own)
 *   steps.c        what each step does: DRBD, mount, PostgreSQL, gateway
 *   claim.c        probing for and claiming the virtual address
 *   service.c      one supervised child;  probes.c  inner heartbeats and the 30 s probes
 *   volume.c       mounting and unmounting the replicated file system
 *   postmaster_file.c  whether PostgreSQL takes connections
 *   disk_beat.c    contact proven through the replicated disk
 *   journal.c      history of decisions;  preview.c  what would happen
 *   control.c, status.c  what `roxed` asks and reads
 *
 * What it must hold is written in ha/arbiter.h; this room adds: no plan's action is carried out out
 * of order, nothing blocks the loop, and whatever this process still holds goes when it dies (the
 * address by its kernel lifetime, children by systemd, the machine by the watchdog). */
#ifndef OG_SOLUTION_SOLUTION_CONTROL_H
#define OG_SOLUTION_SOLUTION_CONTROL_H

#include "drbd/drbd.h"
#include "drbd/drbdctl_fence.h"
#include "drbd/drbdctl_link.h"
#include "ha/arbiter.h"
#include "ha/heartbeat.h"
#include "ha/membership.h"
#include "ha/vip.h"
#include "ha/watchdog.h"
#include "ha/witness.h"
#include "lib/common/pg.h"
#include "lib/common/timer.h"
#include "lib/config/config.h"
#include "solution-control/disk_beat.h"
#include "solution-control/executor.h"
#include "solution-control/journal.h"
#include "solution-control/service.h"
#include "solution-control/volume.h"

#include <uv.h>

/* Where things lie. Tests and nothing else use other roots. */
#define SOL_STATE_FOLDER "/var/lib/open-gateway"
#define SOL_DURABLE_FILE SOL_STATE_FOLDER "/arbiter.state"
#define SOL_JOURNAL_FILE SOL_STATE_FOLDER "/journal.jsonl"
/* Present from the installation until the first activation of the pair: only then may an empty disk
 * be formatted. */
#define SOL_MAY_FORMAT_FILE SOL_STATE_FOLDER "/may-format"
#define SOL_RUN_FOLDER "/run/open-gateway"
#define SOL_CONTROL_SOCKET SOL_RUN_FOLDER "/control.sock"
#define SOL_MOUNT_POINT "/srv/open-gateway"
#define SOL_DATABASE_FOLDER SOL_MOUNT_POINT "/pg"
#define SOL_BEAT_FILE SOL_MOUNT_POINT "/beat"
#define SOL_GATEWAY_FOLDER SOL_MOUNT_POINT "/gateway"
#define SOL_CHANNELS_FILE SOL_GATEWAY_FOLDER "/channels"
#define SOL_DATABASE_SOCKET_FOLDER SOL_RUN_FOLDER "/pg"
#define SOL_GATEWAY_CONFIG SOL_RUN_FOLDER "/gateway.json"
#define SOL_GATEWAY_HEALTH_SOCKET SOL_RUN_FOLDER "/gateway-health.sock"
#define SOL_ADMINISTRATORS_FILE "/etc/open-gateway/administrators.json"

enum { SOL_TICK_MS = 50, SOL_ALARMS_MAX = 8, SOL_ALARM_CHARS = 256 };

struct claim;   /* claim.c */
struct probes;  /* probes.c */
struct control; /* control.c */

/* The durable state's writer: one write at a time on the thread pool, the newest wins. */
struct sol_saver {
    uv_work_t work;
    bool busy, again, failed;
    struct arb_durable writing, wanted;
    uint32_t writing_serial, wanted_serial, saved_serial;
    int error;
};

struct sol_daemon {
    uv_loop_t *loop;
    struct config config;
    struct arb_config arb;
    struct arb_state state;
    bool durable_readable;
    char take_obstacle[SOL_ALARM_CHARS]; /* why this node must not become active; "": it may */
    uint64_t generation;

    struct drbdctl_link *drbd;
    struct drbdctl_fence *fence;
    struct heartbeat *heartbeat;
    struct membership *membership;
    bool peer_is_member;
    struct arb_message peer_message;
    bool peer_heard;
    struct vip *vip;
    struct watchdog *watchdog;
    struct witness *witness;
    struct arb_witness witness_answer;
    char witness_text[SOL_ALARM_CHARS];

    struct executor *executor;
    struct claim *claim;
    struct disk_beat *beat;
    struct volume *volume;
    struct service *corosync, *database, *gateway;
    struct pg *db;
    struct timer *database_poll;
    bool database_asking; /* the poll itself drops the connection */
    struct probes *probes;
    struct control *control;
    struct journal *journal;
    struct sol_saver saver;

    struct timer *tick;
    bool thinking, think_again;
    bool switchover_wanted, stop_wanted, stopped, fenced;
    uint64_t switchover_asked_ms;
    unsigned promote_tries;
    bool may_format_checked; /* the standby's permission to format is withdrawn */
    uint64_t up_retry_at_ms; /* next try to bring DRBD up */
    char drbd_text[SOL_ALARM_CHARS]; /* why DRBD is not up; "" when it is */
    bool alarm;
    uint16_t logged_row;
    void (*ended)(void *context); /* orderly stop is complete */
    void *context;
};

/* daemon.c */
int sol_daemon_start(uv_loop_t *loop, const struct config *config, struct sol_daemon **ret_daemon,
                     struct diag *diag);
void sol_daemon_stop(struct sol_daemon *daemon, void (*ended)(void *context), void *context);
/* After the orderly stop: disarms the watchdog, ends corosync and everything else. */
void sol_daemon_close(struct sol_daemon *daemon);
/* Something changed: decide again, soon. */
void sol_daemon_kick(struct sol_daemon *daemon);

/* facts.c */
void sol_facts_collect(struct sol_daemon *daemon, struct arb_facts *ret_facts);

/* steps.c: the executor's effects */
void sol_step_begin(void *context, enum executor_step step);
void sol_step_give_up(void *context, enum executor_step step);
int sol_steps_open(struct sol_daemon *daemon, struct diag *diag); /* services, connections */
void sol_drbd_up(struct sol_daemon *daemon);                      /* bring DRBD up, again later if it fails */

/* claim.c */
struct claim *claim_new(struct sol_daemon *daemon);
void claim_prepare(struct claim *claim); /* start probing early, while other steps run */
void claim_start(struct claim *claim);   /* report EXECUTOR_CLAIM_VIP when the address is ours */
void claim_cancel(struct claim *claim);
void claim_foreign(struct claim *claim, const uint8_t mac[VIP_MAC_BYTES]);
/* Another machine claims the address: its hardware address as text, "" while none does. */
const char *claim_conflict(const struct claim *claim);

/* probes.c */
struct probes *probes_new(struct sol_daemon *daemon);
void probes_start(struct probes *probes); /* services are up */
void probes_stop(struct probes *probes);
const char *probes_trouble(const struct probes *probes); /* "" when all answers are good */

/* control.c, status.c */
int control_open(struct sol_daemon *daemon, struct control **ret_control, struct diag *diag);
void sol_status_json(struct sol_daemon *daemon, struct buf *out);

/* files.c; each writes atomically and only what differs */
int sol_files_write(const struct config *config, struct diag *diag);
/* Appends the gateway's settings file (gateway/gateway_settings.h); it may hold passwords. */
void sol_gateway_settings(const struct config *config, struct buf *out);
uint64_t sol_config_generation(const struct config *config);
int sol_vip_address(const struct config *config, struct rtnl_addr *ret_address, struct diag *diag);

/* setup.c */
struct sol_setup {
    bool create_metadata; /* make DRBD's metadata on the backing device */
    bool wipe;            /* foreign data there may be destroyed */
};
int sol_setup_run(const struct config *config, const struct sol_setup *setup, struct diag *diag);

#endif
