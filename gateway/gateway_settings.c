#include "gateway/gateway_settings.h"

#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

enum kind { KIND_TEXT, KIND_PATH, KIND_URL, KIND_LEVEL, KIND_BOOL, KIND_INT, KIND_TEXTS };

struct row {
    const char *key;
    enum kind kind;
    size_t offset, count_offset; /* count_offset: of the number of texts, KIND_TEXTS only */
    int64_t min, max;            /* of a number, or of the number of texts */
    const char *otherwise;       /* default; NULL: must be given */
    const char *meaning;
};

#define AT(member) offsetof(struct gateway_settings, member), 0
#define LIST(member, count)                                                                        \
    offsetof(struct gateway_settings, member), offsetof(struct gateway_settings, count)

/* clang-format off */
static const struct row rows[] = {
    {"listen", KIND_TEXTS, LIST(listen, listen_count), 1, GATEWAY_LISTEN_MAX, NULL,
     "numeric addresses to listen on"},
    {"public_url", KIND_URL, AT(public_url), 0, 0, NULL,
     "address that clients use: https://host or https://host:port"},
    {"certificate_file", KIND_PATH, AT(certificate_file), 0, 0, NULL, "certificate chain, PEM"},
    {"key_file", KIND_PATH, AT(key_file), 0, 0, NULL, "private key, PEM"},
    {"private_url", KIND_URL, AT(private_url), 0, 0, "",
     "the same through the private address; empty: public_url"},
    {"https_port", KIND_INT, AT(https_port), 1, 65535, "443", "port for TLS"},
    {"http_port", KIND_INT, AT(http_port), 0, 65535, "0", "port for clear text, 0 for none"},
    {"http_full_access", KIND_BOOL, AT(http_full_access), 0, 0, "false",
     "clear text may do everything, not only read the root descriptor"},
    {"ha", KIND_BOOL, AT(ha), 0, 0, "false", "high availability, as told to clients"},
    {"product_name", KIND_TEXT, AT(product_name), 0, 0, "O2G compatible server",
     "serverInfo.productName"},
    {"product_major", KIND_TEXT, AT(product_major), 0, 0, "2.7",
     "serverInfo.productVersion.major"},
    {"product_minor", KIND_TEXT, AT(product_minor), 0, 0, "004.001",
     "serverInfo.productVersion.minor"},
    {"database_host", KIND_PATH, AT(database_host), 0, 0, "/run/open-gateway/pg",
     "folder of PostgreSQL's socket"},
    {"database_port", KIND_INT, AT(database_port), 1, 65535, "5432",
     "number in the socket's name"},
    {"database_name", KIND_TEXT, AT(database_name), 0, 0, "api", "database"},
    {"database_user", KIND_TEXT, AT(database_user), 0, 0, "roxe-gateway", "PostgreSQL role"},
    {"administrators_file", KIND_PATH, AT(administrators_file), 0, 0,
     "/etc/open-gateway/administrators.json", "logins and password hashes"},
    {"session_ttl_s", KIND_INT, AT(session_ttl_s), 10, 86400, "1800",
     "seconds before an idle session ends"},
    {"subscriptions_per_session", KIND_INT, AT(subscriptions_per_session), 1, 1000000, "10000",
     "most subscriptions of one session"},
    {"channels_file", KIND_PATH, AT(channels_file), 0, 0, "/srv/open-gateway/channels",
     "where the open event channels are written; empty: nowhere"},
    {"channel_heartbeat_s", KIND_INT, AT(channel_heartbeat_s), 1, 3600, "20",
     "seconds between two keepalive lines"},
    {"health_socket", KIND_PATH, AT(health_socket), 0, 0,
     "/run/open-gateway/gateway-health.sock", "local health socket; empty: none"},
    {"drain_ms", KIND_INT, AT(drain_ms), 0, 60000, "300",
     "time for open requests when told to stop"},
    {"user", KIND_TEXT, AT(user), 0, 0, "", "become this user once the ports are bound"},
    {"cors_origins", KIND_TEXTS, LIST(cors_origins, cors_origin_count), 0, GATEWAY_ORIGINS_MAX, "",
     "origins that browsers may come from; \"*\" answers without credentials"},
    {"log_level", KIND_LEVEL, AT(log_level), 0, 0, "info",
     "error, warning, notice, info, debug or trace"},
};
/* clang-format on */

static void problem(struct buf *problems, const struct row *row, const char *what)
{
    buf_addf(problems, "%s: %s\n", row->key, what);
}

static bool url_is_right(const char *url)
{
    const char *rest = NULL;
    if (strncmp(url, "https://", 8) == 0)
        rest = url + 8;
    else if (strncmp(url, "http://", 7) == 0)
        rest = url + 7;
    return rest != NULL && *rest != '\0' && strpbrk(rest, "/?# \"\\@") == NULL;
}

static void check_text(const struct row *row, const char *text, struct buf *problems)
{
    enum log_level level;
    for (const char *c = text; row->kind == KIND_TEXT && *c != '\0'; c++) {
        if (*c < 0x20 || *c > 0x7e) { /* the root descriptor is ISO-8859-1 */
            problem(problems, row, "may hold printable ASCII only");
            break;
        }
    }
    if (row->kind == KIND_PATH && *text != '\0' && *text != '/')
        problem(problems, row, "must be an absolute path");
    if (row->kind == KIND_URL && *text != '\0' && !url_is_right(text))
        problem(problems, row, "must be https://host or https://host:port, nothing behind it");
    if (row->kind == KIND_LEVEL && !log_level_parse(text, &level))
        problem(problems, row, "must be error, warning, notice, info, debug or trace");
}

static void read_text(const struct row *row, const cJSON *value, char *place, struct buf *problems)
{
    const char *text = cJSON_GetStringValue(value);
    if (text == NULL) {
        problem(problems, row, "must be a text");
        return;
    }
    if (row->otherwise == NULL && *text == '\0') {
        problem(problems, row, "must not be empty");
        return;
    }
    if (snprintf(place, GATEWAY_TEXT_CHARS, "%s", text) >= GATEWAY_TEXT_CHARS) {
        problem(problems, row, "is longer than 255 bytes");
        return;
    }
    check_text(row, place, problems);
}

static void read_texts(const struct row *row, const cJSON *value, char *base, struct buf *problems)
{
    char(*texts)[GATEWAY_TEXT_CHARS] = (void *)(base + row->offset);
    unsigned *count = (void *)(base + row->count_offset);

    if (!cJSON_IsArray(value)) {
        problem(problems, row, "must be a list of texts");
        return;
    }
    int size = cJSON_GetArraySize(value);
    if (size < row->min || size > row->max) {
        buf_addf(problems, "%s: must have %lld to %lld entries\n", row->key, (long long)row->min,
                 (long long)row->max);
        return;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, value) read_text(row, item, texts[(*count)++], problems);
}

static void read_number(const struct row *row, const cJSON *value, int64_t *place,
                        struct buf *problems)
{
    double number = cJSON_GetNumberValue(value);
    if (!cJSON_IsNumber(value) || number < (double)row->min || number > (double)row->max ||
        number != (double)(int64_t)number) {
        buf_addf(problems, "%s: must be a whole number from %lld to %lld\n", row->key,
                 (long long)row->min, (long long)row->max);
        return;
    }
    *place = (int64_t)number;
}

static void read_row(const struct row *row, const cJSON *value, struct gateway_settings *settings,
                     struct buf *problems)
{
    char *base = (char *)settings;
    switch (row->kind) {
    case KIND_TEXT:
    case KIND_PATH:
    case KIND_URL:
    case KIND_LEVEL:
        read_text(row, value, base + row->offset, problems);
        return;
    case KIND_TEXTS:
        read_texts(row, value, base, problems);
        return;
    case KIND_INT:
        read_number(row, value, (void *)(base + row->offset), problems);
        return;
    case KIND_BOOL:
        if (cJSON_IsBool(value))
            *(bool *)(void *)(base + row->offset) = cJSON_IsTrue(value);
        else
            problem(problems, row, "must be true or false");
        return;
    }
}

static void set_default(const struct row *row, struct gateway_settings *settings,
                        struct buf *problems)
{
    char *base = (char *)settings;
    if (row->otherwise == NULL)
        problem(problems, row, "must be given");
    else if (row->kind == KIND_INT)
        *(int64_t *)(void *)(base + row->offset) = strtoll(row->otherwise, NULL, 10);
    else if (row->kind != KIND_BOOL && row->kind != KIND_TEXTS)
        (void)snprintf(base + row->offset, GATEWAY_TEXT_CHARS, "%s", row->otherwise);
}

static void check_names(const cJSON *json, struct buf *problems)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json)
    {
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            known = known || strcmp(rows[i].key, item->string) == 0;
        if (!known)
            buf_addf(problems, "%.64s: there is no such setting\n", item->string);
    }
}

static void check_together(const struct gateway_settings *settings, struct buf *problems)
{
    for (unsigned i = 0; i < settings->listen_count; i++) {
        unsigned char address[sizeof(struct in6_addr)];
        const char *text = settings->listen[i];
        if (inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1)
            buf_addf(problems, "listen: %.64s is no numeric address\n", text);
    }
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
    check_names(json, problems);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, rows[i].key);
        if (value == NULL)
            set_default(&rows[i], settings, problems);
        else
            read_row(&rows[i], value, settings, problems);
    }
    check_together(settings, problems);
    if (settings->private_url[0] == '\0')
        memcpy(settings->private_url, settings->public_url, GATEWAY_TEXT_CHARS);
    return problems->len_bytes == before && !problems->failed ? 0 : -EINVAL;
}

int gateway_settings_read(const char *path, struct gateway_settings *settings, struct buf *problems)
{
    AUTO(common_freep) char *text = malloc(FILE_BYTES_MAX + 1);
    if (text == NULL)
        return -ENOMEM;
    AUTO(common_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len_bytes = fd < 0 ? -1 : read(fd, text, FILE_BYTES_MAX + 1);
    if (len_bytes < 0) {
        int r = -errno;
        buf_addf(problems, "%s: cannot be read: %s\n", path, strerror(-r));
        return r;
    }
    if (len_bytes > FILE_BYTES_MAX) {
        buf_addf(problems, "%s: is longer than 64 KiB\n", path);
        return -EINVAL;
    }
    return gateway_settings_parse(text, (size_t)len_bytes, settings, problems);
}

void gateway_settings_describe(struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *otherwise = rows[i].otherwise;
        if (rows[i].kind == KIND_TEXTS && otherwise != NULL)
            otherwise = "[]";
        buf_addf(out, "  %-26s %s", rows[i].key, rows[i].meaning);
        if (otherwise == NULL)
            buf_adds(out, " (required)\n");
        else
            buf_addf(out, " (default: %s)\n", *otherwise == '\0' ? "empty" : otherwise);
    }
}
