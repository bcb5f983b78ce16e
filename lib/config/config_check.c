/* config_check.c - what does not fit together, although each value alone is fine. Pure. */
#include "lib/config/config.h"

#include "lib/common/common.h"
#include "lib/config/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* An address of the file with its place, for comparing each with each. */
struct place {
    enum config_setting_id id;
    const char *text; /* "" when not given */
    const char *meaning;
};

static unsigned line_of(const struct config *config, enum config_setting_id id)
{
    return config->lines[0][id];
}

static bool to_number(const char *text, uint32_t *ret_host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ret_host = ntohl(address.s_addr);
    return true;
}

static uint32_t mask_of(unsigned prefix)
{
    return prefix == 0 ? 0 : 0xffffffffu << (32 - prefix);
}

/* false also when one of them is not given */
static bool in_one_network(const char *a, const char *b, unsigned prefix)
{
    uint32_t x, y;
    return prefix > 0 && prefix <= 32 && to_number(a, &x) && to_number(b, &y) &&
           ((x ^ y) & mask_of(prefix)) == 0;
}

static void check_required_row(const struct config *config, const struct config_setting *row,
                               unsigned repeat, struct config_problems *problems)
{
    /* a value that was refused stands somewhere: that problem is told already */
    if (!(row->flags & CONFIG_REQUIRED) || config->lines[repeat][row->id] != 0)
        return;
    struct buf value = {0};
    bool given = row->type != CONFIG_TYPE_ROLE &&
                 config_setting_print(row, config, (struct config_at){repeat, 0}, &value);
    buf_done(&value);
    if (!given)
        config_problem_add(problems, config->section_lines[repeat][row->section],
                           "%s/%s is missing: %s", config_section_name(row->section), row->name,
                           row->help);
}

static void check_required(const struct config *config, struct config_problems *problems)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        unsigned count = config_section_count(row->section, config);
        for (unsigned repeat = 0; repeat < count; repeat++)
            check_required_row(config, row, repeat, problems);
    }
    if (config->administrator.password[0] == '\0' &&
        config->administrator.password_hash[0] == '\0' &&
        line_of(config, CONFIG_ADMINISTRATOR_PASSWORD) == 0 &&
        line_of(config, CONFIG_ADMINISTRATOR_HASH) == 0)
        config_problem_add(problems, config->section_lines[0][CONFIG_SECTION_ADMINISTRATOR],
                           "administrator/password is missing: at least 8 characters");
}

/* Every machine address once: two equal ones are a contradiction whatever they mean. */
static void check_addresses_differ(const struct config *config, struct config_problems *problems)
{
    const struct place places[] = {
        {CONFIG_HOST_ADDRESS, config->host.address, "this node's address"},
        {CONFIG_PEER_ADDRESS, config->peer.address, "the other node's address"},
        {CONFIG_VIP_ADDRESS, config->vip.address, "the global server's address"},
        {CONFIG_INTERCONNECT_ADDRESS, config->interconnect.address,
         "this node's interconnect address"},
        {CONFIG_INTERCONNECT_PEER_ADDRESS, config->interconnect.peer_address,
         "the other node's interconnect address"},
        {CONFIG_WITNESS_ADDRESS, config->witness.address, "the witness"},
    };
    for (unsigned i = 0; i < COUNT_OF(places); i++)
        for (unsigned j = 0; j < i; j++) {
            uint32_t a, b;
            if (!to_number(places[i].text, &a) || !to_number(places[j].text, &b) || a != b)
                continue;
            if (places[i].id == CONFIG_WITNESS_ADDRESS)
                config_problem_add(problems, line_of(config, places[i].id),
                                   "the witness must be a third machine, but %s is %s",
                                   places[i].text, places[j].meaning);
            else
                config_problem_add(problems, line_of(config, places[i].id),
                                   "%s is %s and also %s (line %u); every machine needs its own",
                                   places[i].text, places[i].meaning, places[j].meaning,
                                   line_of(config, places[j].id));
        }
    if (config->host.gateway[0] != '\0' && strcmp(config->host.gateway, config->vip.address) == 0)
        config_problem_add(problems, line_of(config, CONFIG_HOST_GATEWAY),
                           "the gateway cannot be the global server's address %s",
                           config->vip.address);
}

/* The first and the last address of a network belong to no machine. */
static void check_inner(const struct config *config, const struct place *place, unsigned prefix,
                        struct config_problems *problems)
{
    uint32_t host;
    if (prefix == 0 || prefix >= 31 || !to_number(place->text, &host))
        return;
    uint32_t inner = host & ~mask_of(prefix);
    if (inner == 0 || inner == ~mask_of(prefix))
        config_problem_add(problems, line_of(config, place->id),
                           "%s is the %s address of its network (/%u), not a machine's",
                           place->text, inner == 0 ? "first" : "broadcast", prefix);
}

static void check_lan(const struct config *config, struct config_problems *problems)
{
    const struct place places[] = {
        {CONFIG_PEER_ADDRESS, config->peer.address, "the other node"},
        {CONFIG_VIP_ADDRESS, config->vip.address, "the global server's address"},
        {CONFIG_HOST_GATEWAY, config->host.gateway, "the gateway"},
    };
    const struct place own = {CONFIG_HOST_ADDRESS, config->host.address, "this node"};
    check_inner(config, &own, config->host.prefix, problems);
    for (unsigned i = 0; i < COUNT_OF(places); i++) {
        if (places[i].text[0] == '\0' || own.text[0] == '\0' || config->host.prefix == 0)
            continue;
        if (!in_one_network(places[i].text, own.text, config->host.prefix))
            config_problem_add(problems, line_of(config, places[i].id),
                               "%s (%s) is not in the network of %s/%u, where clients reach it",
                               places[i].meaning, places[i].text, own.text, config->host.prefix);
        else
            check_inner(config, &places[i], config->host.prefix, problems);
    }
}

static void check_interconnect(const struct config *config, struct config_problems *problems)
{
    const char *own = config->interconnect.address, *peer = config->interconnect.peer_address;
    unsigned prefix = config->interconnect.prefix, lan = config->host.prefix;
    unsigned wider = prefix < lan ? prefix : lan;

    if (config->host.interface[0] != '\0' &&
        strcmp(config->interconnect.interface, config->host.interface) == 0)
        config_problem_add(
            problems, line_of(config, CONFIG_INTERCONNECT_INTERFACE),
            "the interconnect needs an interface of its own, %s carries the clients' "
            "network",
            config->host.interface);
    if (prefix > 0 && lan > 0 && in_one_network(own, config->host.address, wider))
        config_problem_add(problems, line_of(config, CONFIG_INTERCONNECT_ADDRESS),
                           "the interconnect %s/%u lies in the clients' network %s/%u; give it a "
                           "network of its own",
                           own, prefix, config->host.address, lan);
    if (prefix > 0 && own[0] != '\0' && peer[0] != '\0' && !in_one_network(own, peer, prefix))
        config_problem_add(problems, line_of(config, CONFIG_INTERCONNECT_PEER_ADDRESS),
                           "%s and %s are not in one network of /%u, so the nodes would not reach "
                           "each other",
                           own, peer, prefix);
    const struct place places[] = {{CONFIG_INTERCONNECT_ADDRESS, own, ""},
                                   {CONFIG_INTERCONNECT_PEER_ADDRESS, peer, ""}};
    for (unsigned i = 0; i < COUNT_OF(places); i++)
        check_inner(config, &places[i], prefix, problems);
    /* over the interconnect only the two nodes are reached: a witness there dies with it */
    if (prefix > 0 && in_one_network(own, config->witness.address, prefix))
        config_problem_add(problems, line_of(config, CONFIG_WITNESS_ADDRESS),
                           "the witness %s lies in the interconnect's network; it must stay "
                           "reachable when that link is cut",
                           config->witness.address);
}

static void check_names(const struct config *config, struct config_problems *problems)
{
    struct {
        enum config_setting_id id, other;
        const char *a, *b, *what;
    } const pairs[] = {
        {CONFIG_PEER_NAME, CONFIG_HOST_NAME, config->peer.name, config->host.name, "names"},
        {CONFIG_PEER_FQDN, CONFIG_HOST_FQDN, config->peer.fqdn, config->host.fqdn, "fqdns"},
        {CONFIG_VIP_FQDN, CONFIG_HOST_FQDN, config->vip.fqdn, config->host.fqdn, "fqdns"},
        {CONFIG_VIP_FQDN, CONFIG_PEER_FQDN, config->vip.fqdn, config->peer.fqdn, "fqdns"},
    };
    for (unsigned i = 0; i < COUNT_OF(pairs); i++)
        if (pairs[i].a[0] != '\0' && strcasecmp(pairs[i].a, pairs[i].b) == 0)
            config_problem_add(problems, line_of(config, pairs[i].id),
                               "%s/%s and %s/%s are both %s; each needs its own",
                               config_section_name(config_setting_at(pairs[i].id)->section),
                               config_setting_at(pairs[i].id)->name,
                               config_section_name(config_setting_at(pairs[i].other)->section),
                               config_setting_at(pairs[i].other)->name, pairs[i].a);
}

static void check_rest(const struct config *config, struct config_problems *problems)
{
    if (strncmp(config->drbd.device, "/dev/drbd", 9) == 0)
        config_problem_add(problems, line_of(config, CONFIG_DRBD_DEVICE),
                           "%s is a replicated device itself; name the disk or partition below it",
                           config->drbd.device);
    if (config->gateway.http_port != 0 && config->gateway.http_port == config->gateway.https_port)
        config_problem_add(problems, line_of(config, CONFIG_GATEWAY_HTTP_PORT),
                           "http-port and https-port are both %u; use 0 for no http",
                           config->gateway.http_port);
    bool own_certificate = line_of(config, CONFIG_GATEWAY_CERTIFICATE) != 0;
    bool own_key = line_of(config, CONFIG_GATEWAY_KEY) != 0;
    if (own_certificate != own_key)
        config_problem_add(
            problems,
            line_of(config, own_certificate ? CONFIG_GATEWAY_CERTIFICATE : CONFIG_GATEWAY_KEY),
            "certificate-file and key-file belong together; give both, or none and "
            "the installer makes them");
    if (config->administrator.password[0] != '\0' &&
        strcmp(config->administrator.password, config->administrator.login) == 0)
        config_problem_add(problems, line_of(config, CONFIG_ADMINISTRATOR_PASSWORD),
                           "the administrator's password is the login; choose another");
    if (config->administrator.password[0] != '\0' && config->administrator.password_hash[0] != '\0')
        config_problem_add(problems, line_of(config, CONFIG_ADMINISTRATOR_HASH),
                           "password and password-hash are both given; remove one");
}

/* Gateway and PBX talk over the clients' network: none of the pair's addresses can be a PBX. */
static void check_pbx_address(const struct config *config, unsigned line, const char *text,
                              struct config_problems *problems)
{
    const struct {
        const char *text, *meaning;
    } taken[] = {{config->host.address, "this node's address"},
                 {config->peer.address, "the other node's address"},
                 {config->vip.address, "the global server's address"}};
    for (unsigned i = 0; i < COUNT_OF(taken); i++)
        if (text[0] != '\0' && strcmp(text, taken[i].text) == 0)
            config_problem_add(problems, line, "the pbx %s is %s", text, taken[i].meaning);
}

static void check_pbx(const struct config *config, unsigned number,
                      struct config_problems *problems)
{
    const struct config_pbx *pbx = &config->pbx[number];
    const uint16_t *lines = config->lines[number];
    check_pbx_address(config, lines[CONFIG_PBX_ADDRESS], pbx->address, problems);
    check_pbx_address(config, lines[CONFIG_PBX_BACKUP_ADDRESS], pbx->backup_address, problems);
    if (pbx->backup_port != 0 && pbx->backup_address[0] == '\0')
        config_problem_add(problems, lines[CONFIG_PBX_BACKUP_PORT],
                           "pbx/backup-port is given without backup-address");
    if (pbx->backup_address[0] != '\0' && strcmp(pbx->backup_address, pbx->address) == 0 &&
        (pbx->backup_port == 0 || pbx->backup_port == pbx->port))
        config_problem_add(problems, lines[CONFIG_PBX_BACKUP_ADDRESS],
                           "the backup host is the main host %s; leave it out or name the other",
                           pbx->address);
    if (pbx->password[0] != '\0' && pbx->user[0] == '\0')
        config_problem_add(problems, lines[CONFIG_PBX_PASSWORD],
                           "pbx/password is given without user");
    if (pbx->user[0] != '\0' && strcmp(pbx->session, "none") == 0)
        config_problem_add(problems, lines[CONFIG_PBX_USER],
                           "pbx/user needs the session ecma354, which carries it");
    for (unsigned i = 0; i < number; i++)
        if (pbx->node != 0 && pbx->node == config->pbx[i].node)
            config_problem_add(problems, lines[CONFIG_PBX_NODE],
                               "two pbx have the node number %u (the other on line %u)", pbx->node,
                               config->lines[i][CONFIG_PBX_NODE]);
}

int config_check(const struct config *config, struct config_problems *problems)
{
    unsigned before = problems->count;
    check_required(config, problems);
    check_addresses_differ(config, problems);
    check_lan(config, problems);
    check_interconnect(config, problems);
    check_names(config, problems);
    check_rest(config, problems);
    for (unsigned i = 0; i < config->pbx_count; i++)
        check_pbx(config, i, problems);
    return problems->count == before ? 0 : -EINVAL;
}
