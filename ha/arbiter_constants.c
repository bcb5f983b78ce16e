/* Times of the profiles. The tests and the simulator judge them; change none alone. */
#include "ha/arbiter.h"

#include <string.h>

static const struct arb_constants arb_profiles[] = {
    {
        .name = "safe",
        .vip_lifetime_ms = 3000,
        .lease_ms = 2000,
        .skew_ms = 1500,
        .watchdog_ms = 5000,
        .vip_wait_ms = 8000,
        .silence_ms = 1500,
        .claim_ms = 1000,
        .kick_grace_ms = 500,
        .fence_self_ms = 4800,
        .boot_wait_ms = 20000,
        .solo_boot_wait_ms = 5000,
        .witness_retry_ms = 1000,
        .witness_beat_ms = 10000,
        .outdate_wait_ms = 2000,
        .handover_ms = 10000,
        .take_backoff_ms = 30000,
        .connect_retry_ms = 5000,
    },
    {
        .name = "fast",
        .vip_lifetime_ms = 1000,
        .lease_ms = 600,
        .skew_ms = 1000,
        .watchdog_ms = 2000,
        .vip_wait_ms = 3500,
        .silence_ms = 600,
        .claim_ms = 400,
        .kick_grace_ms = 300,
        .fence_self_ms = 1800,
        .boot_wait_ms = 20000,
        .solo_boot_wait_ms = 5000,
        .witness_retry_ms = 1000,
        .witness_beat_ms = 10000,
        .outdate_wait_ms = 2000,
        .handover_ms = 10000,
        .take_backoff_ms = 30000,
        .connect_retry_ms = 5000,
    },
};

const struct arb_constants *arb_constants_named(const char *name)
{
    for (size_t i = 0; i < sizeof(arb_profiles) / sizeof(arb_profiles[0]); i++)
        if (name != NULL && strcmp(arb_profiles[i].name, name) == 0)
            return &arb_profiles[i];
    return NULL;
}

enum { ARB_TIMES = 17 };

static void list_times(const struct arb_constants *k, uint32_t times_ms[ARB_TIMES])
{
    const uint32_t all[ARB_TIMES] = {
        k->vip_lifetime_ms,  k->lease_ms,        k->skew_ms,           k->watchdog_ms,
        k->vip_wait_ms,      k->silence_ms,      k->claim_ms,          k->kick_grace_ms,
        k->fence_self_ms,    k->boot_wait_ms,    k->solo_boot_wait_ms, k->witness_retry_ms,
        k->witness_beat_ms,  k->outdate_wait_ms, k->handover_ms,       k->take_backoff_ms,
        k->connect_retry_ms,
    };
    memcpy(times_ms, all, sizeof(all));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

const char *arb_constants_check(const struct arb_constants *k)
{
    uint32_t times_ms[ARB_TIMES];
    list_times(k, times_ms);
    for (unsigned i = 0; i < ARB_TIMES; i++)
        if (times_ms[i] == 0)
            return "Every time of the profile must be greater than zero.";

    /* the former active keeps the address at most until its lease ends, the last renewal runs out
     * and the next tick of the renewing thread is over; or until the watchdog resets it */
    const uint64_t lapse_ms = (uint64_t)k->lease_ms + k->vip_lifetime_ms + 500;
    const uint64_t reset_ms = (uint64_t)k->kick_grace_ms + k->watchdog_ms;
    if (k->vip_wait_ms < k->skew_ms + larger(lapse_ms, reset_ms))
        return "The wait before claiming the address is shorter than the skew plus the time in "
               "which "
               "the other node surely lost it.";
    if (k->claim_ms >= k->silence_ms)
        return "The active node must claim before the standby counts it as silent.";
    if (k->fence_self_ms >= k->watchdog_ms + k->kick_grace_ms)
        return "The ordered reset must come before that of the watchdog.";
    if (k->lease_ms >= k->fence_self_ms)
        return "The right to answer must end before the node resets itself.";
    if (k->vip_lifetime_ms < 1000 || k->vip_lifetime_ms % 1000 != 0)
        return "The kernel counts the lifetime of an address in whole seconds.";
    if (k->watchdog_ms < 1000 || k->watchdog_ms % 1000 != 0)
        return "The watchdog counts in whole seconds.";
    if (k->kick_grace_ms >= k->watchdog_ms)
        return "The watchdog must starve well before it bites.";
    if (k->witness_retry_ms > k->witness_beat_ms)
        return "The register must be asked again sooner than its regular beat.";
    return NULL;
}

uint64_t arb_constants_digest(const struct arb_constants *constants)
{
    uint32_t times_ms[ARB_TIMES];
    list_times(constants, times_ms);
    uint64_t digest = 0xcbf29ce484222325u; /* FNV-1a: tells profiles apart, keeps no secret */
    for (unsigned i = 0; i < ARB_TIMES; i++)
        for (unsigned byte = 0; byte < 4; byte++) {
            digest ^= times_ms[i] >> (8 * byte) & 0xffu;
            digest *= 0x100000001b3u;
        }
    return digest;
}
