/* What `--dry-run` answers, on states of the arbiter that the tests set up. */
#include "lib/common/json.h"
#include "solution-control/preview.h"
#include "tests/unit/arbiter/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static cJSON *checks_of(const struct scene *scene)
{
    struct buf out = {0};
    struct diag diag = {0};
    cJSON *json = NULL;
    preview_switchover_json(&scene->config, &scene->state, &scene->facts, &out);
    assert_int_equal(json_parse(out.data, out.len_bytes, &json, &diag), 0);
    buf_done(&out);
    return json;
}

static void a_possible_switchover_has_all_its_checks_ok(void **state)
{
    (void)state;
    struct scene scene = scene_active();
    (void)scene_decide(&scene);
    cJSON *json = checks_of(&scene);
    const cJSON *checks = cJSON_GetObjectItemCaseSensitive(json, "checks"), *check;
    assert_true(json_bool(json, "ok", false));
    assert_null(json_string(json, "error"));
    assert_int_equal(cJSON_GetArraySize(checks), ARB_SWITCHOVER_CHECKS);
    cJSON_ArrayForEach(check, checks)
    {
        assert_true(json_bool(check, "ok", false));
        assert_null(json_string(check, "todo"));
    }
    cJSON_Delete(json);
}

static void what_is_missing_comes_with_the_orders_own_refusal_and_what_to_do(void **state)
{
    (void)state;
    struct scene scene = scene_active();
    (void)scene_decide(&scene);
    scene.facts.peer.last.run_seen = 0;
    cJSON *json = checks_of(&scene);
    const cJSON *checks = cJSON_GetObjectItemCaseSensitive(json, "checks"), *check;
    unsigned wrong = 0;
    assert_false(json_bool(json, "ok", true));
    assert_string_equal(json_string(json, "error"),
                        arb_switchover_obstacle(&scene.config, &scene.state, &scene.facts));
    cJSON_ArrayForEach(check, checks)
    {
        if (json_bool(check, "ok", false))
            continue;
        wrong++;
        assert_non_null(strstr(json_string(check, "todo"), "witness"));
    }
    assert_int_equal(wrong, 1);
    cJSON_Delete(json);
}

static void a_simulation_tells_each_step_and_leaves_the_state_alone(void **state)
{
    (void)state;
    struct scene scene = scene_standby();
    (void)scene_decide(&scene);
    const struct scene before = scene;
    struct buf out = {0};
    struct diag diag = {0};
    cJSON *json = NULL;
    preview_fault_json(&scene.config, &scene.state, &scene.facts, ARB_FAULT_PEER_DEAD, &out);
    assert_memory_equal(&before, &scene, sizeof(scene));
    assert_int_equal(json_parse(out.data, out.len_bytes, &json, &diag), 0);
    const cJSON *steps = cJSON_GetObjectItemCaseSensitive(json, "steps");
    const cJSON *last = cJSON_GetArrayItem(steps, cJSON_GetArraySize(steps) - 1);
    assert_string_equal(json_string(cJSON_GetArrayItem(steps, 0), "phase"), "standby");
    assert_string_equal(json_string(last, "phase"), "active");
    assert_true(json_bool(last, "address", false));
    assert_non_null(strstr(out.data, "\"actions\":[\"answers the kernel\"],\"answer\":7"));
    cJSON_Delete(json);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_possible_switchover_has_all_its_checks_ok),
        cmocka_unit_test(what_is_missing_comes_with_the_orders_own_refusal_and_what_to_do),
        cmocka_unit_test(a_simulation_tells_each_step_and_leaves_the_state_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
