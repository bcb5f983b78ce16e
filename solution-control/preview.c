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
