/* drbdctl_resource.h - the DRBD resource file as text. Pure: no files, no processes.
 *
 * The settings that carry the safety of the pair are constants of this module, not parameters:
 * protocol C, fencing resource-and-stonith, every after-split-brain policy `disconnect`, never two
 * Primaries, peer authentication. Nothing of an administrator's text reaches the file unchecked:
 * names, addresses and paths must consist of the few bytes they need, everything else is refused
 * with the place in the diag. */
#ifndef OG_DRBD_DRBDCTL_RESOURCE_H
#define OG_DRBD_DRBDCTL_RESOURCE_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <stdint.h>

enum {
    DRBDCTL_SECRET_MIN = 16, /* characters; the kernel takes 63 at most */
    DRBDCTL_SECRET_MAX = 63,
    DRBDCTL_MINOR_MAX = 255,
};

/* When a silent peer counts as lost. The tools accept any order of these values, the kernel then
 * misbehaves (a write times out before the ping that would have explained it): we check it. */
struct drbdctl_timings {
    uint32_t ping_int_s;      /* silence before a ping is sent */
    uint32_t ping_timeout_ds; /* tenths of a second for its answer */
    uint32_t timeout_ds;      /* tenths of a second for the answer to a request */
    uint32_t connect_int_s;   /* between two tries to connect */
    uint32_t ko_count;        /* a write may take ko_count x timeout */
};
/* "fast" or "safe"; NULL for any other name. */
const struct drbdctl_timings *drbdctl_timings_named(const char *profile);
/* 0, or -EINVAL with the contradiction in the diag: ranges of the kernel, ping_timeout < timeout
 * < 10 x ping_int and < 10 x connect_int. */
int drbdctl_timings_check(const struct drbdctl_timings *timings, struct diag *diag);
/* After this silence at most the active (sending) and the standby (receiving) side report the
 * loss: ping_int + ping_timeout, and 2 x ping_int + ping_timeout. Milliseconds. */
uint32_t drbdctl_timings_loss_active_ms(const struct drbdctl_timings *timings);
uint32_t drbdctl_timings_loss_standby_ms(const struct drbdctl_timings *timings);

struct drbdctl_host {
    const char *name;    /* as `uname -n` prints it on that machine: drbdadm finds itself by it */
    const char *address; /* IPv4 or IPv6 literal on the interconnect */
    const char *disk;    /* backing block device, absolute path below /dev/ */
};

struct drbdctl_resource {
    const char *name;            /* DRBDCTL_RESOURCE */
    struct drbdctl_host host[2]; /* two different names, addresses of one family */
    uint16_t port;               /* TCP, both sides */
    uint32_t minor;              /* /dev/drbd<minor> */
    const char *shared_secret;   /* DRBDCTL_SECRET_MIN..MAX letters, digits, '-', '_' */
    const char *fence_helper;    /* absolute path without shell characters */
    struct drbdctl_timings timings;
    /* Resync rates in KiB/s; 0 takes the default. min: what a resync may use although the
     * application writes (the kernel's own 250 KiB/s starves it). */
    uint32_t resync_min_kib_per_s, resync_max_kib_per_s;
};

/* 0, or -EINVAL with the first thing that is wrong. */
int drbdctl_resource_check(const struct drbdctl_resource *resource, struct diag *diag);
/* Appends the whole file /etc/drbd.d/<name>.res to `text`; checks first and appends nothing on an
 * error (-EINVAL, -ENOMEM). The text holds the shared secret: the caller writes it with mode 0600
 * and wipes its copy. */
int drbdctl_resource_text(const struct drbdctl_resource *resource, struct buf *text,
                          struct diag *diag);
/* Appends /etc/drbd.d/global_common.conf: no usage statistics are sent, no default sections. */
void drbdctl_global_text(struct buf *text);

#endif
