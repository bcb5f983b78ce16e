/* claim.c - from the right to the virtual address: probe, wait for its time, claim.
 *
 * Probing begins as soon as the node takes over, beside the other steps; a free answer counts for
 * two seconds, so that the claim itself costs no waiting. Somebody else's answer is an alarm: the
 * owner of the right asks three more times and then claims all the same, unless it is the peer's
 * hardware that answers (then something of ours is wrong, and only waiting is safe). */
#include "solution-control/solution_control.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "claim";

enum {
    STEP_MS = 50,
    FREE_COUNTS_MS = 2000,
    PROBE_LEAD_MS = 600, /* the probe before the address's time takes 450 ms */
    FOREIGN_COUNTS_MS = 90000, /* announcements come once a minute */
    TAKEN_ROUNDS = 3,
    TAKEN_PAUSE_MS = 500,
};

struct claim {
    struct sol_daemon *daemon;
    struct timer *timer;
    bool preparing, wanted, probing;
    unsigned taken_rounds;
    uint64_t free_at_ms, pause_until_ms;
    uint8_t foreign[VIP_MAC_BYTES];
    uint64_t foreign_at_ms;
    char text[24];
};

static void note_foreign(struct claim *claim, const uint8_t mac[VIP_MAC_BYTES])
{
    memcpy(claim->foreign, mac, VIP_MAC_BYTES);
    claim->foreign_at_ms = common_boot_ms();
    (void)snprintf(claim->text, sizeof(claim->text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
                   mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void on_probed(void *context, const struct vip_probe_result *result)
{
    struct claim *claim = context;
    claim->probing = false;
    if (result->error != 0)
        return; /* nothing is known; the next turn asks again */
    if (!result->taken) {
        claim->free_at_ms = common_boot_ms();
        return;
    }
    note_foreign(claim, result->mac);
    claim->taken_rounds++;
    claim->pause_until_ms = common_boot_ms() + TAKEN_PAUSE_MS;
    log_warning(module, "the virtual address is in use by %s (answer %u)", claim->text,
                claim->taken_rounds);
}

static bool may_claim(const struct claim *claim, uint64_t now_ms)
{
    return claim->free_at_ms + FREE_COUNTS_MS >= now_ms || claim->taken_rounds > TAKEN_ROUNDS;
}

static void try_claim(struct claim *claim)
{
    struct sol_daemon *daemon = claim->daemon;
    struct arb_facts facts;
    sol_facts_collect(daemon, &facts);
    struct arb_gates gates = arb_gates(&daemon->arb, &daemon->state, &facts);
    if (gates.vip_until_ms <= facts.now_ms)
        return; /* not ours now; the gate opens by itself */

    struct diag diag = {0};
    watchdog_allow_vip(daemon->watchdog, gates.vip_until_ms);
    int r = vip_claim(daemon->vip, &diag);
    if (r < 0) {
        log_warning(module, "cannot claim the virtual address: %s", diag.text);
        claim->pause_until_ms = facts.now_ms + TAKEN_PAUSE_MS;
        return;
    }
    claim->wanted = false;
    claim->preparing = false;
    timer_stop(claim->timer);
    log_notice(module, "the virtual address %s is ours", daemon->config.vip.address);
    if (executor_current(daemon->executor) == EXECUTOR_CLAIM_VIP)
        executor_step_done(daemon->executor, EXECUTOR_CLAIM_VIP, EXECUTOR_OK, NULL);
}

static void on_timer(void *context)
{
    struct claim *claim = context;
    uint64_t now_ms = common_boot_ms();
    uint64_t from_ms = claim->daemon->state.vip_from_ms;
    if (now_ms < claim->pause_until_ms || claim->probing)
        return;
    if (!may_claim(claim, now_ms)) {
        claim->probing = now_ms + PROBE_LEAD_MS >= from_ms &&
                         vip_probe(claim->daemon->vip, on_probed, claim, NULL) == 0;
    } else if (claim->wanted && now_ms >= from_ms) {
        try_claim(claim);
    }
}

struct claim *claim_new(struct sol_daemon *daemon)
{
    struct claim *claim = calloc(1, sizeof(*claim));
    if (claim == NULL)
        return NULL;
    claim->daemon = daemon;
    claim->timer = timer_new(daemon->loop, on_timer, claim);
    if (claim->timer == NULL) {
        free(claim);
        return NULL;
    }
    return claim;
}

void claim_prepare(struct claim *claim)
{
    claim->preparing = true;
    claim->taken_rounds = 0;
    claim->free_at_ms = 0;
    claim->pause_until_ms = 0;
    timer_start(claim->timer, 0, STEP_MS);
}

void claim_start(struct claim *claim)
{
    if (!claim->preparing)
        claim_prepare(claim);
    claim->wanted = true;
}

void claim_cancel(struct claim *claim)
{
    claim->wanted = false;
    claim->preparing = false;
    timer_stop(claim->timer);
    if (claim->probing)
        vip_probe_cancel(claim->daemon->vip);
    claim->probing = false;
}

/* On a node that does not hold the address the peer's announcements are no conflict. */
void claim_foreign(struct claim *claim, const uint8_t mac[VIP_MAC_BYTES])
{
    if (vip_is_held(claim->daemon->vip))
        note_foreign(claim, mac);
}

const char *claim_conflict(const struct claim *claim)
{
    bool recent = claim->foreign_at_ms != 0 &&
                  claim->foreign_at_ms + FOREIGN_COUNTS_MS >= common_boot_ms();
    return recent ? claim->text : "";
}
