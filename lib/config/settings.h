/* settings.h - the one table of all settings.
 *
 * A row says everything that the rest needs to know about a setting; adding one is one id, one row and one
 * member of struct config. Rows of a section stand together, in the order in which people are asked
 * and the file is written. In the file a setting is <section><name>value</name></section>. A row's
 * offset is that of the first of repeated sections. */
#ifndef OG_CONFIG_SETTINGS_H
#define OG_CONFIG_SETTINGS_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"
#include "lib/config/config.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_SECTIONS(X)                                                                        \
    X(HOST, "host") X(PEER, "peer") X(VIP, "virtual-address") X(INTERCONNECT, "interconnect")     \
    X(PAIR, "pair") X(DRBD, "drbd") X(WITNESS, "witness") X(ADMINISTRATOR, "administrator")       \
    X(GATEWAY, "gateway") X(PBX, "pbx")
#define CONFIG_SECTION_ENUM(id, text) CONFIG_SECTION_##id,
enum config_section { CONFIG_SECTIONS(CONFIG_SECTION_ENUM) CONFIG_SECTION_COUNT };

enum config_setting_id {
    CONFIG_HOST_FQDN, CONFIG_HOST_NAME, CONFIG_HOST_INTERFACE, CONFIG_HOST_ADDRESS,
    CONFIG_HOST_NETMASK, CONFIG_HOST_GATEWAY, CONFIG_HOST_DNS, CONFIG_HOST_NTP,
    CONFIG_HOST_TIME_ZONE,
    CONFIG_PEER_FQDN, CONFIG_PEER_NAME, CONFIG_PEER_ADDRESS,
    CONFIG_VIP_FQDN, CONFIG_VIP_ADDRESS, CONFIG_VIP_NETMASK, CONFIG_VIP_INTERFACE,
    CONFIG_INTERCONNECT_INTERFACE, CONFIG_INTERCONNECT_ADDRESS, CONFIG_INTERCONNECT_NETMASK,
    CONFIG_INTERCONNECT_PEER_ADDRESS,
    CONFIG_PAIR_ROLE, CONFIG_PAIR_CLUSTER, CONFIG_PAIR_PROFILE, CONFIG_PAIR_KEY_FILE,
    CONFIG_PAIR_WATCHDOG, CONFIG_PAIR_PROBE_INTERVAL,
    CONFIG_DRBD_DEVICE, CONFIG_DRBD_WIPE,
    CONFIG_WITNESS_ADDRESS, CONFIG_WITNESS_NAME, CONFIG_WITNESS_PORT, CONFIG_WITNESS_DATABASE,
    CONFIG_WITNESS_USER, CONFIG_WITNESS_PASSWORD, CONFIG_WITNESS_CA_FILE,
    CONFIG_ADMINISTRATOR_LOGIN, CONFIG_ADMINISTRATOR_PASSWORD, CONFIG_ADMINISTRATOR_HASH,
    CONFIG_GATEWAY_HTTPS_PORT, CONFIG_GATEWAY_HTTP_PORT, CONFIG_GATEWAY_CERTIFICATE,
    CONFIG_GATEWAY_KEY,
    CONFIG_PBX_NODE, CONFIG_PBX_ADDRESS, CONFIG_PBX_PORT, CONFIG_PBX_BACKUP_ADDRESS,
    CONFIG_PBX_BACKUP_PORT, CONFIG_PBX_SESSION, CONFIG_PBX_USER, CONFIG_PBX_PASSWORD,
    CONFIG_PBX_APPLICATION_ID, CONFIG_PBX_PROTOCOL, CONFIG_PBX_SESSION_TIME,
    CONFIG_PBX_DIRECTORY_INTERVAL, CONFIG_PBX_DEVICE,
    CONFIG_SETTING_COUNT
};

enum config_type {
    CONFIG_TYPE_NAME,      /* a domain name */
    CONFIG_TYPE_WORD,      /* letters, digits, '-', '_', '.' */
    CONFIG_TYPE_INTERFACE, /* a network interface's name */
    CONFIG_TYPE_ADDRESS,   /* a numeric IPv4 unicast address, not loopback */
    CONFIG_TYPE_NETMASK,   /* 255.255.255.0 or 24; kept as the prefix length */
    CONFIG_TYPE_NUMBER,    /* min … max */
    CONFIG_TYPE_CHOICE,    /* one of choices */
    CONFIG_TYPE_ROLE,      /* one of choices, kept as its number */
    CONFIG_TYPE_FLAG,      /* yes or no */
    CONFIG_TYPE_PATH,      /* an absolute path */
    CONFIG_TYPE_DEVICE,    /* one of choices, or a path under /dev */
    CONFIG_TYPE_ZONE,      /* a time zone, Europe/Paris */
    CONFIG_TYPE_SECRET,    /* printable text of min … max bytes */
    CONFIG_TYPE_HASH,      /* a password hash of ours */
    CONFIG_TYPE_PHONE,     /* a telephone number: digits, A-D, *, #, + */
    CONFIG_TYPE_COUNT
};

/* What a changed value asks of a running system. */
#define CONFIG_RELOADS(X)                                                                         \
    X(LIVE, "live") X(SERVICE, "service") X(REHOST, "rehost") X(ARBITRATION, "arbitration")
#define CONFIG_RELOAD_ENUM(id, text) CONFIG_RELOAD_##id,
enum config_reload { CONFIG_RELOADS(CONFIG_RELOAD_ENUM) CONFIG_RELOAD_COUNT };

#define CONFIG_REQUIRED (1u << 0)
#define CONFIG_SECRET_VALUE (1u << 1) /* never shown, never logged */
#define CONFIG_NOT_STORED (1u << 2)   /* means something during an import only */
#define CONFIG_LIST (1u << 3)         /* may stand several times, up to max times */
#define CONFIG_ATTRIBUTE (1u << 4)    /* an attribute of its section */

struct config_setting {
    enum config_setting_id id;
    enum config_section section;
    const char *name; /* of the XML element */
    enum config_type type;
    unsigned flags;
    enum config_reload reload;
    size_t offset, size_bytes; /* in struct config; of one value */
    unsigned min, max;
    const char *fallback; /* default as it would stand in the file; NULL: none */
    const char *choices;  /* "fast|safe" */
    const char *wording;  /* the manual's words for menus */
    const char *help;     /* one sentence */
};

/* Row of an id; row->id == id. NULL out of range. */
const struct config_setting *config_setting_at(enum config_setting_id id);
/* NULL when the section has no such setting. */
const struct config_setting *config_setting_find(enum config_section section, const char *name);
const char *config_section_name(enum config_section section); /* "?" out of range */
const char *config_type_name(enum config_type type);          /* for people */
const char *config_reload_name(enum config_reload reload);

/* Sections that may stand several times (one for each PBX): how often at most, and how often they
 * do. 1 and 1 for the others. */
unsigned config_section_max(enum config_section section);
unsigned config_section_count(enum config_section section, const struct config *config);
/* Counts one more; false when there is no room. */
bool config_section_add(enum config_section section, struct config *config);

/* Which value is meant: number `repeat` of its section, number `value` of a list; both from 0. */
struct config_at {
    unsigned repeat, value;
};
/* Checks text against the row and stores it. -EINVAL with what is allowed in the diag; *config is
 * then unchanged. A secret never gets into the diag. */
int config_setting_store(const struct config_setting *row, struct config *config,
                         struct config_at at, const char *text, struct diag *diag);
/* Appends the value as it would stand in the file; false when there is none. */
bool config_setting_print(const struct config_setting *row, const struct config *config,
                          struct config_at at, struct buf *text);
unsigned config_setting_values_max(const struct config_setting *row); /* 1, more for lists */

#endif
