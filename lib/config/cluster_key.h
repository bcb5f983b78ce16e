/* cluster_key.h - the pair's shared secret: one file of random bytes, one sub-key per purpose.
 *
 * The installer of the primary creates the file; the administrator carries it to the secondary.
 * Nobody uses the bytes themselves: every user derives its own key with HKDF-SHA256 (RFC 5869), the
 * purpose as `info` and the cluster's name as salt, so that one that leaks does not give the others. */
#ifndef OG_CONFIG_CLUSTER_KEY_H
#define OG_CONFIG_CLUSTER_KEY_H

#include "lib/common/diag.h"

#include <stddef.h>
#include <stdint.h>

enum { CLUSTER_KEY_MIN_BYTES = 32, CLUSTER_KEY_MAX_BYTES = 1024, CLUSTER_KEY_NEW_BYTES = 64 };

/* Purposes in use. */
#define CLUSTER_KEY_FOR_HEARTBEAT "heartbeat"     /* 32 bytes */
#define CLUSTER_KEY_FOR_COROSYNC "corosync"       /* 256 bytes, the authkey */
#define CLUSTER_KEY_FOR_DRBD "drbd"               /* 32 bytes, in hex: the shared-secret */
#define CLUSTER_KEY_FOR_CA "certificate authority" /* 48 bytes, see certificate.h */

/* Reads the file (0600 or stricter, at least 32 bytes) and derives len_bytes (at most 8160) into out.
 * -EPERM when others may read the file, -EINVAL when it is too short, too long or of one byte only. */
int cluster_key_derive(const char *path, const char *cluster, const char *purpose, uint8_t *out,
                       size_t len_bytes, struct diag *diag);

/* Writes a new random key file, 0600, fsynced. -EEXIST when there is one already: it is never replaced. */
int cluster_key_create(const char *path, struct diag *diag);

#endif
