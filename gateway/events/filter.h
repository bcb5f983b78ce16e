/* filter.h - which events a subscription wants: the selectors of its request in compact form.
 *
 * A selector covers packages (the words of events.md) and either everybody or a list of ids (login
 * names; pilot or RSI numbers for those packages). An event passes when one selector covers it. */
#ifndef OG_GATEWAY_FILTER_H
#define OG_GATEWAY_FILTER_H

#include "lib/common/diag.h"
#include "lib/http/repr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, and whether only administrators may subscribe to it */
#define EVENT_PACKAGES(X)                                                                          \
    X(TELEPHONY, "telephony", false)                                                               \
    X(ROUTING_MANAGEMENT, "routingManagement", false)                                              \
    X(EVENT_SUMMARY, "eventSummary", false)                                                        \
    X(UNIFIED_COM_LOG, "unifiedComLog", false)                                                     \
    X(USER, "user", false)                                                                         \
    X(USER_MANAGEMENT, "userManagement", true)                                                     \
    X(AGENT, "agent", false)                                                                       \
    X(PILOT, "pilot", true)                                                                        \
    X(RSI, "rsi", true)                                                                            \
    X(RTI, "rti", true)                                                                            \
    X(ACDSTATS, "acdstats", true)                                                                  \
    X(PBX_MANAGEMENT, "pbxManagement", true)                                                       \
    X(SYSTEM, "system", true)
#define EVENT_PACKAGE_ENUM(id, text, administrator) EVENT_PACKAGE_##id,
enum event_package { EVENT_PACKAGES(EVENT_PACKAGE_ENUM) EVENT_PACKAGE_COUNT };
const char *event_package_name(enum event_package package); /* "?" out of range */

/* The request's form, as it is read from clients and kept in the database. */
struct filter_selector {
    struct repr_array ids, names, families, origins; /* const char * each */
};
struct filter_request {
    struct repr_array selectors; /* struct filter_selector */
};
extern const struct repr filter_request_repr;

struct filter; /* compact form */

/* Builds the compact form. -EINVAL: a name is unknown or nothing is selected, the diag says it
 * ("unknown package: telefony"); -EPERM: an administrator's package in a session of a user (owner
 * NULL means an administrator); -ENOMEM. For a user, ids are replaced by the owner's login. */
int filter_new(const struct filter_request *request, const char *owner, struct filter **ret_filter,
               struct diag *diag);
void filter_free(struct filter *filter); /* NULL is fine */
/* id: the login (or pilot, RSI number) that the event concerns; NULL: none, it passes every list.
 */
bool filter_passes(const struct filter *filter, enum event_package package, const char *id);

/* Sets of packages: a bit 1 << EVENT_PACKAGE_... each. */
struct filter_id {
    char *id;
    uint32_t packages; /* wanted for this id, without those that are wanted for everybody */
};
uint32_t filter_everybody(const struct filter *filter); /* packages wanted for everybody */
uint32_t filter_listed(const struct filter *filter);    /* packages wanted for some id */
/* Sorted, each id once, each with at least one package. */
const struct filter_id *filter_ids(const struct filter *filter, size_t *ret_count);

#endif
