/* drbdctl_generation.h - the generation identifiers of a copy, and what two of them say about each
 * other. Pure.
 *
 * One node's identifiers alone never tell a stale copy from a good one: after a power cut both
 * look the same, bit for bit. Only the comparison of both nodes' identifiers does. */
#ifndef OG_DRBD_DRBDCTL_GENERATION_H
#define OG_DRBD_DRBDCTL_GENERATION_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drbdctl_generation {
    uint64_t current, bitmap, history[2];
    bool consistent;   /* flags of the metadata, in the order in which the tool prints them */
    bool was_uptodate; /* false: this copy is Outdated */
    bool primary;
    bool connected;
    bool full_sync;
    bool peer_outdated; /* this node was once given the right to go on alone */
    bool crashed_primary;
};

/* Reads what `drbdadm get-gi` or `show-gi` prints: the first line of the form
 * hex:hex:hex:hex:1:1:1:1:0:0:0 (white space around it allowed). -EINVAL, ret untouched. */
int drbdctl_generation_parse(const char *text, size_t len_bytes,
                             struct drbdctl_generation *ret_generation, struct diag *diag);

#define DRBDCTL_RELATIONS(X)                                                                       \
    X(SAME, "same generation")                                                                     \
    X(AHEAD, "ahead of the peer")                                                                  \
    X(BEHIND, "behind the peer")                                                                   \
    X(SPLIT_BRAIN, "split brain")                                                                  \
    X(EMPTY, "both copies are new")                                                                \
    X(UNRELATED, "unrelated data")
#define DRBDCTL_RELATION_ENUM(id, text) DRBDCTL_RELATION_##id,
enum drbdctl_relation { DRBDCTL_RELATIONS(DRBDCTL_RELATION_ENUM) DRBDCTL_RELATION_COUNT };

/* mine against peers. The lowest bit of an identifier is the Primary flag and is not compared.
 * SAME with crashed_primary on one side still needs a resync from that side. */
enum drbdctl_relation drbdctl_generation_compare(const struct drbdctl_generation *mine,
                                                 const struct drbdctl_generation *peers);
const char *drbdctl_relation_name(enum drbdctl_relation relation);

/* "59B99CF0562A1AD6:…:1:1:1:1:0:0:0" as the tool prints it; ret_text needs 96 bytes. */
enum { DRBDCTL_GENERATION_TEXT = 96 };
const char *drbdctl_generation_text(const struct drbdctl_generation *generation, char *ret_text);

#endif
