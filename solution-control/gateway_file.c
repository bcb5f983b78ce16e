/* gateway_file.c - the gateway's settings, derived from the configuration. Pure. */
#include "solution-control/solution_control.h"

#include "lib/common/buf.h"

#include <stdio.h>

static void add_key(struct buf *out, const char *key, bool first)
{
    buf_addf(out, "%s\"%s\": ", first ? "" : ", ", key);
}

static void add_text(struct buf *out, const char *key, const char *value)
{
    if (value[0] == '\0') /* the gateway's own default */
        return;
    add_key(out, key, false);
    buf_add_json_string(out, value);
}

static void add_number(struct buf *out, const char *key, unsigned value)
{
    if (value == 0)
        return;
    add_key(out, key, false);
    buf_addf(out, "%u", value);
}

/* count texts of size_bytes each; those not given are empty */
static void add_texts(struct buf *out, const char *key, const char *texts, size_t size_bytes,
                      unsigned count)
{
    unsigned given = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *text = texts + i * size_bytes;
        if (text[0] == '\0')
            continue;
        if (given++ == 0) {
            add_key(out, key, false);
            buf_adds(out, "[");
        } else {
            buf_adds(out, ", ");
        }
        buf_add_json_string(out, text);
    }
    if (given > 0)
        buf_adds(out, "]");
}

static void add_pbx(struct buf *out, const struct config_pbx *pbx)
{
    add_key(out, "node", true);
    buf_addf(out, "\"%u\"", pbx->node);
    add_text(out, "address", pbx->address);
    add_number(out, "port", pbx->port);
    add_text(out, "backup_address", pbx->backup_address);
    add_number(out, "backup_port", pbx->backup_port);
    add_text(out, "session", pbx->session);
    add_text(out, "user", pbx->user);
    add_text(out, "password", pbx->password);
    add_text(out, "application_id", pbx->application_id);
    add_texts(out, "protocols", pbx->protocols[0], sizeof(pbx->protocols[0]), CONFIG_PROTOCOLS_MAX);
    add_number(out, "session_s", pbx->session_s);
    add_number(out, "directory_s", pbx->directory_s);
    add_texts(out, "devices", pbx->devices[0], sizeof(pbx->devices[0]), CONFIG_PBX_DEVICES_MAX);
}

static void add_pbxs(struct buf *out, const struct config *config)
{
    buf_adds(out, ",\n  \"pbx\": [");
    for (unsigned i = 0; i < config->pbx_count; i++) {
        buf_adds(out, i > 0 ? ",\n    {" : "\n    {");
        add_pbx(out, &config->pbx[i]);
        buf_adds(out, "}");
    }
    buf_adds(out, "]");
}

static void add_setting(struct buf *out, const char *key, const char *value)
{
    buf_addf(out, ",\n  \"%s\": ", key);
    buf_add_json_string(out, value);
}

static void add_url(struct buf *out, const char *key, const char *host, unsigned port)
{
    char url[CONFIG_NAME_CHARS + 32];
    if (port == 443)
        (void)snprintf(url, sizeof(url), "https://%s", host);
    else
        (void)snprintf(url, sizeof(url), "https://%s:%u", host, port);
    add_setting(out, key, url);
}

void sol_gateway_settings(const struct config *config, struct buf *out)
{
    const char *name = config->vip.fqdn[0] ? config->vip.fqdn : config->vip.address;
    buf_adds(out, "{\n  \"listen\": [");
    buf_add_json_string(out, config->vip.address);
    buf_addf(out, "],\n  \"https_port\": %u,\n  \"http_port\": %u,\n  \"ha\": true",
             config->gateway.https_port, config->gateway.http_port);
    add_url(out, "public_url", name, config->gateway.https_port);
    add_url(out, "private_url", config->vip.address, config->gateway.https_port);
    add_setting(out, "certificate_file", config->gateway.certificate_file);
    add_setting(out, "key_file", config->gateway.key_file);
    add_setting(out, "database_host", SOL_DATABASE_SOCKET_FOLDER);
    add_setting(out, "administrators_file", SOL_ADMINISTRATORS_FILE);
    add_setting(out, "channels_file", SOL_CHANNELS_FILE);
    add_setting(out, "health_socket", SOL_GATEWAY_HEALTH_SOCKET);
    add_setting(out, "user", "roxe-gateway");
    add_pbxs(out, config);
    buf_adds(out, "\n}\n");
}
