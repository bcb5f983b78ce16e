#include "ha/arbiter_simulate.h"

#include <string.h>

enum {
    ANSWER_MS = 50,      /* the register */
    ASK_LIMIT_MS = 1000, /* the witness client's own limit */
    TAKE_MS = 400,       /* promote, mount, database, gateway */
    RELEASE_MS = 600,
    DISK_NOTICE_MS = 300, /* the kernel sees a broken link so much later */
};

struct stage {
    const struct arb_config *config;
    enum arb_fault fault;
    uint64_t begin_ms;
    struct arb_state state;
    struct arb_facts facts;
    struct arb_right reg; /* the register */
    uint64_t run;
    bool witness_away, promotion_asked;
    uint64_t asked_at_ms, ordered_at_ms;
    bool address;
    struct arb_simulation *out;
};

static bool silences_peer(enum arb_fault fault)
{
    return fault == ARB_FAULT_PEER_DEAD || fault == ARB_FAULT_ISOLATED;
}

static bool breaks_link(enum arb_fault fault)
{
    return silences_peer(fault) || fault == ARB_FAULT_LINK_LOST;
}

static uint64_t elapsed_ms(const struct stage *stage)
{
    return stage->facts.now_ms - stage->begin_ms;
}

/* ---- the fault ---- */

static void break_link(struct stage *stage)
{
    struct arb_drbd *drbd = &stage->facts.drbd;
    if (!drbd->known || drbd->link != ARB_LINK_CONNECTED)
        return;
    drbd->link = ARB_LINK_LOST;
    drbd->peer_disk = ARB_DISK_UNKNOWN;
    drbd->peer_primary = false;
    drbd->lost_at_ms = stage->facts.now_ms;
    drbd->suspended = drbd->fence_question = drbd->primary;
}

static void begin_fault(struct stage *stage)
{
    struct arb_facts *facts = &stage->facts;
    if (stage->fault == ARB_FAULT_WITNESS_LOST || stage->fault == ARB_FAULT_ISOLATED)
        stage->witness_away = true;
    if (stage->fault == ARB_FAULT_MEMBERSHIP_LOST)
        facts->peer.member = false;
    if (stage->fault == ARB_FAULT_DISK_FAILED)
        facts->drbd.disk = ARB_DISK_DISKLESS;
    if (stage->fault == ARB_FAULT_RECORD_FAILED)
        facts->save_failed = true;
    if (stage->fault == ARB_FAULT_SWITCHOVER)
        facts->switchover_wanted = true;
    if (stage->fault == ARB_FAULT_STOP)
        facts->stop_wanted = true;
}

/* Contact goes on where it went on before, and ends with the fault. */
static void pass_contact(struct stage *stage, bool was_fresh)
{
    struct arb_facts *facts = &stage->facts;
    if (silences_peer(stage->fault)) {
        const uint64_t silent_ms = stage->config->constants.silence_ms;
        facts->peer.fresh = was_fresh && facts->peer.last_heard_ms + silent_ms >= facts->now_ms;
        facts->peer.member = facts->peer.member && facts->peer.fresh;
        return;
    }
    if (was_fresh)
        facts->peer.last_heard_ms = facts->contact_ms = facts->now_ms;
}

/* ---- what answers the orders ---- */

static void answer_question(struct stage *stage)
{
    const struct arb_state *state = &stage->state;
    struct arb_witness *witness = &stage->facts.witness;
    const uint64_t limit_ms = stage->witness_away ? ASK_LIMIT_MS : ANSWER_MS;
    if (state->ask == ARB_ASK_NONE || stage->facts.now_ms < stage->asked_at_ms + limit_ms ||
        (witness->serial == state->ask_serial && witness->outcome != ARB_OUTCOME_NONE))
        return;
    witness->serial = state->ask_serial;
    witness->run = stage->witness_away ? 0 : stage->run;
    if (stage->witness_away) {
        witness->outcome = ARB_OUTCOME_UNREACHABLE;
        return;
    }
    witness->outcome = ARB_OUTCOME_READ;
    if (state->ask == ARB_ASK_CAS) {
        const bool granted = state->ask_expected.seq == stage->reg.seq;
        witness->outcome = granted ? ARB_OUTCOME_GRANTED : ARB_OUTCOME_DENIED;
        if (granted)
            stage->reg = state->ask_wanted;
    }
    witness->right = stage->reg;
}

/* A promotion without connection asks the kernel's question and waits for its answer. */
static void go_on_taking(struct stage *stage)
{
    struct arb_facts *facts = &stage->facts;
    if (facts->now_ms < stage->ordered_at_ms + ANSWER_MS)
        return;
    if (facts->drbd.link != ARB_LINK_CONNECTED && !stage->promotion_asked) {
        stage->promotion_asked = facts->drbd.fence_question = true;
        return;
    }
    if (facts->drbd.fence_question)
        return;
    facts->drbd.primary = true;
    if (facts->now_ms >= stage->ordered_at_ms + TAKE_MS &&
        facts->now_ms >= stage->state.vip_from_ms)
        facts->exec = ARB_EXEC_TAKEN;
}

static void go_on(struct stage *stage)
{
    struct arb_facts *facts = &stage->facts;
    if (stage->fault != ARB_FAULT_RECORD_FAILED)
        facts->saved_serial = stage->state.save_serial;
    answer_question(stage);
    if (facts->exec == ARB_EXEC_TAKING)
        go_on_taking(stage);
    if (facts->exec == ARB_EXEC_RELEASING && facts->now_ms >= stage->ordered_at_ms + RELEASE_MS) {
        facts->exec = ARB_EXEC_IDLE;
        facts->drbd.primary = facts->drbd.suspended = facts->drbd.fence_question = false;
    }
}

static void answer_kernel(struct stage *stage, int answer)
{
    struct arb_drbd *drbd = &stage->facts.drbd;
    drbd->fence_question = false;
    if (answer == 7 || answer == 4)
        drbd->suspended = false;
    else if (stage->facts.exec == ARB_EXEC_TAKING)
        stage->facts.exec = ARB_EXEC_TAKE_FAILED;
}

static void carry_out(struct stage *stage, const struct arb_plan *plan)
{
    struct arb_facts *facts = &stage->facts;
    if (plan->actions & ARB_DO_ASK) {
        stage->asked_at_ms = facts->now_ms;
        facts->witness = (struct arb_witness){.serial = stage->state.ask_serial};
    }
    if (plan->actions & ARB_DO_ANSWER)
        answer_kernel(stage, plan->answer);
    if (plan->actions & ARB_DO_RECONNECT)
        facts->drbd.fence_question = facts->drbd.suspended;
    if (plan->actions & ARB_DO_OUTDATE)
        facts->drbd.disk = ARB_DISK_OUTDATED;
    if (plan->actions & ARB_DO_TAKE)
        facts->exec = ARB_EXEC_TAKING;
    if (plan->actions & ARB_DO_RELEASE) {
        facts->exec = ARB_EXEC_RELEASING;
        facts->switchover_wanted = false;
    }
    if (plan->actions & (ARB_DO_TAKE | ARB_DO_RELEASE)) {
        stage->ordered_at_ms = facts->now_ms;
        stage->promotion_asked = false;
    }
}

/* ---- the walk ---- */

/* Readings of the register and the active node's beats are no decision. */
static uint32_t telling_actions(const struct arb_plan *plan)
{
    const bool claims = plan->next.ask == ARB_ASK_CAS && plan->next.ask_purpose != ARB_FOR_BEAT;
    return claims ? plan->actions : plan->actions & ~ARB_DO_ASK;
}

/* What is repeated after its retry time within a phase says nothing new. */
static bool is_told(const struct arb_simulation *out, const struct arb_plan *plan, bool address)
{
    const uint32_t actions = telling_actions(plan);
    if (out->count == 0 || out->steps[out->count - 1].address != address)
        return false;
    for (unsigned i = out->count; i > 0 && out->steps[i - 1].phase == plan->next.phase; i--)
        if (out->steps[i - 1].reason == plan->next.reason && out->steps[i - 1].address == address &&
            (actions == 0 || actions == out->steps[i - 1].actions))
            return true;
    return false;
}

static void note(struct stage *stage, const struct arb_plan *plan, bool address)
{
    struct arb_simulation *out = stage->out;
    if (is_told(out, plan, address))
        return;
    if (out->count == ARB_SIM_STEPS) {
        out->end = ARB_SIM_END_CUT;
        return;
    }
    out->took_ms = elapsed_ms(stage);
    out->steps[out->count++] = (struct arb_sim_step){
        .at_ms = out->took_ms,
        .phase = plan->next.phase,
        .row = plan->next.row,
        .reason = plan->next.reason,
        .alarm = plan->alarm,
        .actions = telling_actions(plan),
        .answer = plan->answer,
        .address = address,
    };
}

/* As often as the daemon decides at one moment. False: the end is reached. */
static bool decide(struct stage *stage)
{
    enum { ROUNDS_MAX = 8 };
    struct arb_plan plan = {.actions = 1};
    for (int round = 0; round < ROUNDS_MAX && plan.actions != 0; round++) {
        plan = arb_decide(stage->config, &stage->state, &stage->facts);
        stage->state = plan.next;
        const struct arb_gates gates = arb_gates(stage->config, &stage->state, &stage->facts);
        note(stage, &plan, gates.vip_until_ms > stage->facts.now_ms);
        if (plan.actions & ARB_DO_SELF_FENCE)
            stage->out->end = ARB_SIM_END_RESET;
        else if (plan.actions & ARB_DO_DOWN)
            stage->out->end = ARB_SIM_END_STOPPED;
        else if (gates.kick_until_ms + stage->config->constants.watchdog_ms < stage->facts.now_ms)
            stage->out->end = ARB_SIM_END_STARVED;
        if (stage->out->end != ARB_SIM_END_QUIET)
            return false;
        carry_out(stage, &plan);
    }
    return true;
}

static void set_stage(struct stage *stage)
{
    const struct arb_state *state = &stage->state;
    const bool seen = state->register_seen_at_ms != 0;
    stage->begin_ms = stage->asked_at_ms = stage->ordered_at_ms = stage->facts.now_ms;
    stage->reg = seen ? state->register_seen : state->durable.right;
    stage->run = state->run_seen != 0 ? state->run_seen : state->durable.witness_run;
    stage->witness_away = state->run_seen == 0 && state->ask_failures > 0;
}

void arb_simulate(const struct arb_config *config, const struct arb_state *state,
                  const struct arb_facts *facts, enum arb_fault fault,
                  struct arb_simulation *ret_simulation)
{
    struct stage stage = {
        .config = config, .fault = fault, .state = *state, .facts = *facts, .out = ret_simulation};
    *ret_simulation = (struct arb_simulation){.end = ARB_SIM_END_QUIET};
    set_stage(&stage);
    const struct arb_plan now = {.next = *state};
    note(&stage, &now, arb_gates(config, state, facts).vip_until_ms > facts->now_ms);
    begin_fault(&stage);
    const bool was_fresh = facts->peer.fresh;
    while (elapsed_ms(&stage) < ARB_SIM_MS) {
        pass_contact(&stage, was_fresh);
        if (breaks_link(fault) && elapsed_ms(&stage) >= DISK_NOTICE_MS)
            break_link(&stage);
        if (!decide(&stage))
            return;
        stage.facts.now_ms += ARB_SIM_TICK_MS;
        go_on(&stage);
    }
}

/* ---- words ---- */

const char *arb_fault_name(enum arb_fault fault)
{
#define NAME(id, name, text) name,
    static const char *const names[] = {ARB_FAULTS(NAME)};
    return (unsigned)fault < ARB_FAULT_COUNT ? names[fault] : "?";
}

const char *arb_fault_text(enum arb_fault fault)
{
#define TEXT(id, name, text) text,
    static const char *const texts[] = {ARB_FAULTS(TEXT)};
    return (unsigned)fault < ARB_FAULT_COUNT ? texts[fault] : "?";
}

bool arb_fault_named(const char *name, enum arb_fault *ret_fault)
{
    for (int i = 0; i < ARB_FAULT_COUNT; i++) {
        if (strcmp(name, arb_fault_name((enum arb_fault)i)) != 0)
            continue;
        *ret_fault = (enum arb_fault)i;
        return true;
    }
    return false;
}

const char *arb_sim_end_text(enum arb_sim_end end)
{
#define END_TEXT(id, text) text,
    static const char *const texts[] = {ARB_SIM_ENDS(END_TEXT)};
    return (unsigned)end < ARB_SIM_END_COUNT ? texts[end] : "?";
}

const char *arb_action_text(uint32_t action)
{
    static const struct {
        uint32_t action;
        const char *text;
    } texts[] = {
        {ARB_DO_SAVE, "writes its record"},
        {ARB_DO_ASK, "asks the register"},
        {ARB_DO_TAKE, "promotes the disk and starts the services"},
        {ARB_DO_RELEASE, "stops the services and releases the disk"},
        {ARB_DO_OUTDATE, "marks its copy as outdated"},
        {ARB_DO_CONNECT, "connects the data link"},
        {ARB_DO_RECONNECT, "renews the data link"},
        {ARB_DO_ANSWER, "answers the kernel"},
        {ARB_DO_SELF_FENCE, "resets this machine"},
        {ARB_DO_DOWN, "takes the disk down"},
        {ARB_DO_FORM, "declares both empty copies equal"},
        {ARB_DO_DROP_VIP, "drops the address"},
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].action == action)
            return texts[i].text;
    return NULL;
}
