/* witness_check.c - is the configured witness a third machine? */
#include "ha/witness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/common/rtnl.h"

static bool is_impossible(const struct rtnl_addr *addr)
{
    if (addr->family == AF_INET)
        return addr->bytes[0] == 0 || addr->bytes[0] == 127 || addr->bytes[0] >= 224;
    struct in6_addr in6;
    memcpy(&in6, addr->bytes, sizeof(in6));
    return IN6_IS_ADDR_UNSPECIFIED(&in6) || IN6_IS_ADDR_LOOPBACK(&in6) ||
           IN6_IS_ADDR_MULTICAST(&in6) || IN6_IS_ADDR_V4MAPPED(&in6);
}

struct own_search {
    const struct rtnl_addr *wanted;
    bool found;
};

static void match_own(void *context, const struct rtnl_address *address)
{
    struct own_search *search = context;
    search->found |= rtnl_addr_same_host(search->wanted, &address->addr);
}

static int refuse_own(const struct rtnl_addr *addr, const char *text, struct diag *diag)
{
    struct rtnl *rtnl = NULL;
    int code = rtnl_new(&rtnl, diag);
    if (code < 0)
        return code;
    struct own_search search = {.wanted = addr};
    code = rtnl_address_list(rtnl, match_own, &search, diag);
    rtnl_free(rtnl);
    if (code == 0 && search.found)
        return diag_fail(
            diag, -EINVAL,
            "witness %s: this machine has that address; the witness must be a third machine", text);
    return code;
}

int witness_check_options(const struct witness_options *options, const char *const *pair_addresses,
                          size_t pair_address_count, struct diag *diag)
{
    const char *const needed[] = {options->hostaddr, options->database, options->user,
                                  options->ca_file, options->cluster};
    static const char *const names[] = {"address", "database", "user", "CA file", "cluster name"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (needed[i] == NULL || needed[i][0] == '\0')
            return diag_fail(diag, -EINVAL, "witness: the %s is missing", names[i]);
    if (options->node != ARB_NODE_PRIMARY && options->node != ARB_NODE_SECONDARY)
        return diag_fail(diag, -EINVAL, "witness: node %u is none of the pair",
                         (unsigned)options->node);

    struct rtnl_addr addr;
    if (strchr(options->hostaddr, '/') != NULL ||
        rtnl_addr_parse(options->hostaddr, &addr, NULL) < 0)
        return diag_fail(diag, -EINVAL,
                         "witness: \"%s\" is no IP address (names are not looked up)",
                         options->hostaddr);
    if (is_impossible(&addr))
        return diag_fail(diag, -EINVAL, "witness %s: this cannot be the address of a third machine",
                         options->hostaddr);
    for (size_t i = 0; i < pair_address_count; i++) {
        struct rtnl_addr own;
        if (rtnl_addr_parse(pair_addresses[i], &own, NULL) == 0 && rtnl_addr_same_host(&own, &addr))
            return diag_fail(
                diag, -EINVAL,
                "witness %s: that address belongs to the pair; the witness must be a third machine",
                options->hostaddr);
    }
    return refuse_own(&addr, options->hostaddr, diag);
}
