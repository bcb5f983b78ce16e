/* rtnl.h - addresses and links of this machine through rtnetlink (libmnl).
 *
 * Two halves:
 *  - `struct rtnl`: a synchronous socket. Each call sends one request and waits for the kernel's
 *    answer (microseconds; the kernel answers in the caller's context). rtnl_address_set() and
 *    rtnl_address_remove() neither allocate nor log, so that a locked real-time thread can use its
 *    own `struct rtnl`. One socket belongs to one thread at a time.
 *  - `struct rtnl_monitor`: link and address changes as events on a uv loop. When the kernel had to
 *    drop events (ENOBUFS) the monitor says RTNL_RESYNC and repeats the whole present state.
 *
 * Finite lifetimes: the kernel itself removes an address whose lifetime ran out. A renewal is the
 * same call again. Mind that the kernel creates a missing address on renewal as well, for IPv4 and
 * IPv6: stop renewing before removing. */
#ifndef OG_COMMON_RTNL_H
#define OG_COMMON_RTNL_H

#include "lib/common/diag.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { RTNL_ADDR_TEXT_CHARS = 52 }; /* longest IPv6 text, "/128", NUL */

struct rtnl_addr {
    int family; /* AF_INET, AF_INET6; 0: none */
    uint8_t prefix_bits;
    uint8_t bytes[16]; /* network order; IPv4 uses the first four */
};

/* "10.0.0.1/24", "fd00::1/64"; without a prefix 32 or 128. -EINVAL. */
int rtnl_addr_parse(const char *text, struct rtnl_addr *ret_addr, struct diag *diag);
/* Writes "10.0.0.1/24", or without the prefix when with_prefix is false. */
void rtnl_addr_format(const struct rtnl_addr *addr, bool with_prefix,
                      char out[RTNL_ADDR_TEXT_CHARS]);
bool rtnl_addr_same_host(const struct rtnl_addr *a, const struct rtnl_addr *b); /* no prefix */

struct rtnl_link {
    int index;
    char name[IF_NAMESIZE];
    uint8_t mac[6]; /* zeros when the device has none */
    bool up;        /* switched on by the administrator */
    bool carrier;   /* cable plugged in and link established */
    bool loopback;
};

struct rtnl_address {
    struct rtnl_addr addr;
    int link_index;
    uint32_t valid_s; /* remaining lifetime; UINT32_MAX: for ever */
    uint32_t flags;   /* IFA_F_… */
};

struct rtnl;

int rtnl_new(struct rtnl **ret_rtnl, struct diag *diag);
void rtnl_free(struct rtnl *rtnl); /* NULL is fine */

typedef void (*rtnl_link_fn)(void *context, const struct rtnl_link *link);
typedef void (*rtnl_address_fn)(void *context, const struct rtnl_address *address);
/* The callbacks must not use the same struct rtnl: the dump is still running. */
int rtnl_link_list(struct rtnl *rtnl, rtnl_link_fn fn, void *context, struct diag *diag);
int rtnl_address_list(struct rtnl *rtnl, rtnl_address_fn fn, void *context, struct diag *diag);
/* -ENODEV when there is no such device. */
int rtnl_link_find(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link,
                   struct diag *diag);
/* The device that carries this address now; -EADDRNOTAVAIL when none does. */
int rtnl_link_by_address(struct rtnl *rtnl, const struct rtnl_addr *addr,
                         struct rtnl_link *ret_link, struct diag *diag);

/* Adds the address or renews its lifetime. lifetime_s 0: for ever. IPv6 addresses are added without
 * the kernel's duplicate address detection (the caller probes himself). The diag may be NULL.
 * Real-time safe. */
int rtnl_address_set(struct rtnl *rtnl, int link_index, const struct rtnl_addr *addr,
                     uint32_t lifetime_s, struct diag *diag);
/* 0 also when the address was not there. Real-time safe. */
int rtnl_address_remove(struct rtnl *rtnl, int link_index, const struct rtnl_addr *addr,
                        struct diag *diag);
/* Removes the host address wherever it is, whatever its prefix. ret_removed may be NULL. */
int rtnl_address_remove_everywhere(struct rtnl *rtnl, const struct rtnl_addr *addr,
                                   unsigned *ret_removed, struct diag *diag);

enum rtnl_event_kind {
    RTNL_RESYNC, /* forget what you know: the whole present state follows as events */
    RTNL_LINK_CHANGED,
    RTNL_LINK_REMOVED,
    RTNL_ADDRESS_ADDED, /* also for a renewed lifetime */
    RTNL_ADDRESS_REMOVED,
};
struct rtnl_event {
    enum rtnl_event_kind kind;
    struct rtnl_link link;       /* RTNL_LINK_* */
    struct rtnl_address address; /* RTNL_ADDRESS_* */
};
struct rtnl_monitor;
typedef void (*rtnl_event_fn)(void *context, const struct rtnl_event *event);

/* Starts with RTNL_RESYNC and the present state, delivered from the next loop turn on. */
int rtnl_monitor_new(uv_loop_t *loop, rtnl_event_fn fn, void *context,
                     struct rtnl_monitor **ret_monitor, struct diag *diag);
void rtnl_monitor_free(struct rtnl_monitor *monitor); /* fn is not called any more; NULL is fine */

#endif
