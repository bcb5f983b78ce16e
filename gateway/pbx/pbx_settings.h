/* pbx_settings.h - what the gateway was told about one PBX: an object of the list `pbx` in its
 * settings. Plain data; checked as a whole by gateway_settings_parse(). */
#ifndef OG_GATEWAY_PBX_SETTINGS_H
#define OG_GATEWAY_PBX_SETTINGS_H

#include "gateway/pbx/pbx.h"
#include "gateway/settings_table.h"

enum {
    PBX_MAX = 16, /* PBXs of one gateway */
    PBX_NODE_CHARS = 16,
    PBX_WORD_CHARS = 64,
    PBX_ADDRESS_CHARS = 46, /* INET6_ADDRSTRLEN */
    PBX_PASSWORD_CHARS = 129,
    PBX_PROTOCOLS_MAX = 4,
    PBX_DEVICES_MAX = 256,
};

struct pbx_settings {                /* all texts NUL-terminated; "" is "not given" */
    char node[PBX_NODE_CHARS];       /* node number as a text, "1": unique in the list */
    char driver[PBX_WORD_CHARS];     /* "csta-xml" */
    char address[PBX_ADDRESS_CHARS]; /* numeric IPv4 or IPv6, as is backup_address */
    int64_t port;
    char backup_address[PBX_ADDRESS_CHARS]; /* the redundant call server; "": there is none */
    int64_t backup_port;          /* 0 only without backup_address, else `port` at least */
    char session[PBX_WORD_CHARS]; /* "ecma354", or "none": speak CSTA at once */
    char user[PBX_WORD_CHARS], password[PBX_PASSWORD_CHARS]; /* of the session; never logged */
    char application_id[PBX_WORD_CHARS];
    char protocols[PBX_PROTOCOLS_MAX]
                  [PBX_WORD_CHARS]; /* "ed6" …, the preferred first; at least 1 */
    unsigned protocol_count;
    int64_t session_s;   /* requested life of a session, renewed before it ends */
    int64_t directory_s; /* between two readings of the device list */
    char devices[PBX_DEVICES_MAX][PBX_NUMBER_CHARS]; /* used when the PBX has no device list */
    unsigned device_count;
};

extern const struct settings_list pbx_settings_list; /* the keys of one object */
/* What one object alone does not show, as "pbx[1].node: …" lines: duplicates, contradictions. A
 * backup_port that was left out becomes `port`. */
void pbx_settings_check(struct pbx_settings *list, unsigned count, struct buf *problems);

#endif
