/* tickle.h - tells clients of open connections that the machine they talked to is gone.
 *
 * A client that only reads would wait for ever after a crash. Whoever has claimed the VIP sends a bare
 * ACK with a random sequence number from the VIP and port of each old connection. The client's kernel
 * answers such a segment with an ACK of its own (RFC 9293 3.10.7.4, RFC 5961); our kernel, which has no
 * such connection, answers that with a reset that the client accepts.
 *
 * The list of open connections stands in a file on the replicated volume, written by the gateway:
 * one line per connection, `family local lport remote rport`, family "4" or "6", addresses and ports
 * as numbers. */
#ifndef OG_HA_TICKLE_H
#define OG_HA_TICKLE_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"
#include "lib/common/rtnl.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    TICKLE_ROUNDS = 3,
    TICKLE_CONNECTIONS_MAX = 20000,
    TICKLE_FILE_MAX_BYTES = 4 * 1024 * 1024,
};

struct tickle_connection {
    int family; /* AF_INET, AF_INET6 */
    uint8_t local[16], remote[16]; /* network order */
    uint16_t local_port, remote_port; /* host order */
};

/* Reads the file's text. Lines that make no sense are skipped and counted (a crash may leave a torn
 * last line); more than TICKLE_CONNECTIONS_MAX are cut. Caller frees ret_connections. -ENOMEM. */
int tickle_list_read(const char *text, size_t len_bytes, struct tickle_connection **ret_connections,
                     size_t *ret_count, size_t *ret_skipped);
void tickle_list_write(const struct tickle_connection *connections, size_t count, struct buf *out);

/* One bare ACK as a whole TCP segment (20 bytes, checksum included). Pure. */
enum { TICKLE_SEGMENT_BYTES = 20 };
void tickle_segment_build(const struct tickle_connection *connection, uint32_t sequence,
                          uint32_t acknowledgement, uint8_t out[TICKLE_SEGMENT_BYTES]);

struct tickle_options {
    const char *path;                 /* channels file; NULL: use connections */
    const struct tickle_connection *connections; /* copied */
    size_t connection_count;
    const struct rtnl_addr *vips;     /* only connections to these local addresses are touched */
    unsigned vip_count;
};
struct tickle_result {
    int error;        /* 0 or -errno: file unreadable (-ENOENT: no file, no channels), no raw socket */
    size_t connections, skipped, sent, send_errors;
    int last_send_error;
    char text[128];   /* for people */
};
typedef void (*tickle_fn)(void *context, const struct tickle_result *result);
/* Reads the list and sends TICKLE_ROUNDS tickles to each connection at 0, 100 and 300 ms, on the
 * thread pool. done comes once from the loop. The addresses must be on this machine already. */
int tickle_start(uv_loop_t *loop, const struct tickle_options *options, tickle_fn done,
                 void *context, struct diag *diag);

/* Closes the established TCP connections that this machine has on the given local address
 * (SOCK_DESTROY): their clients get a reset at once. Returns how many, or -EOPNOTSUPP where the kernel
 * cannot, or another -errno. Blocks for microseconds per connection. */
int tickle_reset_own(const struct rtnl_addr *local, struct diag *diag);

#endif
