/* corosync_conf.h - the text of corosync.conf for the pair. Pure, except the two file writers at the end.
 *
 * knet on two links, passive, aes256 and sha256, own key file. The token comes from the profile; the
 * pings of knet are pinned so that their own defaults (shares of the token) do not declare a link dead on
 * a busy machine. two_node without wait_for_all: quorum is only read, never an argument. */
#ifndef OG_HA_COROSYNC_CONF_H
#define OG_HA_COROSYNC_CONF_H

#include "lib/common/diag.h"

#include <stdint.h>

enum { COROSYNC_LINKS = 2, COROSYNC_NODES = 2, COROSYNC_KEY_BYTES = 256 };

struct corosync_node {
    uint32_t id; /* 1, 2 */
    const char *name;
    const char *addresses[COROSYNC_LINKS]; /* text, one per link */
};
struct corosync_conf {
    const char *cluster;  /* 1 … 64 letters, digits, '-', '_', '.' */
    uint32_t token_ms;    /* 400 (fast), 1000 (safe) */
    uint32_t version;     /* config_version; corosync ends itself when the nodes' numbers differ */
    uint16_t port;        /* of link 0, link 1 has the next; 0: 5405 */
    const char *key_file; /* NULL: /etc/corosync/authkey */
    const char *log_file; /* NULL: syslog only */
    struct corosync_node nodes[COROSYNC_NODES];
};

/* -EINVAL with the reason for anything that corosync would refuse or that would be unsafe. */
int corosync_conf_check(const struct corosync_conf *conf, struct diag *diag);
/* Checks, then renders. Caller frees ret_text. */
int corosync_conf_render(const struct corosync_conf *conf, char **ret_text, struct diag *diag);

/* Both write atomically (temporary file, fsync, rename, folder fsync) with mode 0644 and 0600. They do
 * nothing and return 0 when the file has that content already; 1 when it was written. Block. */
int corosync_conf_write_file(const char *path, const char *text, struct diag *diag);
int corosync_key_write_file(const char *path, const uint8_t key[COROSYNC_KEY_BYTES],
                            struct diag *diag);

#endif
