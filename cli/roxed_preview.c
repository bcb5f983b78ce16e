#include "cli/roxed_preview.h"

#include "cli/roxed_text.h"

#include <inttypes.h>

static void add_check(struct buf *out, const cJSON *check)
{
    const char *what = json_string(check, "what"), *todo = json_string(check, "todo");
    buf_adds(out, json_bool(check, "ok", false) ? "  ok      " : "  NOT OK  ");
    roxed_add_safe(out, what != NULL ? what : "unknown");
    buf_adds(out, "\n");
    if (todo != NULL) {
        buf_adds(out, "          -> ");
        roxed_add_safe(out, todo);
        buf_adds(out, "\n");
    }
}

enum roxed_exit roxed_preview_add_checks(struct buf *out, const cJSON *answer)
{
    const cJSON *checks = cJSON_GetObjectItemCaseSensitive(answer, "checks"), *check;
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(answer, "ok");
    if (!cJSON_IsArray(checks) || !cJSON_IsBool(ok))
        return ROXED_SILENT;
    cJSON_ArrayForEach(check, checks) add_check(out, check);
    if (cJSON_IsTrue(ok)) {
        buf_adds(out, "A switchover is possible now.\n");
        return ROXED_HEALTHY;
    }
    const char *error = json_string(answer, "error");
    buf_adds(out, "A switchover is not possible now: ");
    roxed_add_safe(out, error != NULL ? error : "no reason is given");
    buf_adds(out, "\n");
    return ROXED_DEGRADED;
}

enum { PHASE_WIDTH = 9, REASON_AT = 21 };

static void add_line(struct buf *out, const char *label, const char *text)
{
    buf_addf(out, "%*s", REASON_AT, "");
    buf_adds(out, label);
    roxed_add_safe(out, text);
    buf_adds(out, "\n");
}

static void add_actions(struct buf *out, const cJSON *step)
{
    const cJSON *action, *actions = cJSON_GetObjectItemCaseSensitive(step, "actions");
    int64_t answer;
    cJSON_ArrayForEach(action, actions) if (cJSON_IsString(action))
        add_line(out, "-> ", action->valuestring);
    if (json_int64(step, "answer", &answer))
        buf_addf(out, "%*s-> the answer is %" PRId64 "\n", REASON_AT, "", answer);
}

/* address: whether the step before this one had it; a change is told */
static bool add_step(struct buf *out, const cJSON *step, bool first, bool address)
{
    const char *phase = json_string(step, "phase"), *reason = json_string(step, "reason");
    int64_t at_ms = 0, row = 0;
    (void)json_int64(step, "at_ms", &at_ms);
    (void)json_int64(step, "row", &row);
    if (first)
        buf_adds(out, "      now  ");
    else
        buf_addf(out, "  %4" PRId64 ".%02" PRId64 "  ", at_ms / 1000, at_ms % 1000 / 10);
    roxed_add_padded(out, phase != NULL ? phase : "unknown", PHASE_WIDTH);
    buf_adds(out, " ");
    roxed_add_safe(out, reason != NULL ? reason : "unknown");
    buf_addf(out, " (rule %" PRId64 ")\n", row);
    add_actions(out, step);
    const bool has = json_bool(step, "address", false);
    if (!first && has != address)
        add_line(out, "-> ",
                 has ? "may answer for the virtual address from here on"
                     : "answers for the virtual address no more");
    return has;
}

enum roxed_exit roxed_preview_add_steps(struct buf *out, const cJSON *answer)
{
    const cJSON *steps = cJSON_GetObjectItemCaseSensitive(answer, "steps"), *step;
    const char *text = json_string(answer, "text"), *assumed = json_string(answer, "assumed");
    const char *end = json_string(answer, "end");
    if (!cJSON_IsArray(steps) || text == NULL || assumed == NULL || end == NULL)
        return ROXED_SILENT;
    bool address = false;
    buf_adds(out, "If now: ");
    roxed_add_safe(out, text);
    buf_adds(out, "\n\n");
    cJSON_ArrayForEach(step, steps) address = add_step(out, step, step == steps->child, address);
    buf_adds(out, "\nThen ");
    roxed_add_safe(out, end);
    buf_adds(out, ".\nAssumed: ");
    roxed_add_safe(out, assumed);
    buf_adds(out, ".\nNothing was changed.\n");
    return ROXED_HEALTHY;
}
