/* gateway_settings.h - what roxe-gateway was told to be: one JSON object, written by
 * solution-control for each start, checked as a whole. Every mistake is listed, so that a person
 * corrects the file once.
 *
 * It may hold the password of a PBX's session: keep the file readable by the gateway alone.
 *
 * The tables in gateway_settings.c and pbx_settings.c are the only lists of keys; `roxe-gateway
 * --help` prints it. */
#ifndef OG_GATEWAY_GATEWAY_SETTINGS_H
#define OG_GATEWAY_GATEWAY_SETTINGS_H

#include "gateway/pbx/pbx_settings.h"
#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATEWAY_SETTINGS_FILE "/run/open-gateway/gateway.json"

enum { GATEWAY_LISTEN_MAX = 8, GATEWAY_ORIGINS_MAX = 32, GATEWAY_TEXT_CHARS = 256 };

struct gateway_settings {                                /* all texts NUL-terminated; plain data */
    char listen[GATEWAY_LISTEN_MAX][GATEWAY_TEXT_CHARS]; /* numeric IPv4 or IPv6 addresses */
    unsigned listen_count;
    int64_t https_port, http_port; /* http_port 0: no clear text at all */
    bool http_full_access;         /* else clear text answers the root descriptor only */
    char certificate_file[GATEWAY_TEXT_CHARS], key_file[GATEWAY_TEXT_CHARS];
    char public_url[GATEWAY_TEXT_CHARS], private_url[GATEWAY_TEXT_CHARS]; /* no trailing slash */
    bool ha;
    char product_name[GATEWAY_TEXT_CHARS];
    char product_major[GATEWAY_TEXT_CHARS], product_minor[GATEWAY_TEXT_CHARS];
    char database_host[GATEWAY_TEXT_CHARS]; /* PostgreSQL's socket folder */
    int64_t database_port;                  /* part of the socket's name */
    char database_name[GATEWAY_TEXT_CHARS], database_user[GATEWAY_TEXT_CHARS];
    char administrators_file[GATEWAY_TEXT_CHARS];
    int64_t session_ttl_s;
    int64_t subscriptions_per_session;
    char channels_file[GATEWAY_TEXT_CHARS];
    int64_t channel_heartbeat_s;
    char health_socket[GATEWAY_TEXT_CHARS];
    int64_t drain_ms;
    char user[GATEWAY_TEXT_CHARS]; /* "" or the user to become once the ports are bound */
    char cors_origins[GATEWAY_ORIGINS_MAX][GATEWAY_TEXT_CHARS];
    unsigned cors_origin_count;
    char log_level[GATEWAY_TEXT_CHARS];
    struct pbx_settings pbx[PBX_MAX];
    unsigned pbx_count;
};

/* Reads the file, or its text. problems gets one line of text per mistake. 0, -EINVAL (mistakes),
 * or the errno of reading; *settings is complete on 0 only. */
int gateway_settings_read(const char *path, struct gateway_settings *settings,
                          struct buf *problems);
int gateway_settings_parse(const char *text, size_t len_bytes, struct gateway_settings *settings,
                           struct buf *problems);
/* Appends one line per key: name, meaning, default; a list's keys stand below it. */
void gateway_settings_describe(struct buf *out);

#endif
