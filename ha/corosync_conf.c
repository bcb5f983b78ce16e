#include "ha/corosync_conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/common/buf.h"
#include "lib/common/small_file.h"

enum {
    CLUSTER_CHARS_MAX = 64,
    NAME_CHARS_MAX = 64,
    DEFAULT_PORT = 5405,
    TOKEN_MIN_MS = 200,
    TOKEN_MAX_MS = 10000,
    /* Measured on two busy virtual machines with a token of 220 ms: knet's own shares of the token
     * gave false alarms, these did not. */
    PING_INTERVAL_MS = 200,
    PING_TIMEOUT_MS = 1000,
    PONG_COUNT = 1,
    PATH_CHARS = 512,
};

static const char default_key_file[] = "/etc/corosync/authkey";

/* --- checking ------------------------------------------------------------------------------ */

/* Nothing that could end a line or open a block of the file. */
static bool is_word(const char *text, size_t max_chars)
{
    if (text == NULL || text[0] == '\0' || strlen(text) > max_chars)
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
           strlen(text);
}

static bool is_path(const char *text)
{
    if (text == NULL)
        return true;
    if (text[0] != '/' || strlen(text) >= PATH_CHARS)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '{' || *at == '}' || *at == '#')
            return false;
    return true;
}

static int address_family(const char *text)
{
    struct in6_addr bytes;
    if (text == NULL)
        return 0;
    if (inet_pton(AF_INET, text, &bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, text, &bytes) == 1 ? AF_INET6 : 0;
}

static int check_link(const struct corosync_conf *conf, int link, struct diag *diag)
{
    const char *one = conf->nodes[0].addresses[link], *two = conf->nodes[1].addresses[link];
    const char *texts[] = {one, two};
    for (int i = 0; i < 2; i++)
        if (address_family(texts[i]) == 0)
            return diag_fail(diag, -EINVAL, "corosync link %d: node %d has no IP address (\"%s\")",
                             link, i + 1, texts[i] != NULL ? texts[i] : "");
    if (address_family(one) != address_family(two))
        return diag_fail(diag, -EINVAL, "corosync link %d: %s and %s are not of one family", link,
                         one, two);
    for (int i = 0; i < COROSYNC_NODES; i++)
        for (int other = 0; other < COROSYNC_NODES; other++)
            for (int second = 0; second < COROSYNC_LINKS; second++)
                if ((i != other || link != second) &&
                    conf->nodes[other].addresses[second] != NULL &&
                    strcmp(conf->nodes[i].addresses[link], conf->nodes[other].addresses[second]) ==
                        0)
                    return diag_fail(diag, -EINVAL, "corosync: the address %s appears twice",
                                     conf->nodes[i].addresses[link]);
    return 0;
}

static int check_nodes(const struct corosync_conf *conf, struct diag *diag)
{
    for (int i = 0; i < COROSYNC_NODES; i++) {
        if (!is_word(conf->nodes[i].name, NAME_CHARS_MAX))
            return diag_fail(diag, -EINVAL, "corosync: node %d has no usable name", i + 1);
        if (conf->nodes[i].id == 0)
            return diag_fail(diag, -EINVAL, "corosync: node number 0 is not possible");
    }
    if (conf->nodes[0].id == conf->nodes[1].id)
        return diag_fail(diag, -EINVAL, "corosync: both nodes have the number %u",
                         (unsigned)conf->nodes[0].id);
    if (strcmp(conf->nodes[0].name, conf->nodes[1].name) == 0)
        return diag_fail(diag, -EINVAL, "corosync: both nodes have the name %s",
                         conf->nodes[0].name);
    int code = 0;
    for (int link = 0; link < COROSYNC_LINKS && code == 0; link++)
        code = check_link(conf, link, diag);
    return code;
}

int corosync_conf_check(const struct corosync_conf *conf, struct diag *diag)
{
    if (!is_word(conf->cluster, CLUSTER_CHARS_MAX))
        return diag_fail(
            diag, -EINVAL,
            "corosync: the cluster's name must be 1 to %d letters, digits, '-', '_', '.'",
            CLUSTER_CHARS_MAX);
    if (conf->token_ms < TOKEN_MIN_MS || conf->token_ms > TOKEN_MAX_MS)
        return diag_fail(diag, -EINVAL, "corosync: a token of %u ms is not between %d and %d",
                         (unsigned)conf->token_ms, TOKEN_MIN_MS, TOKEN_MAX_MS);
    if (conf->port == UINT16_MAX)
        return diag_fail(diag, -EINVAL, "corosync: the second link needs the port after %u",
                         conf->port);
    if (!is_path(conf->key_file) || !is_path(conf->log_file))
        return diag_fail(diag, -EINVAL, "corosync: key and log file need plain absolute paths");
    return check_nodes(conf, diag);
}

/* --- rendering ----------------------------------------------------------------------------- */

static void render_totem(const struct corosync_conf *conf, struct buf *out)
{
    buf_addf(out,
             "totem {\n"
             "    version: 2\n"
             "    cluster_name: %s\n"
             "    config_version: %u\n"
             "    transport: knet\n"
             "    link_mode: passive\n"
             "    crypto_cipher: aes256\n"
             "    crypto_hash: sha256\n"
             "    keyfile: %s\n"
             "    token: %u\n"
             "    consensus: %u\n",
             conf->cluster, (unsigned)conf->version,
             conf->key_file != NULL ? conf->key_file : default_key_file, (unsigned)conf->token_ms,
             (unsigned)(conf->token_ms * 12 / 10));
    const unsigned port = conf->port != 0 ? conf->port : DEFAULT_PORT;
    for (unsigned link = 0; link < COROSYNC_LINKS; link++)
        buf_addf(out,
                 "    interface {\n"
                 "        linknumber: %u\n"
                 "        mcastport: %u\n"
                 "        knet_ping_interval: %d\n"
                 "        knet_ping_timeout: %d\n"
                 "        knet_pong_count: %d\n"
                 "    }\n",
                 link, port + link, PING_INTERVAL_MS, PING_TIMEOUT_MS, PONG_COUNT);
    buf_adds(out, "}\n\n");
}

static void render_rest(const struct corosync_conf *conf, struct buf *out)
{
    buf_adds(out, "nodelist {\n");
    for (int i = 0; i < COROSYNC_NODES; i++)
        buf_addf(out,
                 "    node {\n"
                 "        nodeid: %u\n"
                 "        name: %s\n"
                 "        ring0_addr: %s\n"
                 "        ring1_addr: %s\n"
                 "    }\n",
                 (unsigned)conf->nodes[i].id, conf->nodes[i].name, conf->nodes[i].addresses[0],
                 conf->nodes[i].addresses[1]);
    buf_adds(out, "}\n\n"
                  "quorum {\n"
                  "    provider: corosync_votequorum\n"
                  "    two_node: 1\n"
                  "    wait_for_all: 0\n"
                  "}\n\n"
                  "logging {\n"
                  "    to_stderr: no\n"
                  "    to_syslog: yes\n");
    if (conf->log_file != NULL)
        buf_addf(out, "    to_logfile: yes\n    logfile: %s\n", conf->log_file);
    buf_adds(out, "    timestamp: on\n}\n");
}

int corosync_conf_render(const struct corosync_conf *conf, char **ret_text, struct diag *diag)
{
    int code = corosync_conf_check(conf, diag);
    if (code < 0)
        return code;
    struct buf out = {0};
    buf_adds(&out, "# Written by Open Gateway; changes made here are lost.\n\n");
    render_totem(conf, &out);
    render_rest(conf, &out);
    char *text = buf_take(&out);
    if (text == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for corosync.conf");
    *ret_text = text;
    return 0;
}

/* --- files --------------------------------------------------------------------------------- */

static int write_file(const char *path, const void *bytes, size_t len_bytes, mode_t mode,
                      struct diag *diag)
{
    const struct small_file_mode how = {.mode = mode};
    if (path[0] != '/')
        return diag_fail(diag, -EINVAL, "\"%s\" is no absolute path", path);
    return small_file_update(path, bytes, len_bytes, &how, diag);
}

int corosync_conf_write_file(const char *path, const char *text, struct diag *diag)
{
    return write_file(path, text, strlen(text), 0644, diag);
}

int corosync_key_write_file(const char *path, const uint8_t key[COROSYNC_KEY_BYTES],
                            struct diag *diag)
{
    return write_file(path, key, COROSYNC_KEY_BYTES, 0600, diag);
}
