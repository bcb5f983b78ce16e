#include "drbd/drbdctl_resource.h"

#include "lib/common/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    NAME_MAX_CHARS = 63,
    PATH_MAX_CHARS = 200,
    RESYNC_MIN_DEFAULT = 8 * 1024,   /* KiB/s */
    RESYNC_MAX_DEFAULT = 400 * 1024, /* KiB/s */
    RESYNC_LIMIT = 4 * 1024 * 1024,  /* the kernel's own */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* clang-format off */
static const struct {
    const char *profile;
    struct drbdctl_timings timings;
} profiles[] = {
    { "fast", { .ping_int_s = 1, .ping_timeout_ds = 5, .timeout_ds = 9,  .connect_int_s = 1, .ko_count = 4 } },
    { "safe", { .ping_int_s = 2, .ping_timeout_ds = 5, .timeout_ds = 15, .connect_int_s = 3, .ko_count = 4 } },
};
/* clang-format on */

const struct drbdctl_timings *drbdctl_timings_named(const char *profile)
{
    for (size_t i = 0; i < COUNT_OF(profiles); i++)
        if (strcmp(profiles[i].profile, profile) == 0)
            return &profiles[i].timings;
    return NULL;
}

static int check_range(const char *name, uint32_t value, uint32_t low, uint32_t high,
                       struct diag *diag)
{
    if (value >= low && value <= high)
        return 0;
    return diag_fail(diag, -EINVAL, "DRBD %s is %u; it must be between %u and %u", name, value, low,
                     high);
}

int drbdctl_timings_check(const struct drbdctl_timings *timings, struct diag *diag)
{
    const struct {
        const char *name;
        uint32_t value, low, high;
    } ranges[] = {
        {"ping-int", timings->ping_int_s, 1, 120},
        {"ping-timeout", timings->ping_timeout_ds, 1, 300},
        {"timeout", timings->timeout_ds, 1, 600},
        {"connect-int", timings->connect_int_s, 1, 120},
        {"ko-count", timings->ko_count, 1, 200}, /* 0 would wait for a dead disk for ever */
    };
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        int r = check_range(ranges[i].name, ranges[i].value, ranges[i].low, ranges[i].high, diag);
        if (r < 0)
            return r;
    }
    if (timings->timeout_ds >= 10 * timings->ping_int_s)
        return diag_fail(
            diag, -EINVAL,
            "DRBD timeout (%u tenths of a second) must be shorter than ping-int (%u s)",
            timings->timeout_ds, timings->ping_int_s);
    if (timings->timeout_ds >= 10 * timings->connect_int_s)
        return diag_fail(
            diag, -EINVAL,
            "DRBD timeout (%u tenths of a second) must be shorter than connect-int (%u s)",
            timings->timeout_ds, timings->connect_int_s);
    if (timings->ping_timeout_ds >= timings->timeout_ds)
        return diag_fail(
            diag, -EINVAL,
            "DRBD ping-timeout (%u) must be shorter than timeout (%u tenths of a second)",
            timings->ping_timeout_ds, timings->timeout_ds);
    return 0;
}

uint32_t drbdctl_timings_loss_active_ms(const struct drbdctl_timings *timings)
{
    return 1000 * timings->ping_int_s + 100 * timings->ping_timeout_ds;
}

uint32_t drbdctl_timings_loss_standby_ms(const struct drbdctl_timings *timings)
{
    return 2000 * timings->ping_int_s + 100 * timings->ping_timeout_ds;
}

/* --- checks of the words that come from outside ---------------------------------------------- */

static int check_word(const char *what, const char *word, const char *allowed, size_t max_chars,
                      struct diag *diag)
{
    if (word == NULL || word[0] == '\0')
        return diag_fail(diag, -EINVAL, "DRBD: the %s is missing", what);
    size_t len = strlen(word);
    if (len > max_chars)
        return diag_fail(diag, -EINVAL, "DRBD: the %s is longer than %zu characters", what,
                         max_chars);
    if (strspn(word, allowed) != len)
        return diag_fail(diag, -EINVAL, "DRBD: the %s contains a character that is not allowed",
                         what);
    return 0;
}

static int check_path(const char *what, const char *path, const char *folder, struct diag *diag)
{
    /* ':' and '@' stand in names below /dev/disk; none of these means anything to a shell */
    int r = check_word(what, path, LETTERS DIGITS "/._+:@-", PATH_MAX_CHARS, diag);
    if (r < 0)
        return r;
    if (strncmp(path, folder, strlen(folder)) != 0 || strlen(path) == strlen(folder))
        return diag_fail(diag, -EINVAL, "DRBD: the %s must be a path below %s", what, folder);
    if (strstr(path, "/../") != NULL)
        return diag_fail(diag, -EINVAL, "DRBD: the %s must not contain '..'", what);
    return 0;
}

/* AF_INET, AF_INET6, or 0 for no literal address. */
static int family_of(const char *address)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    if (address == NULL)
        return 0;
    if (inet_pton(AF_INET, address, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, address, bytes) == 1 ? AF_INET6 : 0;
}

static int check_host(const struct drbdctl_host *host, struct diag *diag)
{
    int r = check_word("node name", host->name, LETTERS DIGITS ".-", NAME_MAX_CHARS, diag);
    if (r < 0)
        return r;
    if (host->name[0] == '-' || host->name[0] == '.')
        return diag_fail(diag, -EINVAL, "DRBD: the node name must begin with a letter or digit");
    if (family_of(host->address) == 0)
        return diag_fail(diag, -EINVAL,
                         "DRBD: the interconnect address of node %s is no IPv4 or IPv6 address",
                         host->name);
    r = check_path("backing disk", host->disk, "/dev/", diag);
    return r < 0 ? diag_within(diag, r, "node %s", host->name) : 0;
}

static int check_pair(const struct drbdctl_host host[2], struct diag *diag)
{
    if (strcmp(host[0].name, host[1].name) == 0)
        return diag_fail(diag, -EINVAL, "DRBD: both nodes are called %s", host[0].name);
    if (strcmp(host[0].address, host[1].address) == 0)
        return diag_fail(diag, -EINVAL, "DRBD: both nodes have the interconnect address %s",
                         host[0].address);
    if (family_of(host[0].address) != family_of(host[1].address))
        return diag_fail(diag, -EINVAL,
                         "DRBD: the interconnect addresses must both be IPv4 or both IPv6");
    return 0;
}

static int check_secret(const char *secret, struct diag *diag)
{
    int r = check_word("shared secret", secret, LETTERS DIGITS "-_", DRBDCTL_SECRET_MAX, diag);
    if (r < 0)
        return r;
    if (strlen(secret) < DRBDCTL_SECRET_MIN)
        return diag_fail(diag, -EINVAL, "DRBD: the shared secret is shorter than %d characters",
                         DRBDCTL_SECRET_MIN);
    return 0;
}

static int check_numbers(const struct drbdctl_resource *resource, struct diag *diag)
{
    if (resource->port == 0)
        return diag_fail(diag, -EINVAL, "DRBD: the port is missing");
    int r = check_range("minor", resource->minor, 0, DRBDCTL_MINOR_MAX, diag);
    if (r == 0 && resource->resync_min_kib_per_s != 0)
        r = check_range("c-min-rate", resource->resync_min_kib_per_s, 250, RESYNC_LIMIT, diag);
    if (r == 0 && resource->resync_max_kib_per_s != 0)
        r = check_range("c-max-rate", resource->resync_max_kib_per_s, 250, RESYNC_LIMIT, diag);
    return r;
}

static uint32_t resync_min(const struct drbdctl_resource *resource)
{
    return resource->resync_min_kib_per_s != 0 ? resource->resync_min_kib_per_s
                                               : (uint32_t)RESYNC_MIN_DEFAULT;
}

static uint32_t resync_max(const struct drbdctl_resource *resource)
{
    return resource->resync_max_kib_per_s != 0 ? resource->resync_max_kib_per_s
                                               : (uint32_t)RESYNC_MAX_DEFAULT;
}

int drbdctl_resource_check(const struct drbdctl_resource *resource, struct diag *diag)
{
    int r = check_word("resource name", resource->name, LETTERS DIGITS "-_", NAME_MAX_CHARS, diag);
    for (size_t i = 0; r == 0 && i < COUNT_OF(resource->host); i++)
        r = check_host(&resource->host[i], diag);
    if (r == 0)
        r = check_pair(resource->host, diag);
    if (r == 0)
        r = check_numbers(resource, diag);
    if (r == 0 && resync_min(resource) > resync_max(resource))
        r = diag_fail(diag, -EINVAL, "DRBD: c-min-rate is above c-max-rate");
    if (r == 0)
        r = check_secret(resource->shared_secret, diag);
    if (r == 0)
        r = check_path("fence helper", resource->fence_helper, "/", diag);
    if (r == 0)
        r = drbdctl_timings_check(&resource->timings, diag);
    return r;
}

/* --- the text -------------------------------------------------------------------------------- */

/* Every word is quoted although the checks leave nothing to quote: two locks instead of one. */
static void add_quoted(struct buf *text, const char *word)
{
    buf_adds(text, "\"");
    for (; *word != '\0'; word++) {
        if (*word == '"' || *word == '\\')
            buf_adds(text, "\\");
        buf_add(text, word, 1);
    }
    buf_adds(text, "\"");
}

static void add_quoted_option(struct buf *text, const char *option, const char *word)
{
    buf_addf(text, "        %s ", option);
    add_quoted(text, word);
    buf_adds(text, ";\n");
}

static void add_host(struct buf *text, const struct drbdctl_resource *resource,
                     const struct drbdctl_host *host)
{
    bool is_ipv6 = family_of(host->address) == AF_INET6;
    buf_adds(text, "    on ");
    add_quoted(text, host->name);
    buf_addf(text, " {\n        device /dev/drbd%u minor %u;\n", resource->minor, resource->minor);
    add_quoted_option(text, "disk", host->disk);
    buf_adds(text, "        meta-disk internal;\n");
    buf_addf(text,
             is_ipv6 ? "        address ipv6 [%s]:%u;\n    }\n"
                     : "        address ipv4 %s:%u;\n    }\n",
             host->address, resource->port);
}

static void add_net(struct buf *text, const struct drbdctl_resource *resource)
{
    const struct drbdctl_timings *timings = &resource->timings;
    buf_adds(text, "    net {\n"
                   "        protocol C;\n"
                   "        allow-two-primaries no;\n"
                   "        after-sb-0pri disconnect;\n"
                   "        after-sb-1pri disconnect;\n"
                   "        after-sb-2pri disconnect;\n"
                   "        always-asbp no;\n"
                   "        rr-conflict disconnect;\n"
                   "        on-congestion block;\n"
                   "        cram-hmac-alg sha256;\n");
    add_quoted_option(text, "shared-secret", resource->shared_secret);
    /* equal blocks of a crashed Primary's activity log are not sent again; sha1 and not a
     * checksum of 32 bits, as a collision would leave two different blocks */
    buf_adds(text, "        csums-alg sha1;\n"
                   "        csums-after-crash-only yes;\n"
                   "        verify-alg sha1;\n");
    buf_addf(text,
             "        ping-int %u;\n"
             "        ping-timeout %u;\n"
             "        timeout %u;\n"
             "        connect-int %u;\n"
             "        ko-count %u;\n"
             "    }\n",
             timings->ping_int_s, timings->ping_timeout_ds, timings->timeout_ds,
             timings->connect_int_s, timings->ko_count);
}

static void add_disk(struct buf *text, const struct drbdctl_resource *resource)
{
    /* fencing stands in the disk section with 8.4 (9 moved it to net) */
    buf_addf(text,
             "    disk {\n"
             "        fencing resource-and-stonith;\n"
             "        on-io-error detach;\n"
             "        c-plan-ahead 20;\n"
             "        c-fill-target 1M;\n"
             "        c-min-rate %uk;\n"
             "        c-max-rate %uk;\n"
             "    }\n",
             resync_min(resource), resync_max(resource));
}

int drbdctl_resource_text(const struct drbdctl_resource *resource, struct buf *text,
                          struct diag *diag)
{
    int r = drbdctl_resource_check(resource, diag);
    if (r < 0)
        return r;
    buf_adds(text, "# Written by solution-control; changes are lost.\nresource ");
    add_quoted(text, resource->name);
    buf_adds(text, " {\n"
                   "    options {\n"
                   "        on-no-data-accessible io-error;\n"
                   "    }\n"
                   "    handlers {\n");
    add_quoted_option(text, "fence-peer", resource->fence_helper);
    buf_adds(text, "    }\n");
    add_net(text, resource);
    add_disk(text, resource);
    for (size_t i = 0; i < COUNT_OF(resource->host); i++)
        add_host(text, resource, &resource->host[i]);
    buf_adds(text, "}\n");
    return text->failed ? diag_fail(diag, -ENOMEM, "no memory for the DRBD resource file") : 0;
}

void drbdctl_global_text(struct buf *text)
{
    buf_adds(text, "# Written by solution-control; changes are lost.\n"
                   "global {\n"
                   "    usage-count no;\n"
                   "}\n"
                   "common {\n"
                   "}\n");
}
