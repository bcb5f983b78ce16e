#include "cli/roxed_preview.h"

#include "cli/roxed_text.h"

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
