/* files.c - the files that other programs read. All are derived from the configuration at each
 * start, written atomically, and only when their content changes. */
#include "solution-control/solution_control.h"

#include "drbd/drbdctl_resource.h"
#include "ha/corosync_conf.h"
#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/common/small_file.h"
#include "lib/config/cluster_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int write_file(const char *path, const char *text, size_t len_bytes,
                      struct small_file_mode how, struct diag *diag)
{
    int r = small_file_update(path, text, len_bytes, &how, diag);
    return r < 0 ? r : 0;
}

static int write_buf(const char *path, struct buf *text, struct small_file_mode how,
                     struct diag *diag)
{
    int r = text->failed ? diag_fail(diag, -ENOMEM, "%s: no memory", path)
                         : write_file(path, text->data, text->len_bytes, how, diag);
    if (text->data != NULL)
        secrets_wipe(text->data, text->len_bytes);
    buf_done(text);
    return r;
}

/* Both nodes list the primary first, so that their files are equal. */
struct node_view {
    const char *name, *lan, *interconnect;
};
static void both_nodes(const struct config *config, struct node_view out[2])
{
    const struct node_view own = {config->host.name, config->host.address,
                                  config->interconnect.address};
    const struct node_view peer = {config->peer.name, config->peer.address,
                                   config->interconnect.peer_address};
    bool first = config->pair.role == CONFIG_ROLE_PRIMARY;
    out[0] = first ? own : peer;
    out[1] = first ? peer : own;
}

static int write_corosync(const struct config *config, struct diag *diag)
{
    struct node_view nodes[2];
    both_nodes(config, nodes);
    const struct corosync_conf conf = {
        .cluster = config->pair.cluster,
        .token_ms = strcmp(config->pair.profile, "fast") == 0 ? 400 : 1000,
        .version = 1,
        .nodes = {{1, nodes[0].name, {nodes[0].lan, nodes[0].interconnect}},
                  {2, nodes[1].name, {nodes[1].lan, nodes[1].interconnect}}},
    };
    uint8_t key[COROSYNC_KEY_BYTES];
    int r = cluster_key_derive(config->pair.key_file, config->pair.cluster,
                               CLUSTER_KEY_FOR_COROSYNC, key, sizeof(key), diag);
    if (r == 0)
        r = corosync_key_write_file("/etc/corosync/authkey", key, diag);
    secrets_wipe(key, sizeof(key));
    AUTO(common_freep) char *text = NULL;
    if (r >= 0)
        r = corosync_conf_render(&conf, &text, diag);
    if (r >= 0)
        r = corosync_conf_write_file("/etc/corosync/corosync.conf", text, diag);
    return r < 0 ? r : 0;
}

static int write_drbd(const struct config *config, struct diag *diag)
{
    struct node_view nodes[2];
    both_nodes(config, nodes);
    uint8_t key[24];
    char secret[2 * sizeof(key) + 1];
    const struct drbdctl_timings *timings = drbdctl_timings_named(config->pair.profile);
    int r = cluster_key_derive(config->pair.key_file, config->pair.cluster, CLUSTER_KEY_FOR_DRBD,
                               key, sizeof(key), diag);
    if (r < 0)
        return r;
    if (timings == NULL)
        return diag_fail(diag, -EINVAL, "unknown profile \"%s\"", config->pair.profile);
    secrets_hex(key, sizeof(key), secret);
    const struct drbdctl_resource resource = {
        .name = DRBDCTL_RESOURCE,
        .host = {{nodes[0].name, nodes[0].interconnect, config->drbd.device},
                 {nodes[1].name, nodes[1].interconnect, config->drbd.device}},
        .port = 7788,
        .shared_secret = secret,
        .fence_helper = DRBDCTL_FENCE_HELPER,
        .timings = *timings,
    };
    struct buf text = {0}, global = {0};
    r = drbdctl_resource_text(&resource, &text, diag);
    secrets_wipe(key, sizeof(key));
    secrets_wipe(secret, sizeof(secret));
    drbdctl_global_text(&global);
    if (r == 0)
        r = write_buf("/etc/drbd.d/" DRBDCTL_RESOURCE ".res", &text,
                      (struct small_file_mode){0600, NULL}, diag);
    if (r == 0)
        r = write_buf("/etc/drbd.d/global_common.conf", &global,
                      (struct small_file_mode){0644, NULL}, diag);
    buf_done(&text);
    buf_done(&global);
    return r;
}

static int write_gateway(const struct config *config, struct diag *diag)
{
    struct buf out = {0};
    sol_gateway_settings(config, &out);
    return write_buf(SOL_GATEWAY_CONFIG, &out, (struct small_file_mode){0640, "roxe-gateway"},
                     diag);
}

static int write_administrators(const struct config *config, struct diag *diag)
{
    struct buf out = {0};
    buf_adds(&out, "{\"administrators\": [{\"login\": ");
    buf_add_json_string(&out, config->administrator.login);
    buf_adds(&out, ", \"password_hash\": ");
    buf_add_json_string(&out, config->administrator.password_hash);
    buf_adds(&out, "}]}\n");
    return write_buf(SOL_ADMINISTRATORS_FILE, &out, (struct small_file_mode){0640, "roxe-gateway"},
                     diag);
}

/* Peer authentication only: the operating system says who connects. */
static int write_database_access(struct diag *diag)
{
    static const char hba[] = "local all all peer map=open-gateway\n";
    static const char ident[] = "open-gateway root postgres\n"
                                "open-gateway postgres postgres\n"
                                "open-gateway roxe-gateway roxe-gateway\n";
    int r = write_file(SOL_RUN_FOLDER "/pg_hba.conf", hba, strlen(hba),
                       (struct small_file_mode){0640, "postgres"}, diag);
    if (r == 0)
        r = write_file(SOL_RUN_FOLDER "/pg_ident.conf", ident, strlen(ident),
                       (struct small_file_mode){0640, "postgres"}, diag);
    return r;
}

static int write_witness_password(const struct config *config, struct diag *diag)
{
    return write_file(CONFIG_FOLDER "/witness.password", config->witness.password,
                      strlen(config->witness.password), (struct small_file_mode){0600, NULL}, diag);
}

int sol_files_write(const struct config *config, struct diag *diag)
{
    int r = write_corosync(config, diag);
    if (r == 0)
        r = write_drbd(config, diag);
    if (r == 0)
        r = write_gateway(config, diag);
    if (r == 0)
        r = write_administrators(config, diag);
    if (r == 0)
        r = write_database_access(diag);
    if (r == 0)
        r = write_witness_password(config, diag);
    return r;
}

int sol_vip_address(const struct config *config, struct rtnl_addr *ret_address, struct diag *diag)
{
    char text[CONFIG_ADDRESS_CHARS + 8];
    (void)snprintf(text, sizeof(text), "%s/%u", config->vip.address, config->vip.prefix);
    return rtnl_addr_parse(text, ret_address, diag);
}

/* What both nodes must agree on, as one number: they compare it before they call themselves a
 * pair. Node-specific settings are left out. */
uint64_t sol_config_generation(const struct config *config)
{
    struct node_view nodes[2];
    struct buf text = {0};
    uint8_t digest[SECRETS_SHA256_BYTES];
    uint64_t number;
    both_nodes(config, nodes);
    buf_addf(&text, "%s|%s|%s/%u|%s|%u|%s", config->pair.cluster, config->pair.profile,
             config->vip.address, config->vip.prefix, config->witness.address, config->witness.port,
             config->witness.database);
    for (unsigned i = 0; i < 2; i++)
        buf_addf(&text, "|%s|%s|%s", nodes[i].name, nodes[i].lan, nodes[i].interconnect);
    secrets_sha256(text.data != NULL ? text.data : "", text.len_bytes, digest);
    buf_done(&text);
    memcpy(&number, digest, sizeof(number));
    return number;
}
