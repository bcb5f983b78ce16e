#include "solution-control/preview.h"

static void add_check(struct buf *out, const struct arb_check *check)
{
    buf_adds(out, "{\"what\":");
    buf_add_json_string(out, check->what);
    buf_adds(out, check->ok ? ",\"ok\":true" : ",\"ok\":false");
    if (!check->ok) {
        buf_adds(out, ",\"todo\":");
        buf_add_json_string(out, check->todo);
    }
    buf_adds(out, "}");
}

void preview_switchover_json(const struct arb_config *config, const struct arb_state *state,
                             const struct arb_facts *facts, struct buf *out)
{
    struct arb_check checks[ARB_SWITCHOVER_CHECKS];
    arb_switchover_checks(config, state, facts, checks);
    const char *obstacle = arb_switchover_obstacle(config, state, facts);
    if (obstacle == NULL) {
        buf_adds(out, "{\"ok\":true");
    } else {
        buf_adds(out, "{\"ok\":false,\"error\":");
        buf_add_json_string(out, obstacle);
    }
    buf_adds(out, ",\"checks\":[");
    for (int i = 0; i < ARB_SWITCHOVER_CHECKS; i++) {
        buf_adds(out, i > 0 ? "," : "");
        add_check(out, &checks[i]);
    }
    buf_adds(out, "]}");
}

static void add_actions(struct buf *out, uint32_t actions)
{
    bool any = false;
    buf_adds(out, ",\"actions\":[");
    for (unsigned bit = 0; bit < ARB_ACTIONS; bit++) {
        if ((actions >> bit & 1u) == 0)
            continue;
        buf_adds(out, any ? "," : "");
        buf_add_json_string(out, arb_action_text(1u << bit));
        any = true;
    }
    buf_adds(out, "]");
}

static void add_step(struct buf *out, const struct arb_sim_step *step)
{
    buf_addf(out, "{\"at_ms\":%llu,\"phase\":\"%s\",\"row\":%u,\"reason\":",
             (unsigned long long)step->at_ms, arb_phase_name(step->phase), step->row);
    buf_add_json_string(out, step->reason);
    buf_addf(out, ",\"alarm\":%s,\"address\":%s", step->alarm ? "true" : "false",
             step->address ? "true" : "false");
    add_actions(out, step->actions);
    if (step->actions & ARB_DO_ANSWER)
        buf_addf(out, ",\"answer\":%d", step->answer);
    buf_adds(out, "}");
}

void preview_fault_json(const struct arb_config *config, const struct arb_state *state,
                        const struct arb_facts *facts, enum arb_fault fault, struct buf *out)
{
    struct arb_simulation simulation;
    arb_simulate(config, state, facts, fault, &simulation);
    buf_addf(out, "{\"ok\":true,\"fault\":\"%s\",\"text\":", arb_fault_name(fault));
    buf_add_json_string(out, arb_fault_text(fault));
    buf_adds(out, ",\"assumed\":");
    buf_add_json_string(out, ARB_SIM_ASSUMED);
    buf_adds(out, ",\"steps\":[");
    for (unsigned i = 0; i < simulation.count; i++) {
        buf_adds(out, i > 0 ? "," : "");
        add_step(out, &simulation.steps[i]);
    }
    buf_adds(out, "],\"end\":");
    buf_add_json_string(out, arb_sim_end_text(simulation.end));
    buf_addf(out, ",\"took_ms\":%llu}", (unsigned long long)simulation.took_ms);
}
