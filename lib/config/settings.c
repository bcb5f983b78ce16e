#include "lib/config/settings.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct config, member), sizeof(((struct config *)NULL)->member)
#define REQUIRED   CONFIG_REQUIRED

#define ROW(id_, section_, name_, type_, flags_, reload_, at_, min_, max_, fallback_, choices_,    \
            wording_, help_)                                                                       \
    [CONFIG_##id_] = {CONFIG_##id_, CONFIG_SECTION_##section_,                                     \
                      name_,        CONFIG_TYPE_##type_,                                           \
                      flags_,       CONFIG_RELOAD_##reload_,                                       \
                      at_,          min_,                                                          \
                      max_,         fallback_,                                                     \
                      choices_,     wording_,                                                      \
                      help_}

/* clang-format off */
static const struct config_setting settings[] = {
    ROW(HOST_FQDN, HOST, "fqdn", NAME, REQUIRED, REHOST, AT(host.fqdn), 0, 0, NULL, NULL,
        "(local) server fqdn", "full name of this node"),
    ROW(HOST_NAME, HOST, "name", WORD, 0, REHOST, AT(host.name), 0, 0, NULL, NULL,
        "(local) server name", "as `uname -n` says; default: the first label of the fqdn"),
    ROW(HOST_INTERFACE, HOST, "interface", INTERFACE, REQUIRED, REHOST, AT(host.interface), 0, 0, NULL, NULL,
        "network interface", "the interface on the clients' network"),
    ROW(HOST_ADDRESS, HOST, "address", ADDRESS, REQUIRED, REHOST, AT(host.address), 0, 0, NULL, NULL,
        "(local) server ip address", "this node's own address on the clients' network"),
    ROW(HOST_NETMASK, HOST, "netmask", NETMASK, REQUIRED, REHOST, AT(host.prefix), 8, 30, NULL, NULL,
        "netmask", "255.255.255.0 or 24"),
    ROW(HOST_GATEWAY, HOST, "gateway", ADDRESS, 0, REHOST, AT(host.gateway), 0, 0, NULL, NULL,
        "gateway", "router of the clients' network"),
    ROW(HOST_DNS, HOST, "dns-server", ADDRESS, CONFIG_LIST, REHOST, AT(host.dns[0]), 0, CONFIG_DNS_MAX, NULL, NULL,
        "dns server", "may stand up to three times"),
    ROW(HOST_NTP, HOST, "ntp-server", NAME, 0, SERVICE, AT(host.ntp), 0, 0, NULL, NULL,
        "ntp server", "name or address of the time server"),
    ROW(HOST_TIME_ZONE, HOST, "time-zone", ZONE, 0, SERVICE, AT(host.time_zone), 0, 0, NULL, NULL,
        "time zone", "such as Europe/Paris"),

    ROW(PEER_FQDN, PEER, "fqdn", NAME, REQUIRED, REHOST, AT(peer.fqdn), 0, 0, NULL, NULL,
        "peer server fqdn", "full name of the other node"),
    ROW(PEER_NAME, PEER, "name", WORD, 0, REHOST, AT(peer.name), 0, 0, NULL, NULL,
        "peer server name", "as `uname -n` says there; default: the first label of its fqdn"),
    ROW(PEER_ADDRESS, PEER, "address", ADDRESS, REQUIRED, REHOST, AT(peer.address), 0, 0, NULL, NULL,
        "peer server ip address", "the other node's own address on the clients' network"),

    ROW(VIP_FQDN, VIP, "fqdn", NAME, REQUIRED, REHOST, AT(vip.fqdn), 0, 0, NULL, NULL,
        "global server fqdn", "the name that clients use"),
    ROW(VIP_ADDRESS, VIP, "address", ADDRESS, REQUIRED, REHOST, AT(vip.address), 0, 0, NULL, NULL,
        "global server ip address", "the address that clients use; the active node carries it"),
    ROW(VIP_NETMASK, VIP, "netmask", NETMASK, 0, REHOST, AT(vip.prefix), 8, 32, NULL, NULL,
        "netmask", "default: the host's"),
    ROW(VIP_INTERFACE, VIP, "interface", INTERFACE, 0, REHOST, AT(vip.interface), 0, 0, NULL, NULL,
        "network interface", "default: the host's"),

    ROW(INTERCONNECT_INTERFACE, INTERCONNECT, "interface", INTERFACE, REQUIRED, REHOST, AT(interconnect.interface), 0, 0, NULL, NULL,
        "interconnect interface", "the interface of the dedicated link to the other node"),
    ROW(INTERCONNECT_ADDRESS, INTERCONNECT, "address", ADDRESS, REQUIRED, REHOST, AT(interconnect.address), 0, 0, NULL, NULL,
        "interconnect ip address", "this node's address on that link"),
    ROW(INTERCONNECT_NETMASK, INTERCONNECT, "netmask", NETMASK, REQUIRED, REHOST, AT(interconnect.prefix), 8, 31, NULL, NULL,
        "interconnect netmask", "255.255.255.252 or 30"),
    ROW(INTERCONNECT_PEER_ADDRESS, INTERCONNECT, "peer-address", ADDRESS, REQUIRED, REHOST, AT(interconnect.peer_address), 0, 0, NULL, NULL,
        "interconnect ip address of the peer", "the other node's address on that link"),

    ROW(PAIR_ROLE, PAIR, "role", ROLE, REQUIRED, ARBITRATION, AT(pair.role), 0, 0, NULL, "primary|secondary",
        "server ha type", "primary server or secondary server"),
    ROW(PAIR_CLUSTER, PAIR, "name", WORD, 0, ARBITRATION, AT(pair.cluster), 0, 0, "open-gateway", NULL,
        "name of the pair", "the same on both nodes and in the witness"),
    ROW(PAIR_PROFILE, PAIR, "profile", CHOICE, 0, ARBITRATION, AT(pair.profile), 0, 0, "safe", "fast|safe",
        "failover profile", "fast: about 5 s after a crash; safe: about 10 s, for busy or shared machines"),
    ROW(PAIR_KEY_FILE, PAIR, "key-file", PATH, 0, ARBITRATION, AT(pair.key_file), 0, 0, CONFIG_FOLDER "/cluster.key", NULL,
        "key of the pair", "secret file, made by the primary's installer; copy it to the secondary"),
    ROW(PAIR_WATCHDOG, PAIR, "watchdog", DEVICE, 0, ARBITRATION, AT(pair.watchdog), 0, 0, "auto", "auto|off",
        "watchdog", "auto: a hardware watchdog, else the kernel's own"),
    ROW(PAIR_PROBE_INTERVAL, PAIR, "probe-interval", NUMBER, 0, LIVE, AT(pair.probe_interval_s), 1, 300, "30", NULL,
        "probe interval", "seconds between two checks of every service"),

    ROW(DRBD_WIPE, DRBD, "wipe", FLAG, CONFIG_NOT_STORED | CONFIG_ATTRIBUTE, ARBITRATION, AT(drbd.wipe), 0, 0, NULL, NULL,
        "destroy foreign data", "yes: the installer may destroy what it finds on the device"),
    ROW(DRBD_DEVICE, DRBD, "device", DEVICE, REQUIRED, ARBITRATION, AT(drbd.device), 0, 0, NULL, NULL,
        "replicated disk", "the disk or partition that is mirrored to the other node"),

    ROW(WITNESS_ADDRESS, WITNESS, "address", ADDRESS, REQUIRED, ARBITRATION, AT(witness.address), 0, 0, NULL, NULL,
        "witness ip address", "a third machine's PostgreSQL; no address of the pair"),
    ROW(WITNESS_NAME, WITNESS, "name", NAME, 0, ARBITRATION, AT(witness.name), 0, 0, NULL, NULL,
        "witness name", "the name in its certificate; default: the address"),
    ROW(WITNESS_PORT, WITNESS, "port", NUMBER, 0, ARBITRATION, AT(witness.port), 1, 65535, "5432", NULL,
        "witness port", "port of its PostgreSQL"),
    ROW(WITNESS_DATABASE, WITNESS, "database", WORD, 0, ARBITRATION, AT(witness.database), 0, 0, "witness", NULL,
        "witness database", "where witness.sql was loaded"),
    ROW(WITNESS_USER, WITNESS, "user", WORD, REQUIRED, ARBITRATION, AT(witness.user), 0, 0, NULL, NULL,
        "witness user", "this node's own role"),
    ROW(WITNESS_PASSWORD, WITNESS, "password", SECRET, REQUIRED | CONFIG_SECRET_VALUE, ARBITRATION, AT(witness.password), 1, 128, NULL, NULL,
        "witness password", "of that role"),
    ROW(WITNESS_CA_FILE, WITNESS, "ca-file", PATH, REQUIRED, ARBITRATION, AT(witness.ca_file), 0, 0, NULL, NULL,
        "witness certificate authority", "PEM file that its certificate is checked against"),

    ROW(ADMINISTRATOR_LOGIN, ADMINISTRATOR, "login", WORD, REQUIRED, SERVICE, AT(administrator.login), 0, 0, NULL, NULL,
        "administrator login", "account of the first administrator"),
    ROW(ADMINISTRATOR_PASSWORD, ADMINISTRATOR, "password", SECRET, CONFIG_SECRET_VALUE | CONFIG_NOT_STORED, SERVICE, AT(administrator.password), 8, 128, NULL, NULL,
        "administrator password", "at least 8 characters; only its hash is kept"),
    ROW(ADMINISTRATOR_HASH, ADMINISTRATOR, "password-hash", HASH, CONFIG_SECRET_VALUE, SERVICE, AT(administrator.password_hash), 0, 0, NULL, NULL,
        "administrator password hash", "instead of the password"),

    ROW(GATEWAY_HTTPS_PORT, GATEWAY, "https-port", NUMBER, 0, SERVICE, AT(gateway.https_port), 1, 65535, "443", NULL,
        "https port", "where clients find the API"),
    ROW(GATEWAY_HTTP_PORT, GATEWAY, "http-port", NUMBER, 0, SERVICE, AT(gateway.http_port), 0, 65535, "80", NULL,
        "http port", "answers the root descriptor only; 0: none"),
    ROW(GATEWAY_CERTIFICATE, GATEWAY, "certificate-file", PATH, 0, SERVICE, AT(gateway.certificate_file), 0, 0, CONFIG_FOLDER "/gateway.crt", NULL,
        "certificate", "PEM, for the global server's name; default: made by the installer"),
    ROW(GATEWAY_KEY, GATEWAY, "key-file", PATH, 0, SERVICE, AT(gateway.key_file), 0, 0, CONFIG_FOLDER "/gateway.key", NULL,
        "certificate's key", "PEM; default: made by the installer"),

    ROW(PBX_NODE, PBX, "node", NUMBER, REQUIRED, SERVICE, AT(pbx[0].node), 1, 999, NULL, NULL,
        "oxe node number", "of the telephone system; each has its own"),
    ROW(PBX_ADDRESS, PBX, "address", ADDRESS, REQUIRED, SERVICE, AT(pbx[0].address), 0, 0, NULL, NULL,
        "main host", "address of its CSTA server"),
    ROW(PBX_PORT, PBX, "port", NUMBER, REQUIRED, SERVICE, AT(pbx[0].port), 1, 65535, NULL, NULL,
        "csta port", "TCP port of its CSTA server"),
    ROW(PBX_BACKUP_ADDRESS, PBX, "backup-address", ADDRESS, 0, SERVICE, AT(pbx[0].backup_address), 0, 0, NULL, NULL,
        "backup host", "its redundant call server"),
    ROW(PBX_BACKUP_PORT, PBX, "backup-port", NUMBER, 0, SERVICE, AT(pbx[0].backup_port), 1, 65535, NULL, NULL,
        "csta port of the backup host", "default: port"),
    ROW(PBX_SESSION, PBX, "session", CHOICE, 0, SERVICE, AT(pbx[0].session), 0, 0, "ecma354", "ecma354|none",
        "csta session", "ecma354: an application session first; none: CSTA at once"),
    ROW(PBX_USER, PBX, "user", WORD, 0, SERVICE, AT(pbx[0].user), 0, 0, NULL, NULL,
        "csta user", "of the session, when the PBX asks for one"),
    ROW(PBX_PASSWORD, PBX, "password", SECRET, CONFIG_SECRET_VALUE, SERVICE, AT(pbx[0].password), 1, 128, NULL, NULL,
        "csta password", "of the session"),
    ROW(PBX_APPLICATION_ID, PBX, "application-id", WORD, 0, SERVICE, AT(pbx[0].application_id), 0, 0, "opengw", NULL,
        "csta application", "what this gateway calls itself to the PBX"),
    ROW(PBX_PROTOCOL, PBX, "protocol", CHOICE, CONFIG_LIST, SERVICE, AT(pbx[0].protocols[0]), 0, CONFIG_PROTOCOLS_MAX, NULL, "ed6|ed5|ed4|ed3",
        "csta edition", "of ECMA-323 to offer, the preferred first; default: all, the newest first"),
    ROW(PBX_SESSION_TIME, PBX, "session-time", NUMBER, 0, SERVICE, AT(pbx[0].session_s), 10, 86400, "120", NULL,
        "csta session time", "seconds that a session lasts unless it is renewed"),
    ROW(PBX_DIRECTORY_INTERVAL, PBX, "directory-interval", NUMBER, 0, SERVICE, AT(pbx[0].directory_s), 5, 86400, "60", NULL,
        "directory interval", "seconds between two readings of the PBX's device list"),
    ROW(PBX_DEVICE, PBX, "device", PHONE, CONFIG_LIST, SERVICE, AT(pbx[0].devices[0]), 0, CONFIG_PBX_DEVICES_MAX, NULL, NULL,
        "device number", "used when the PBX has no device list"),
};
/* clang-format on */

_Static_assert(COUNT_OF(settings) == CONFIG_SETTING_COUNT, "every setting has its row");
_Static_assert((int)CONFIG_SETTING_COUNT <= (int)CONFIG_SETTINGS_MAX,
               "struct config keeps every line");
_Static_assert((int)CONFIG_SECTION_COUNT <= (int)CONFIG_SECTIONS_MAX,
               "struct config keeps every line");

const struct config_setting *config_setting_at(enum config_setting_id id)
{
    return (unsigned)id < CONFIG_SETTING_COUNT ? &settings[id] : NULL;
}

const struct config_setting *config_setting_find(enum config_section section, const char *name)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        if (settings[i].section == section && strcmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

#define CONFIG_TEXT(id, text) text,
const char *config_section_name(enum config_section section)
{
    static const char *const names[] = {CONFIG_SECTIONS(CONFIG_TEXT)};
    return (unsigned)section < COUNT_OF(names) ? names[section] : "?";
}

const char *config_reload_name(enum config_reload reload)
{
    static const char *const names[] = {CONFIG_RELOADS(CONFIG_TEXT)};
    return (unsigned)reload < COUNT_OF(names) ? names[reload] : "?";
}

const char *config_role_name(enum config_role role)
{
    static const char *const names[] = {CONFIG_ROLES(CONFIG_TEXT)};
    return (unsigned)role < COUNT_OF(names) ? names[role] : "?";
}

const char *config_type_name(enum config_type type)
{
    static const char *const names[CONFIG_TYPE_COUNT] = {
        [CONFIG_TYPE_NAME] = "domain name",    [CONFIG_TYPE_WORD] = "word",
        [CONFIG_TYPE_INTERFACE] = "interface", [CONFIG_TYPE_ADDRESS] = "IPv4 address",
        [CONFIG_TYPE_NETMASK] = "netmask",     [CONFIG_TYPE_NUMBER] = "number",
        [CONFIG_TYPE_CHOICE] = "choice",       [CONFIG_TYPE_ROLE] = "choice",
        [CONFIG_TYPE_FLAG] = "yes or no",      [CONFIG_TYPE_PATH] = "absolute path",
        [CONFIG_TYPE_DEVICE] = "device",       [CONFIG_TYPE_ZONE] = "time zone",
        [CONFIG_TYPE_SECRET] = "secret",       [CONFIG_TYPE_HASH] = "password hash",
        [CONFIG_TYPE_PHONE] = "telephone number",
    };
    return (unsigned)type < COUNT_OF(names) ? names[type] : "?";
}

/* Sections that may stand several times; the others have no row. */
static const struct repeated {
    unsigned max;
    size_t stride_bytes, count_offset;
} repeated[CONFIG_SECTION_COUNT] = {
    [CONFIG_SECTION_PBX] = {CONFIG_PBX_MAX, sizeof(struct config_pbx),
                            offsetof(struct config, pbx_count)},
};

unsigned config_section_max(enum config_section section)
{
    return repeated[section].max > 0 ? repeated[section].max : 1;
}

unsigned config_section_count(enum config_section section, const struct config *config)
{
    unsigned count = 1;
    if (repeated[section].max > 0)
        memcpy(&count, (const char *)config + repeated[section].count_offset, sizeof(count));
    return count;
}

bool config_section_add(enum config_section section, struct config *config)
{
    unsigned count = config_section_count(section, config) + 1;
    if (repeated[section].max < count)
        return false;
    memcpy((char *)config + repeated[section].count_offset, &count, sizeof(count));
    return true;
}

static size_t offset_of(const struct config_setting *row, struct config_at at)
{
    return row->offset + at.repeat * repeated[row->section].stride_bytes +
           at.value * row->size_bytes;
}

unsigned config_setting_values_max(const struct config_setting *row)
{
    return row->flags & CONFIG_LIST ? row->max : 1;
}

/* --- values ------------------------------------------------------------------------------ */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* only letters, digits and the bytes of `others` */
static bool made_of(const char *text, const char *others)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!is_alnum(*c) && strchr(others, *c) == NULL)
            return false;
    return *text != '\0';
}

/* RFC 1123: labels of 1 to 63 letters, digits and inner hyphens. */
static bool is_domain_name(const char *text)
{
    for (;;) {
        size_t label = strcspn(text, ".");
        if (label == 0 || label > 63 || !is_alnum(text[0]) || !is_alnum(text[label - 1]))
            return false;
        for (size_t i = 0; i < label; i++)
            if (!is_alnum(text[i]) && text[i] != '-')
                return false;
        if (text[label] == '\0')
            return true;
        text += label + 1;
    }
}

static int check_name(const char *text, struct diag *diag)
{
    if (is_domain_name(text))
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is no domain name, such as gateway.example.org", text);
}

static int check_word(const char *text, struct diag *diag)
{
    if (is_alnum(text[0]) && made_of(text, "-_."))
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' may hold letters, digits, '-', '_' and '.' only", text);
}

static int check_interface(const char *text, struct diag *diag)
{
    if (made_of(text, "-_.@") && strcmp(text, "lo") != 0)
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is no network interface; 'ip link' lists them", text);
}

static int check_address(const char *text, struct diag *diag)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return diag_fail(diag, -EINVAL, "'%s' is no IPv4 address, such as 192.0.2.10", text);
    uint32_t host = ntohl(address.s_addr);
    if (host >> 24 == 0 || host >> 24 == 127 || host >> 28 >= 0xe)
        return diag_fail(diag, -EINVAL, "%s is no address that a machine in a network can have",
                         text);
    return 0;
}

static int check_path(const char *text, struct diag *diag)
{
    if (text[0] != '/')
        return diag_fail(diag, -EINVAL, "'%s' is no absolute path (it must begin with /)", text);
    if (!made_of(text, "/-_.,+:@=%") || strstr(text, "/../") != NULL)
        return diag_fail(diag, -EINVAL,
                         "the path '%s' may hold letters, digits and /-_.,+:@=%% only, and no ..",
                         text);
    return 0;
}

/* true when text is one of "a|b|c"; *ret_index then says which */
static bool is_choice(const char *choices, const char *text, unsigned *ret_index)
{
    size_t len = strlen(text);
    unsigned index = 0;
    for (const char *c = choices; c != NULL && *c != '\0'; index++) {
        size_t one = strcspn(c, "|");
        if (one == len && memcmp(c, text, len) == 0) {
            *ret_index = index;
            return true;
        }
        c += one + (c[one] == '|');
    }
    return false;
}

static int check_device(const struct config_setting *row, const char *text, struct diag *diag)
{
    unsigned index = 0;
    if (is_choice(row->choices, text, &index))
        return 0;
    if (strncmp(text, "/dev/", 5) != 0 || text[5] == '\0')
        return diag_fail(diag, -EINVAL, "'%s' is no device: it must begin with /dev/%s%s", text,
                         row->choices != NULL ? ", or be one of " : "",
                         row->choices != NULL ? row->choices : "");
    return check_path(text, diag);
}

static int check_choice(const struct config_setting *row, const char *text, unsigned *ret_index,
                        struct diag *diag)
{
    if (is_choice(row->choices, text, ret_index))
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is unknown; there are: %s", text, row->choices);
}

static int check_zone(const char *text, struct diag *diag)
{
    if (made_of(text, "/-_+") && text[0] != '/')
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is no time zone, such as Europe/Paris", text);
}

static int check_secret(const struct config_setting *row, const char *text, struct diag *diag)
{
    size_t len = strlen(text);
    if (len < row->min || len > row->max)
        return diag_fail(diag, -EINVAL, "it must have %u to %u characters", row->min, row->max);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return diag_fail(diag, -EINVAL, "it holds a control character");
    return 0;
}

static int check_hash(const char *text, struct diag *diag)
{
    if (strncmp(text, "$scrypt$", 8) == 0 && made_of(text, "$=,+/"))
        return 0;
    return diag_fail(diag, -EINVAL, "it is no password hash of ours (it begins with $scrypt$)");
}

static int check_phone(const char *text, struct diag *diag)
{
    if (text[strspn(text, "0123456789ABCD*#+")] == '\0')
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is no telephone number, such as 1001", text);
}

static int check_number(const struct config_setting *row, const char *text, unsigned *ret_number,
                        struct diag *diag)
{
    unsigned long value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 10 && text[digits] == '\0')
        value = strtoul(text, NULL, 10);
    if (digits == 0 || digits >= 10 || text[digits] != '\0' || value < row->min || value > row->max)
        return diag_fail(diag, -EINVAL, "'%s' is no number from %u to %u", text, row->min,
                         row->max);
    *ret_number = (unsigned)value;
    return 0;
}

static int check_netmask(const struct config_setting *row, const char *text, unsigned *ret_prefix,
                         struct diag *diag)
{
    struct in_addr mask;
    if (strchr(text, '.') == NULL)
        return check_number(row, text, ret_prefix, diag);
    if (inet_pton(AF_INET, text, &mask) != 1)
        return diag_fail(diag, -EINVAL, "'%s' is no netmask, such as 255.255.255.0 or 24", text);
    uint32_t bits = ntohl(mask.s_addr);
    unsigned prefix = 0;
    while (prefix < 32 && bits & (0x80000000u >> prefix))
        prefix++;
    if (prefix < 32 && bits << prefix != 0)
        return diag_fail(diag, -EINVAL, "the ones of the netmask %s are not all in front", text);
    if (prefix < row->min || prefix > row->max)
        return diag_fail(diag, -EINVAL, "a netmask of %u bits makes no sense here (%u to %u)",
                         prefix, row->min, row->max);
    *ret_prefix = prefix;
    return 0;
}

static int check_flag(const char *text, unsigned *ret_flag, struct diag *diag)
{
    if (is_choice("no|yes", text, ret_flag))
        return 0;
    return diag_fail(diag, -EINVAL, "'%s' is neither yes nor no", text);
}

/* *ret_number is set for the types that are kept as one. */
static int check_value(const struct config_setting *row, const char *text, unsigned *ret_number,
                       struct diag *diag)
{
    switch (row->type) {
    case CONFIG_TYPE_NAME:
        return check_name(text, diag);
    case CONFIG_TYPE_WORD:
        return check_word(text, diag);
    case CONFIG_TYPE_INTERFACE:
        return check_interface(text, diag);
    case CONFIG_TYPE_ADDRESS:
        return check_address(text, diag);
    case CONFIG_TYPE_NETMASK:
        return check_netmask(row, text, ret_number, diag);
    case CONFIG_TYPE_NUMBER:
        return check_number(row, text, ret_number, diag);
    case CONFIG_TYPE_CHOICE:
    case CONFIG_TYPE_ROLE:
        return check_choice(row, text, ret_number, diag);
    case CONFIG_TYPE_FLAG:
        return check_flag(text, ret_number, diag);
    case CONFIG_TYPE_PATH:
        return check_path(text, diag);
    case CONFIG_TYPE_DEVICE:
        return check_device(row, text, diag);
    case CONFIG_TYPE_ZONE:
        return check_zone(text, diag);
    case CONFIG_TYPE_SECRET:
        return check_secret(row, text, diag);
    case CONFIG_TYPE_HASH:
        return check_hash(text, diag);
    case CONFIG_TYPE_PHONE:
        return check_phone(text, diag);
    case CONFIG_TYPE_COUNT:
        break;
    }
    return -EINVAL;
}

int config_setting_store(const struct config_setting *row, struct config *config,
                         struct config_at at, const char *text, struct diag *diag)
{
    unsigned number = 0;
    if (at.repeat >= config_section_max(row->section))
        return diag_fail(diag, -EINVAL, "its section stands too often");
    if (at.value >= config_setting_values_max(row))
        return diag_fail(diag, -EINVAL, "it stands too often (at most %u times)",
                         config_setting_values_max(row));
    bool number_kept = row->type == CONFIG_TYPE_NETMASK || row->type == CONFIG_TYPE_NUMBER ||
                       row->type == CONFIG_TYPE_ROLE || row->type == CONFIG_TYPE_FLAG;
    if (!number_kept && strlen(text) >= row->size_bytes)
        return diag_fail(diag, -EINVAL, "it has more than %zu characters", row->size_bytes - 1);
    int r = check_value(row, text, &number, diag);
    if (r < 0)
        return r;

    char *place = (char *)config + offset_of(row, at);
    if (row->type == CONFIG_TYPE_FLAG) {
        bool flag = number != 0;
        memcpy(place, &flag, sizeof(flag));
    } else if (row->type == CONFIG_TYPE_ROLE) {
        enum config_role role = (enum config_role)number;
        memcpy(place, &role, sizeof(role));
    } else if (number_kept) {
        memcpy(place, &number, sizeof(number));
    } else {
        memset(place, 0, row->size_bytes);
        memcpy(place, text, strlen(text));
    }
    return 0;
}

static void print_number(const struct config_setting *row, const char *place, struct buf *text)
{
    if (row->type == CONFIG_TYPE_FLAG) {
        bool flag = false;
        memcpy(&flag, place, sizeof(flag));
        buf_adds(text, flag ? "yes" : "no");
    } else if (row->type == CONFIG_TYPE_ROLE) {
        enum config_role role = CONFIG_ROLE_PRIMARY;
        memcpy(&role, place, sizeof(role));
        buf_adds(text, config_role_name(role));
    } else {
        unsigned number = 0;
        memcpy(&number, place, sizeof(number));
        buf_addf(text, "%u", number);
    }
}

bool config_setting_print(const struct config_setting *row, const struct config *config,
                          struct config_at at, struct buf *text)
{
    const char *place = (const char *)config + offset_of(row, at);
    switch (row->type) {
    case CONFIG_TYPE_NUMBER: {
        unsigned number = 0;
        memcpy(&number, place, sizeof(number));
        if (number < row->min) /* 0 where it means nothing: not given */
            return false;
        break;
    }
    case CONFIG_TYPE_NETMASK: {
        unsigned prefix = 0;
        memcpy(&prefix, place, sizeof(prefix));
        if (prefix == 0)
            return false;
        break;
    }
    case CONFIG_TYPE_ROLE:
    case CONFIG_TYPE_FLAG:
        break;
    case CONFIG_TYPE_NAME:
    case CONFIG_TYPE_WORD:
    case CONFIG_TYPE_INTERFACE:
    case CONFIG_TYPE_ADDRESS:
    case CONFIG_TYPE_CHOICE:
    case CONFIG_TYPE_PATH:
    case CONFIG_TYPE_DEVICE:
    case CONFIG_TYPE_ZONE:
    case CONFIG_TYPE_SECRET:
    case CONFIG_TYPE_HASH:
    case CONFIG_TYPE_PHONE:
    case CONFIG_TYPE_COUNT:
        if (*place == '\0')
            return false;
        buf_adds(text, place);
        return true;
    }
    print_number(row, place, text);
    return true;
}
