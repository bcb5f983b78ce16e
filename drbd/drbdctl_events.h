/* drbdctl_events.h - reads `drbdsetup events2 --timestamps --statistics RESOURCE`. Pure: bytes and
 * the present time go in, one plain struct comes out; no clock, no I/O, no allocation.
 *
 * Promises, whatever bytes come: it never crashes; a value it cannot read becomes UNKNOWN, never a
 * guess; a line it cannot read changes nothing and is counted; lines of other resources, and words
 * and objects it does not know, change nothing. `valid` is true only after the initial dump
 * (closed by the line `exists -`) has been read to its end. */
#ifndef OG_DRBD_DRBDCTL_EVENTS_H
#define OG_DRBD_DRBDCTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRBDCTL_ROLES(X)            X(UNKNOWN, "Unknown") X(SECONDARY, "Secondary") X(PRIMARY, "Primary")
#define DRBDCTL_ROLE_ENUM(id, text) DRBDCTL_ROLE_##id,
enum drbdctl_role { DRBDCTL_ROLES(DRBDCTL_ROLE_ENUM) DRBDCTL_ROLE_COUNT };

#define DRBDCTL_DISKS(X)                                                                           \
    X(UNKNOWN, "DUnknown")                                                                         \
    X(DISKLESS, "Diskless")                                                                        \
    X(ATTACHING, "Attaching")                                                                      \
    X(DETACHING, "Detaching")                                                                      \
    X(FAILED, "Failed")                                                                            \
    X(NEGOTIATING, "Negotiating")                                                                  \
    X(INCONSISTENT, "Inconsistent")                                                                \
    X(OUTDATED, "Outdated")                                                                        \
    X(CONSISTENT, "Consistent")                                                                    \
    X(UPTODATE, "UpToDate")
#define DRBDCTL_DISK_ENUM(id, text) DRBDCTL_DISK_##id,
enum drbdctl_disk { DRBDCTL_DISKS(DRBDCTL_DISK_ENUM) DRBDCTL_DISK_COUNT };

/* STANDALONE also when the kernel has no connection object at all (after `destroy connection`).
 * CONNECTED is the only state in which data flow. */
#define DRBDCTL_CONNECTIONS(X)                                                                     \
    X(UNKNOWN, "Unknown")                                                                          \
    X(STANDALONE, "StandAlone")                                                                    \
    X(DISCONNECTING, "Disconnecting")                                                              \
    X(UNCONNECTED, "Unconnected")                                                                  \
    X(TIMEOUT, "Timeout")                                                                          \
    X(BROKEN_PIPE, "BrokenPipe")                                                                   \
    X(NETWORK_FAILURE, "NetworkFailure")                                                           \
    X(PROTOCOL_ERROR, "ProtocolError")                                                             \
    X(TEARDOWN, "TearDown")                                                                        \
    X(CONNECTING, "Connecting")                                                                    \
    X(CONNECTED, "Connected")
#define DRBDCTL_CONNECTION_ENUM(id, text) DRBDCTL_CONNECTION_##id,
enum drbdctl_connection { DRBDCTL_CONNECTIONS(DRBDCTL_CONNECTION_ENUM) DRBDCTL_CONNECTION_COUNT };

#define DRBDCTL_REPLICATIONS(X)                                                                    \
    X(UNKNOWN, "Unknown")                                                                          \
    X(OFF, "Off")                                                                                  \
    X(ESTABLISHED, "Established")                                                                  \
    X(STARTING_SYNC_SOURCE, "StartingSyncS")                                                       \
    X(STARTING_SYNC_TARGET, "StartingSyncT")                                                       \
    X(BITMAP_SOURCE, "WFBitMapS")                                                                  \
    X(BITMAP_TARGET, "WFBitMapT")                                                                  \
    X(SYNC_UUID, "WFSyncUUID")                                                                     \
    X(SYNC_SOURCE, "SyncSource")                                                                   \
    X(SYNC_TARGET, "SyncTarget")                                                                   \
    X(VERIFY_SOURCE, "VerifyS")                                                                    \
    X(VERIFY_TARGET, "VerifyT")                                                                    \
    X(PAUSED_SYNC_SOURCE, "PausedSyncS")                                                           \
    X(PAUSED_SYNC_TARGET, "PausedSyncT")                                                           \
    X(AHEAD, "Ahead")                                                                              \
    X(BEHIND, "Behind")
#define DRBDCTL_REPLICATION_ENUM(id, text) DRBDCTL_REPLICATION_##id,
enum drbdctl_replication {
    DRBDCTL_REPLICATIONS(DRBDCTL_REPLICATION_ENUM) DRBDCTL_REPLICATION_COUNT
};

/* Why writes stand still, as bits: the kernel can have several reasons at once. */
#define DRBDCTL_SUSPENSIONS(X)                                                                     \
    X(USER, 1u << 0, "user")                                                                       \
    X(NO_DATA, 1u << 1, "no-data")                                                                 \
    X(FENCING, 1u << 2, "fencing")                                                                 \
    X(QUORUM, 1u << 3, "quorum")                                                                   \
    X(UNKNOWN, 1u << 4, "unknown") /* the kernel named a reason we do not know */
#define DRBDCTL_SUSPENSION_ENUM(id, bit, text) DRBDCTL_SUSPENDED_##id = (bit),
enum drbdctl_suspended { DRBDCTL_SUSPENDED_NONE = 0, DRBDCTL_SUSPENSIONS(DRBDCTL_SUSPENSION_ENUM) };

/* How the last established connection ended. ORDERLY: the peer said good-bye (it then is Outdated
 * durably if it was the Secondary of a Primary). LOCAL: we disconnected. FAILURE: cut, silence,
 * power loss. UNKNOWN: it ended while nobody was reading. */
#define DRBDCTL_ENDS(X)                                                                            \
    X(NONE, "none")                                                                                \
    X(FAILURE, "failure") X(ORDERLY, "orderly") X(LOCAL, "local") X(UNKNOWN, "unknown")
#define DRBDCTL_END_ENUM(id, text) DRBDCTL_END_##id,
enum drbdctl_end { DRBDCTL_ENDS(DRBDCTL_END_ENUM) DRBDCTL_END_COUNT };

enum { DRBDCTL_WORD_MAX = 64, DRBDCTL_LINE_MAX = 4096 };

/* One helper program that the kernel called. */
struct drbdctl_helper {
    char name[DRBDCTL_WORD_MAX]; /* "fence-peer"; empty: none called yet */
    uint32_t calls;              /* since drbdctl_events_init */
    bool running;                /* called and not answered */
    int exit_code; /* of the last answer, 0..255; -1: none yet, or ended by a signal */
    uint64_t called_at_ms, answered_at_ms;
};

/* Progress of a resync (or online verify). Counted from where this stream saw it begin. */
struct drbdctl_progress {
    bool running;
    uint64_t begin_kib;         /* out of sync when it began */
    uint64_t left_kib;          /* out of sync now */
    uint32_t done_permille;     /* 0..1000 */
    uint32_t rate_kib_per_s;    /* over the last seconds; 0: not known yet */
    uint64_t left_s;            /* at that rate; UINT64_MAX: not known */
    uint64_t mark_ms, mark_kib; /* where the rate is measured from (internal) */
};

struct drbdctl_state {
    bool valid; /* the initial dump is complete and the stream is being read; while false, nothing
                 * else here is to be relied on */
    bool up;    /* the kernel knows the resource */
    enum drbdctl_role role, peer_role;
    enum drbdctl_disk disk, peer_disk; /* peer_disk may be OUTDATED or INCONSISTENT while
                                        * disconnected: the kernel knows it so, and would let
                                        * us be promoted without asking */
    enum drbdctl_connection connection;
    enum drbdctl_replication replication;
    uint32_t suspended; /* enum drbdctl_suspended, as bits */
    bool blocked;       /* device statistics: requests are held back */
    bool resync_suspended;
    uint64_t size_kib;        /* of the device; 0: unknown */
    uint64_t out_of_sync_kib; /* as last reported */
    struct drbdctl_progress progress;
    uint32_t connects, losses; /* how often CONNECTED was reached and left, since init */
    uint64_t lost_at_ms;       /* when CONNECTED was last left; 0: never */
    enum drbdctl_end lost_by;
    struct drbdctl_helper helper; /* the last one of any name */
    struct drbdctl_helper fence;  /* the last fence-peer */
    uint32_t split_brains;        /* calls of the split-brain helper since init */
    uint64_t lines, unreadable;   /* read since init; of these not understood at all */
    uint64_t unknown_words;       /* states in readable lines that we have no name for */
};

/* Caller's storage. The state is read in place; everything else is internal. */
struct drbdctl_events {
    struct drbdctl_state state;
    char resource[DRBDCTL_WORD_MAX];
    char line[DRBDCTL_LINE_MAX];
    size_t line_bytes;
    bool line_too_long; /* drop until the next line end */
    bool was_connected; /* before a restart of the stream */
    bool have_connection;
};

/* resource: at most DRBDCTL_WORD_MAX - 1 bytes, longer names are cut and match nothing. */
void drbdctl_events_init(struct drbdctl_events *events, const char *resource);
/* A new stream begins (the old one ended): the state is not valid until its dump is complete;
 * counters, helpers and the last loss stay. A connection that is gone in the new dump counts as
 * lost now. An unfinished line is dropped. */
void drbdctl_events_restart(struct drbdctl_events *events);
/* Feeds any piece of the stream. now_ms: CLOCK_BOOTTIME. True: something in the state changed. */
bool drbdctl_events_feed(struct drbdctl_events *events, const char *bytes, size_t len_bytes,
                         uint64_t now_ms);
/* A newer out-of-sync figure from elsewhere (8.4 sends none during a resync). Ignored when no
 * resync is running. True: something changed. */
bool drbdctl_events_measure(struct drbdctl_events *events, uint64_t out_of_sync_kib,
                            uint64_t now_ms);

/* Data on both sides, connected, equal: the pair is whole. */
bool drbdctl_state_is_whole(const struct drbdctl_state *state);
/* A resync or verify is going on or paused. */
bool drbdctl_state_is_syncing(const struct drbdctl_state *state);

const char *drbdctl_role_name(enum drbdctl_role role); /* "?" out of range, like the others */
const char *drbdctl_disk_name(enum drbdctl_disk disk);
const char *drbdctl_connection_name(enum drbdctl_connection connection);
const char *drbdctl_replication_name(enum drbdctl_replication replication);
const char *drbdctl_end_name(enum drbdctl_end end);
/* "no", or the reasons joined by ','. ret_text needs DRBDCTL_WORD_MAX bytes; returns it. */
const char *drbdctl_suspended_text(uint32_t suspended, char *ret_text);

#endif
