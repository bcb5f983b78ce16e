#include "gateway/pbx/pbx_settings.h"

#include "lib/common/common.h"

#include <string.h>

#define AT(member)          SETTINGS_AT(struct pbx_settings, member)
#define LIST(member, count) SETTINGS_LIST(struct pbx_settings, member, count)

/* clang-format off */
static const struct settings_row rows[] = {
    {"node", SETTINGS_TEXT, AT(node), .meaning = "node number, a text of digits"},
    {"driver", SETTINGS_CHOICE, AT(driver), .choices = "csta-xml", .otherwise = "csta-xml",
     .meaning = "what it speaks"},
    {"address", SETTINGS_ADDRESS, AT(address), .meaning = "numeric address of its CSTA server"},
    {"port", SETTINGS_INT, AT(port), .min = 1, .max = 65535, .meaning = "and TCP port"},
    {"backup_address", SETTINGS_ADDRESS, AT(backup_address), .otherwise = "",
     .meaning = "its redundant CSTA server"},
    {"backup_port", SETTINGS_INT, AT(backup_port), .min = 0, .max = 65535, .otherwise = "0",
     .meaning = "and TCP port; 0: as port"},
    {"session", SETTINGS_CHOICE, AT(session), .choices = "ecma354 none", .otherwise = "ecma354",
     .meaning = "ecma354, or none: CSTA at once"},
    {"user", SETTINGS_TEXT, AT(user), .otherwise = "", .meaning = "of the session"},
    {"password", SETTINGS_SECRET, AT(password), .otherwise = "", .meaning = "of the session"},
    {"application_id", SETTINGS_TEXT, AT(application_id), .otherwise = "opengw",
     .meaning = "what we call ourselves to it"},
    {"protocols", SETTINGS_CHOICES, LIST(protocols, protocol_count), .min = 1,
     .max = PBX_PROTOCOLS_MAX, .choices = "ed6 ed5 ed4 ed3", .otherwise = "ed6 ed5 ed4 ed3",
     .meaning = "editions of ECMA-323 to offer, the preferred first"},
    {"session_s", SETTINGS_INT, AT(session_s), .min = 10, .max = 86400, .otherwise = "120",
     .meaning = "seconds that a session lasts unless renewed"},
    {"directory_s", SETTINGS_INT, AT(directory_s), .min = 5, .max = 86400, .otherwise = "60",
     .meaning = "seconds between two readings of its device list"},
    {"devices", SETTINGS_TEXTS, LIST(devices, device_count), .min = 0, .max = PBX_DEVICES_MAX,
     .otherwise = "", .meaning = "device numbers, used when it has no device list"},
};
/* clang-format on */
const struct settings_list pbx_settings_list = {rows, COUNT_OF(rows), sizeof(struct pbx_settings)};

static bool is_made_of(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static void check_one(struct pbx_settings *one, unsigned number, struct buf *problems)
{
    if (!is_made_of(one->node, "0123456789"))
        buf_addf(problems, "pbx[%u].node: must be digits\n", number);
    if (one->backup_address[0] == '\0' && one->backup_port != 0)
        buf_addf(problems, "pbx[%u].backup_port: is given without backup_address\n", number);
    if (one->backup_address[0] != '\0' && one->backup_port == 0)
        one->backup_port = one->port;
    if (one->password[0] != '\0' && one->user[0] == '\0')
        buf_addf(problems, "pbx[%u].user: is missing beside the password\n", number);
    if (one->user[0] != '\0' && strcmp(one->session, "none") == 0)
        buf_addf(problems, "pbx[%u].user: needs session \"ecma354\"\n", number);
    for (unsigned i = 0; i < one->device_count; i++)
        if (!is_made_of(one->devices[i], "0123456789ABCD*#+"))
            buf_addf(problems, "pbx[%u].devices: \"%s\" is no device number\n", number,
                     one->devices[i]);
}

void pbx_settings_check(struct pbx_settings *list, unsigned count, struct buf *problems)
{
    for (unsigned i = 0; i < count; i++) {
        check_one(&list[i], i, problems);
        for (unsigned j = 0; j < i; j++)
            if (list[i].node[0] != '\0' && strcmp(list[i].node, list[j].node) == 0)
                buf_addf(problems, "pbx[%u].node: is the same as pbx[%u].node\n", i, j);
    }
}
