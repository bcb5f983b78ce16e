/* vip.h - the virtual address: probe, claim, announce, watch, drop.
 *
 * Carries out; decides nothing. An address is carried with a finite kernel lifetime and renewed by
 * the watchdog's thread while watchdog_allow_vip() permits it; without renewal it vanishes
 * lifetime_s (+ at most 0.5 s) later, whatever happens to this process.
 *
 * Announcements after a claim: 5 at once, 5 more after 5 s, one every 60 s, and at once (at most
 * 10 a second) when another machine claims the address. Both ARP forms are sent each time.
 *
 * The listener is always on, whether we hold the address or not: `on_foreign` tells of every packet
 * that claims it from a hardware address that is not ours (at most one call per address and 100 ms).
 * On the standby that is normally the peer announcing. The callbacks may claim, drop and probe, but
 * not free the vip. */
#ifndef OG_HA_VIP_H
#define OG_HA_VIP_H

#include "ha/vip_packets.h"
#include "ha/watchdog.h"
#include "lib/common/diag.h"
#include "lib/common/rtnl.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { VIP_PROBES = 3, VIP_PROBE_INTERVAL_MS = 150, VIP_ADDRESSES_MAX = 2 };

struct vip;

struct vip_options {
    const char *device;            /* name of the client LAN's interface; copied */
    struct rtnl_addr addresses[VIP_ADDRESSES_MAX]; /* IPv4 and/or IPv6, with prefix */
    unsigned address_count;
    uint32_t lifetime_s;           /* V */
    struct watchdog *watchdog;     /* borrowed, outlives the vip; NULL: nobody renews (tests) */
    /* another machine uses (or probes for) the address; family says which one */
    void (*on_foreign)(void *context, int family, enum vip_claim claim,
                       const uint8_t mac[VIP_MAC_BYTES]);
    /* a held address is gone from the interface and we did not drop it (lapsed, removed by hand,
     * interface gone); may be NULL */
    void (*on_lost)(void *context, int family);
    /* the device's carrier changed; also called once after vip_new() with the first state; may be
     * NULL */
    void (*on_carrier)(void *context, bool carrier);
    void *context;
};

/* Does not need the device to be there yet: the sockets follow it when it comes, goes or is
 * replaced. -EINVAL for impossible options, -EPERM without the right to open raw sockets. */
int vip_new(uv_loop_t *loop, const struct vip_options *options, struct vip **ret_vip,
            struct diag *diag);
/* Does not drop the addresses (see vip_drop). Memory goes in the last close callback. NULL is fine. */
void vip_free(struct vip *vip);

/* Removes the addresses from every interface, whoever put them there. For start-up. */
int vip_clean_up(struct vip *vip, struct diag *diag);

struct vip_probe_result {
    int error;      /* 0; -ENODEV, -ENETDOWN, … : could not ask, so nothing is known; -ECANCELED */
    bool taken;     /* somebody answered */
    int family;     /* which address, when taken */
    uint8_t mac[VIP_MAC_BYTES]; /* who, when taken */
};
typedef void (*vip_probe_fn)(void *context, const struct vip_probe_result *result);
/* Asks for all addresses together: 3 probes 150 ms apart and 150 ms to answer the last (450 ms in
 * all); `done` comes once, earlier when somebody answers. -EBUSY while a probe runs. A second
 * machine that probes at the same time counts as taken. */
int vip_probe(struct vip *vip, vip_probe_fn done, void *context, struct diag *diag);
void vip_probe_cancel(struct vip *vip); /* done comes with -ECANCELED before this returns */

/* Adds all addresses with their lifetime, hands them to the watchdog for renewal and announces. All
 * or nothing. The caller has called watchdog_allow_vip() before. */
int vip_claim(struct vip *vip, struct diag *diag);
/* Stops renewal, removes all addresses (absent ones are fine), resets the TCP connections that
 * clients had to them where the kernel can. Works whether they are held or not. */
int vip_drop(struct vip *vip, struct diag *diag);
bool vip_is_held(const struct vip *vip);
void vip_announce(struct vip *vip); /* a burst of 5 now, when held */

/* Our hardware address on the device (for the state message to the peer); false while unknown. */
bool vip_get_mac(const struct vip *vip, uint8_t ret_mac[VIP_MAC_BYTES]);
bool vip_has_carrier(const struct vip *vip);

#endif
