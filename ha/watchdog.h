/* watchdog.h - the one thread that stays alive when everything else hangs.
 *
 * A locked real-time thread wakes every 100 ms and does two things, each only while its deadline
 * (CLOCK_BOOTTIME ms, published by the event loop) has not passed:
 *   - kicks the watchdog device; no kick for timeout_s seconds resets the machine;
 *   - renews the kernel lifetime of the virtual addresses every renew_period_ms.
 * It never asks why. When the loop hangs, dies or decides to let go, the deadlines pass: the
 * addresses lapse in the kernel and the machine resets. Nothing here touches a disk.
 *
 * Order of use: watchdog_lock_memory() once at program start, watchdog_new(), deadlines from the
 * loop as often as it likes, watchdog_free(). All calls come from one thread (the loop's). */
#ifndef OG_HA_WATCHDOG_H
#define OG_HA_WATCHDOG_H

#include "lib/common/diag.h"
#include "lib/common/rtnl.h"

#include <stdbool.h>
#include <stdint.h>

enum { WATCHDOG_TICK_MS = 100, WATCHDOG_ADDRESSES_MAX = 2, WATCHDOG_TEXT_CHARS = 64 };

struct watchdog;

/* Locks present and future memory as it is touched (MCL_ONFAULT). -EPERM/-ENOMEM with the reason;
 * the caller decides whether to go on. */
int watchdog_lock_memory(struct diag *diag);

struct watchdog_options {
    bool no_device;           /* "watchdog off": an explicit setting; the thread renews addresses only */
    const char *device;       /* NULL: choose: a hardware watchdog, else softdog (loaded if need be) */
    unsigned timeout_s;       /* WD */
    unsigned renew_period_ms; /* 250 when the lifetime is 1 s, else 500 */
};

/* Opens and arms the device (time-out set and read back) and starts the thread with both deadlines
 * one timeout_s ahead for the kick and in the past for the addresses. -ENODEV no watchdog, -EBUSY in
 * use by another program, -ERANGE the device does not take timeout_s. On failure nothing is armed. */
int watchdog_new(const struct watchdog_options *options, struct watchdog **ret_watchdog,
                 struct diag *diag);

/* Publishes the deadlines, CLOCK_BOOTTIME ms; 0 means "no more". Wait-free. A NULL watchdog (even the
 * thread could not be started) is fine here, with the status and with the reset. */
void watchdog_allow_kick(struct watchdog *watchdog, uint64_t until_ms);
void watchdog_allow_vip(struct watchdog *watchdog, uint64_t until_ms);

/* Tells which addresses to renew from now on (copied). */
void watchdog_set_addresses(struct watchdog *watchdog, int link_index,
                            const struct rtnl_addr *addresses, unsigned count,
                            uint32_t lifetime_s);
/* Forgets the addresses and the VIP deadline. When it returns no renewal is under way, so that an
 * address removed after it stays removed. */
void watchdog_clear_addresses(struct watchdog *watchdog);

/* Resets the machine at once, without sync and without unmounting: from the real-time thread,
 * reboot(2), then sysrq b, then the device's shortest time-out without kicks. Returns (the thread
 * acts within microseconds); the caller has written its journal before and does nothing after. */
void watchdog_reset_now(struct watchdog *watchdog);

struct watchdog_status {
    char device[WATCHDOG_TEXT_CHARS];   /* "/dev/watchdog1", "" without a device */
    char identity[WATCHDOG_TEXT_CHARS]; /* "Software Watchdog" */
    unsigned timeout_s;                 /* as read back from the device */
    bool software;                      /* softdog: does not survive a hung kernel */
    bool real_time;                     /* SCHED_RR granted */
    char real_time_refusal[WATCHDOG_TEXT_CHARS]; /* "" or why not */
    uint64_t kicks, renewals, renew_errors;
    int last_renew_error;     /* 0 or -errno */
    uint64_t last_renewal_ms; /* CLOCK_BOOTTIME of the last successful renewal */
    uint64_t worst_late_ms;   /* the longest time between two ticks, less the tick */
};
void watchdog_get_status(const struct watchdog *watchdog, struct watchdog_status *ret_status);

/* Ends the thread and closes the device. disarm: with the magic close, so that the machine goes on
 * (only when nothing is held any more); otherwise the device runs on and resets the machine unless
 * a new daemon opens it in time. NULL is fine. */
void watchdog_free(struct watchdog *watchdog, bool disarm);

#endif
