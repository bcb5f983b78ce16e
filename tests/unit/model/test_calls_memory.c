/* Each allocation fails in turn: the model says less, never something wrong, and leaks nothing
 * (under AddressSanitizer). The linker sends its allocations through the functions below. */
#include "tests/unit/model/calls_bench.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned allowed; /* allocations until one fails; UINT32_MAX: none does */
static bool failed;

static bool fails(void)
{
    if (allowed == UINT32_MAX || failed)
        return false;
    failed = allowed-- == 0;
    return failed;
}

void *__real_calloc(size_t count, size_t size_bytes);
void *__real_realloc(void *memory, size_t size_bytes);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_realloc(void *memory, size_t size_bytes);
char *__wrap_strdup(const char *text);

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return fails() ? NULL : __real_calloc(count, size_bytes);
}

void *__wrap_realloc(void *memory, size_t size_bytes)
{
    return fails() ? NULL : __real_realloc(memory, size_bytes);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* --- a sink that allocates nothing --------------------------------------------------------------
 */

static struct bench bench;
static int calls_told; /* created minus removed */

static void on_created(void *context, const struct call *call, enum call_cause cause)
{
    (void)context;
    (void)cause;
    assert_true(call->leg_count > 0);
    calls_told++;
}

static void on_modified(void *context, const struct call *call, const struct call_change *change)
{
    (void)context;
    (void)change;
    assert_true(call->leg_count > 0);
}

static void on_removed(void *context, const struct call *call, enum call_cause cause,
                       const char *new_destination)
{
    (void)context;
    (void)call;
    (void)cause;
    (void)new_destination;
    calls_told--;
}

static void on_state(void *context, const struct user *user)
{
    (void)context;
    assert_int_not_equal(user->state, USER_STATE_ABSENT);
}

static int count_calls(void)
{
    int count = 0;
    const struct call *call;
    for (const struct user *user = users_first(bench.users); user != NULL;
         user = TAILQ_NEXT(user, of_all)) {
        TAILQ_FOREACH(call, &user->calls, of_user)
        count++;
    }
    return count;
}

/* --- the story ----------------------------------------------------------------------------------
 */

static void snapshot(void)
{
    static struct pbx_snapshot_call seen = {
        .call_id = "C2",
        .local = PBX_LOCAL_CONNECTED,
        .calling = {.number = "0390671234", .name = "Garage"},
        .called = {.number = "1003", .name = "Ida Berg"},
        .parties = {{{.number = "0390671234", .name = "Garage"}, PBX_LOCAL_CONNECTED},
                    {{.number = "1001"}, PBX_LOCAL_ALERTING}},
        .party_count = 2,
    };
    calls_snapshot(bench.calls, &bench.pbx, "1003", &seen, 1);
}

static void tell_story(void)
{
    const struct pbx_event named = {.type = PBX_EVENT_DELIVERED,
                                    .monitored = "1004",
                                    .call_id = "C3",
                                    .subject = {.number = "1004"},
                                    .calling = {.number = "0390671234", .name = "Garage"},
                                    .called = {.number = "1004", .name = "Jan Kos"},
                                    .redirecting = {.number = "1002", .name = "Teo"}};
    bench_dial(&bench);
    assert_int_equal(count_calls(), calls_told);
    bench_ring(&bench);
    bench_say(&bench, PBX_EVENT_DELIVERED, "1502", "1502");
    assert_int_equal(count_calls(), calls_told);
    bench_answer(&bench);
    bench_say(&bench, PBX_EVENT_ESTABLISHED, "1001", "1003");
    calls_event(bench.calls, &bench.pbx, &named);
    snapshot();
    assert_int_equal(count_calls(), calls_told);
}

/* The PBX says that there is nothing any more. */
static void end_story(void)
{
    static const char *const devices[] = {"1001", "1002", "1502", "1003", "1004"};
    for (size_t i = 0; i < COUNT_OF(devices); i++)
        calls_snapshot(bench.calls, &bench.pbx, devices[i], NULL, 0);
    assert_int_equal(calls_told, 0);
    for (const struct user *user = users_first(bench.users); user != NULL;
         user = TAILQ_NEXT(user, of_all)) {
        assert_true(TAILQ_EMPTY(&user->calls));
        assert_int_equal(user->state, USER_STATE_FREE);
    }
}

static void each_allocation_may_fail(void **unused)
{
    const struct calls_sink sink = {on_created, on_modified, on_removed, on_state, on_state, NULL};
    unsigned nth = 0;
    (void)unused;
    do {
        allowed = UINT32_MAX;
        failed = false;
        bench_begin_with(&bench, &sink);
        allowed = nth++;
        tell_story();
        allowed = UINT32_MAX;
        end_story();
        bench_end(&bench);
        assert_true(nth < 1000);
    } while (failed);
    assert_true(nth > 10); /* there were some to fail */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    allowed = UINT32_MAX;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
