#include "gateway/gateway_settings.h"

#include "gateway/settings_table.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/small_file.h"

#include <errno.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

#define AT(member)          SETTINGS_AT(struct gateway_settings, member)
#define LIST(member, count) SETTINGS_LIST(struct gateway_settings, member, count)

/* clang-format off */
static const struct settings_row rows[] = {
    {"listen", SETTINGS_ADDRESSES, LIST(listen, listen_count), .min = 1, .max = GATEWAY_LISTEN_MAX,
     .meaning = "numeric addresses to listen on"},
    {"public_url", SETTINGS_URL, AT(public_url),
     .meaning = "address that clients use: https://host or https://host:port"},
    {"certificate_file", SETTINGS_PATH, AT(certificate_file), .meaning = "certificate chain, PEM"},
    {"key_file", SETTINGS_PATH, AT(key_file), .meaning = "private key, PEM"},
    {"private_url", SETTINGS_URL, AT(private_url), .otherwise = "",
     .meaning = "the same through the private address; empty: public_url"},
    {"https_port", SETTINGS_INT, AT(https_port), .min = 1, .max = 65535, .otherwise = "443",
     .meaning = "port for TLS"},
    {"http_port", SETTINGS_INT, AT(http_port), .min = 0, .max = 65535, .otherwise = "0",
     .meaning = "port for clear text, 0 for none"},
    {"http_full_access", SETTINGS_BOOL, AT(http_full_access), .otherwise = "false",
     .meaning = "clear text may do everything, not only read the root descriptor"},
    {"ha", SETTINGS_BOOL, AT(ha), .otherwise = "false",
     .meaning = "high availability, as told to clients"},
    {"product_name", SETTINGS_TEXT, AT(product_name), .otherwise = "O2G compatible server",
     .meaning = "serverInfo.productName"},
    {"product_major", SETTINGS_TEXT, AT(product_major), .otherwise = "2.7",
     .meaning = "serverInfo.productVersion.major"},
    {"product_minor", SETTINGS_TEXT, AT(product_minor), .otherwise = "004.001",
     .meaning = "serverInfo.productVersion.minor"},
    {"database_host", SETTINGS_PATH, AT(database_host), .otherwise = "/run/open-gateway/pg",
     .meaning = "folder of PostgreSQL's socket"},
    {"database_port", SETTINGS_INT, AT(database_port), .min = 1, .max = 65535, .otherwise = "5432",
     .meaning = "number in the socket's name"},
    {"database_name", SETTINGS_TEXT, AT(database_name), .otherwise = "api",
     .meaning = "database"},
    {"database_user", SETTINGS_TEXT, AT(database_user), .otherwise = "roxe-gateway",
     .meaning = "PostgreSQL role"},
    {"administrators_file", SETTINGS_PATH, AT(administrators_file),
     .otherwise = "/etc/open-gateway/administrators.json",
     .meaning = "logins and password hashes"},
    {"session_ttl_s", SETTINGS_INT, AT(session_ttl_s), .min = 10, .max = 86400,
     .otherwise = "1800", .meaning = "seconds before an idle session ends"},
    {"subscriptions_per_session", SETTINGS_INT, AT(subscriptions_per_session), .min = 1,
     .max = 1000000, .otherwise = "10000", .meaning = "most subscriptions of one session"},
    {"channels_file", SETTINGS_PATH, AT(channels_file),
     .otherwise = "/srv/open-gateway/channels",
     .meaning = "where the open event channels are written; empty: nowhere"},
    {"channel_heartbeat_s", SETTINGS_INT, AT(channel_heartbeat_s), .min = 1, .max = 3600,
     .otherwise = "20", .meaning = "seconds between two keepalive lines"},
    {"health_socket", SETTINGS_PATH, AT(health_socket),
     .otherwise = "/run/open-gateway/gateway-health.sock",
     .meaning = "local health socket; empty: none"},
    {"drain_ms", SETTINGS_INT, AT(drain_ms), .min = 0, .max = 60000, .otherwise = "300",
     .meaning = "time for open requests when told to stop"},
    {"user", SETTINGS_TEXT, AT(user), .otherwise = "",
     .meaning = "become this user once the ports are bound"},
    {"cors_origins", SETTINGS_TEXTS, LIST(cors_origins, cors_origin_count), .min = 0,
     .max = GATEWAY_ORIGINS_MAX, .otherwise = "",
     .meaning = "origins that browsers may come from; \"*\" answers without credentials"},
    {"log_level", SETTINGS_LEVEL, AT(log_level), .otherwise = "info",
     .meaning = "error, warning, notice, info, debug or trace"},
    {"pbx", SETTINGS_OBJECTS, LIST(pbx, pbx_count), .min = 0, .max = PBX_MAX, .otherwise = "",
     .item = &pbx_settings_list, .meaning = "telephone systems, one object each:"},
};
static const struct settings_list table = {rows, COUNT_OF(rows), sizeof(struct gateway_settings)};
/* clang-format on */

static void check_together(const struct gateway_settings *settings, struct buf *problems)
{
    if (settings->http_port != 0 && settings->http_port == settings->https_port)
        buf_adds(problems, "http_port: is the same as https_port\n");
    if (settings->http_port == 0 && settings->http_full_access)
        buf_adds(problems, "http_full_access: makes no sense while http_port is 0\n");
}

int gateway_settings_parse(const char *text, size_t len_bytes, struct gateway_settings *settings,
                           struct buf *problems)
{
    AUTO(json_freep) cJSON *json = NULL;
    struct diag diag = {0};
    size_t before = problems->len_bytes;

    *settings = (struct gateway_settings){0};
    if (json_parse(text, len_bytes, &json, &diag) < 0) {
        buf_addf(problems, "%s\n", diag.text);
        return -EINVAL;
    }
    if (!cJSON_IsObject(json)) {
        buf_adds(problems, "the file must hold one JSON object\n");
        return -EINVAL;
    }
    settings_table_read(&table, json, settings, problems);
    check_together(settings, problems);
    pbx_settings_check(settings->pbx, settings->pbx_count, problems);
    if (settings->private_url[0] == '\0')
        memcpy(settings->private_url, settings->public_url, GATEWAY_TEXT_CHARS);
    return problems->len_bytes == before && !problems->failed ? 0 : -EINVAL;
}

int gateway_settings_read(const char *path, struct gateway_settings *settings, struct buf *problems)
{
    struct diag diag = {0};
    char *text = NULL;
    size_t len_bytes = 0;
    int r = small_file_read(path, FILE_BYTES_MAX, &text, &len_bytes, &diag);
    if (r < 0) {
        buf_addf(problems, "%s\n", diag.text);
        return r;
    }
    r = gateway_settings_parse(text, len_bytes, settings, problems);
    small_file_free(text, len_bytes);
    return r;
}

void gateway_settings_describe(struct buf *out)
{
    settings_table_describe(&table, out);
}
