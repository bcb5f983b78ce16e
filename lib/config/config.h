/* config.h - what this node was told to be: the settings, and the file they live in.
 *
 * One table (settings.c) describes every setting: key, type, range, default, secrecy, what a change
 * asks of the running system, and the manual's wording. Reading, checking, writing, the help text
 * and the installer's questions all walk that table; `struct config` is a plain struct, so that
 * readers need no accessor and tests write it literally. Nothing here allocates for the caller.
 *
 * Problems are collected, not returned one by one: a person corrects the file once. Every problem
 * knows the line it stands on and says what to do about it.
 *
 * The stored file is XML, mode 0600, replaced atomically. config_write() and config_load() are the only
 * two places that know how it lies on disk; an encrypting envelope would go there.
 *
 * Reading order: config.h, settings.h (the table), config_check.c (contradictions), cluster_key.h,
 * certificate.h. */
#ifndef OG_CONFIG_CONFIG_H
#define OG_CONFIG_CONFIG_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FOLDER "/etc/open-gateway"
#define CONFIG_FILE CONFIG_FOLDER "/config.xml"

enum {
    CONFIG_NAME_CHARS = 254,    /* a domain name and its NUL */
    CONFIG_ADDRESS_CHARS = 46,  /* INET6_ADDRSTRLEN */
    CONFIG_DEVICE_CHARS = 16,   /* IFNAMSIZ */
    CONFIG_PATH_CHARS = 256,
    CONFIG_WORD_CHARS = 64,
    CONFIG_SECRET_CHARS = 129,
    CONFIG_HASH_CHARS = 161,    /* SECRETS_HASH_CHARS and its NUL */
    CONFIG_DNS_MAX = 3,
    CONFIG_PHONE_CHARS = 32,    /* a telephone number */
    CONFIG_PBX_MAX = 16,
    CONFIG_PROTOCOLS_MAX = 4,
    CONFIG_PBX_DEVICES_MAX = 256,
    CONFIG_REPEATS_MAX = CONFIG_PBX_MAX, /* of any section */
    CONFIG_SETTINGS_MAX = 64,
    CONFIG_SECTIONS_MAX = 16,
    CONFIG_PROBLEMS_MAX = 64,
};

#define CONFIG_ROLES(X) X(PRIMARY, "primary") X(SECONDARY, "secondary")
#define CONFIG_ROLE_ENUM(id, text) CONFIG_ROLE_##id,
enum config_role { CONFIG_ROLES(CONFIG_ROLE_ENUM) CONFIG_ROLE_COUNT }; /* by installation */

struct config_pbx { /* "oxe" in the manual: one telephone system */
    unsigned node;  /* 0: not given */
    char address[CONFIG_ADDRESS_CHARS], backup_address[CONFIG_ADDRESS_CHARS];
    unsigned port, backup_port; /* backup_port 0: as port */
    char session[CONFIG_WORD_CHARS]; /* "ecma354" or "none" */
    char user[CONFIG_WORD_CHARS];
    char password[CONFIG_SECRET_CHARS];
    char application_id[CONFIG_WORD_CHARS];
    char protocols[CONFIG_PROTOCOLS_MAX][CONFIG_WORD_CHARS]; /* none given: all of them */
    unsigned session_s, directory_s;
    char devices[CONFIG_PBX_DEVICES_MAX][CONFIG_PHONE_CHARS];
};

/* All texts are NUL-terminated; "" means "not given". Addresses are numeric IPv4. */
struct config {
    struct { /* this node; netmasks are kept as prefix lengths */
        char name[CONFIG_WORD_CHARS]; /* as `uname -n` says; default: the first label of fqdn */
        char fqdn[CONFIG_NAME_CHARS];
        char interface[CONFIG_DEVICE_CHARS]; /* of the client LAN; carries the virtual address too */
        char address[CONFIG_ADDRESS_CHARS];
        unsigned prefix; /* of the client LAN, from prefix or netmask */
        char gateway[CONFIG_ADDRESS_CHARS];
        char dns[CONFIG_DNS_MAX][CONFIG_ADDRESS_CHARS];
        char ntp[CONFIG_NAME_CHARS];
        char time_zone[CONFIG_WORD_CHARS];
    } host;
    struct { /* the other node */
        char name[CONFIG_WORD_CHARS];
        char fqdn[CONFIG_NAME_CHARS];
        char address[CONFIG_ADDRESS_CHARS]; /* on the client LAN */
    } peer;
    struct { /* "global server" in the manual */
        char fqdn[CONFIG_NAME_CHARS];
        char address[CONFIG_ADDRESS_CHARS];
        unsigned prefix;                     /* default: the host's */
        char interface[CONFIG_DEVICE_CHARS]; /* default: the host's */
    } vip;
    struct { /* the dedicated link between the nodes */
        char interface[CONFIG_DEVICE_CHARS];
        char address[CONFIG_ADDRESS_CHARS];
        char peer_address[CONFIG_ADDRESS_CHARS];
        unsigned prefix;
    } interconnect;
    struct {
        enum config_role role; /* node 1 is the primary, node 2 the secondary */
        char cluster[CONFIG_WORD_CHARS]; /* name of the pair: corosync, the witness's row */
        char profile[CONFIG_WORD_CHARS]; /* "fast" or "safe" */
        char key_file[CONFIG_PATH_CHARS]; /* shared secret of the pair, see cluster_key.h */
        char watchdog[CONFIG_PATH_CHARS]; /* "auto", "off", or a device */
        unsigned probe_interval_s;
    } pair;
    struct {
        char device[CONFIG_PATH_CHARS]; /* backing device */
        bool wipe; /* foreign data on it may be destroyed; for the installer, not stored */
    } drbd;
    struct {
        char address[CONFIG_ADDRESS_CHARS];
        char name[CONFIG_NAME_CHARS]; /* in its certificate; "": the address itself */
        unsigned port;
        char database[CONFIG_WORD_CHARS];
        char user[CONFIG_WORD_CHARS];
        char password[CONFIG_SECRET_CHARS];
        char ca_file[CONFIG_PATH_CHARS];
    } witness;
    struct {
        char login[CONFIG_WORD_CHARS];
        char password[CONFIG_SECRET_CHARS]; /* import only: config_seal() hashes and wipes it */
        char password_hash[CONFIG_HASH_CHARS];
    } administrator;
    struct {
        unsigned https_port, http_port; /* http_port 0: none */
        char certificate_file[CONFIG_PATH_CHARS];
        char key_file[CONFIG_PATH_CHARS];
    } gateway;
    struct config_pbx pbx[CONFIG_PBX_MAX];
    unsigned pbx_count;
    /* where each setting stands in the file read, for each repeat of its section; 0: default */
    uint16_t lines[CONFIG_REPEATS_MAX][CONFIG_SETTINGS_MAX];
    uint16_t section_lines[CONFIG_REPEATS_MAX][CONFIG_SECTIONS_MAX];
};

struct config_problem {
    unsigned line; /* 0: no particular line */
    char text[320]; /* one sentence: what is wrong, and what to do */
};
struct config_problems {
    unsigned count;   /* also counts those that found no room */
    struct config_problem items[CONFIG_PROBLEMS_MAX];
};
__attribute__((format(printf, 3, 4))) void
config_problem_add(struct config_problems *problems, unsigned line, const char *format, ...);

/* Every setting at its default. */
void config_set_defaults(struct config *config);

/* Reads a clear XML file, or its text: defaults, then what the file says, each value checked against
 * its row. 0, or -EINVAL with everything that is wrong in problems (which is appended to, and holds
 * the reason also for a file that cannot be read: then the errno of reading it). *config is complete
 * enough for config_check() after -EINVAL too, so that both kinds of problems can be shown at once. */
int config_read_xml(const char *path, struct config *config, struct config_problems *problems);
int config_parse_xml(const char *text, size_t len_bytes, struct config *config,
                     struct config_problems *problems);

/* Contradictions between settings (missing ones included). Pure: looks at no machine. 0 or -EINVAL. */
int config_check(const struct config *config, struct config_problems *problems);

/* Turns the administrator's clear password into its scrypt hash and wipes it. BLOCKS some 100 ms. */
int config_seal(struct config *config, struct diag *diag);

/* Replaces the file: 0600, temporary file, fsync, rename, folder fsync. -EINVAL while the clear
 * password is still inside. */
int config_write(const char *path, const struct config *config, struct diag *diag);
/* Reads and checks a stored file; the diag names the first problem. -EPERM when others may read it. */
int config_load(const char *path, struct config *config, struct diag *diag);

void config_wipe(struct config *config); /* overwrites everything, secrets included */

const char *config_role_name(enum config_role role); /* "?" out of range */
/* 1 for the primary, 2 for the secondary: the same number in corosync, arbiter and witness. */
uint32_t config_node(const struct config *config);
uint32_t config_peer_node(const struct config *config);

#endif
