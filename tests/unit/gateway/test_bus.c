#include "gateway/events/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sessions sessions;
static struct subscriptions subscriptions;
static struct session *session;

static struct subscription *subscribe(const char *name, const char *package, const char *id)
{
    const struct filter_selector selector = {.names = {&package, 1, true},
                                             .ids = {&id, id == NULL ? 0 : 1, true}};
    const struct filter_request request = {.selectors = {&selector, 1, true}};
    struct filter *filter = NULL;
    struct digest digest;
    digest_of_text(name, &digest);
    const struct subscription_birth birth = {.id = &digest, .session = session, .timeout_min = 10};
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    assert_int_equal(subscriptions_add(&subscriptions, &birth, filter, 1000), 0);
    return subscriptions_find(&subscriptions, &digest);
}

static unsigned publish(enum event_package package, const char *id, const char *json)
{
    struct buf event = {0};
    buf_adds(&event, json);
    return bus_publish(&subscriptions, package, id, &event);
}

static int begin(void **unused)
{
    struct digest digest;
    (void)unused;
    digest_of_text("credential", &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = "admin", .administrator = true};
    sessions_init(&sessions, 1800);
    subscriptions_init(&subscriptions);
    return sessions_add(&sessions, &birth, 0, &session);
}

static int end(void **unused)
{
    (void)unused;
    while (!TAILQ_EMPTY(&subscriptions.all))
        subscriptions_remove(&subscriptions, TAILQ_FIRST(&subscriptions.all));
    subscriptions_done(&subscriptions);
    sessions_done(&sessions);
    return 0;
}

static void events_reach_those_who_want_them_in_order(void **unused)
{
    struct subscription *all = subscribe("1", "telephony", NULL);
    struct subscription *one = subscribe("2", "telephony", "oxe1");
    struct subscription *system = subscribe("3", "system", NULL);
    char json[64];
    (void)unused;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(json, sizeof(json), "{\"eventName\":\"OnX\",\"number\":%d}", i);
        assert_int_equal(publish(EVENT_PACKAGE_TELEPHONY, i % 2 ? "oxe1" : "oxe2", json),
                         i % 2 ? 2 : 1);
    }
    assert_int_equal(all->queue.count, 100);
    assert_int_equal(one->queue.count, 50);
    assert_int_equal(system->queue.count, 0);
    for (int i = 0; i < 100; i++) {
        struct event_line *line = event_queue_pop(&all->queue);
        (void)snprintf(json, sizeof(json), "{\"eventName\":\"OnX\",\"number\":%d}\n", i);
        assert_int_equal(line->len_bytes, strlen(json));
        assert_memory_equal(line->text, json, line->len_bytes);
        event_line_unref(line);
    }
}

/* The names and ids below, by the bits of a number. */
static size_t choose(const char *const *words, unsigned bits, const char **chosen)
{
    size_t count = 0;
    for (unsigned i = 0; i < 3; i++)
        if (bits & 1u << i)
            chosen[count++] = words[i];
    return count;
}

static struct filter *filter_of(unsigned bits)
{
    static const char *const packages[] = {"telephony", "user", "system"};
    static const char *const words[] = {"oxe1", "oxe2", "oxe3"};
    const char *names[2][3], *ids[2][3];
    struct filter_selector selectors[2];
    for (unsigned i = 0; i < 2; i++, bits >>= 6)
        selectors[i] = (struct filter_selector){
            .names = {names[i], choose(packages, bits % 8 == 0 ? 1 : bits % 8, names[i]), true},
            .ids = {ids[i], choose(words, bits / 8 % 8, ids[i]), true}};
    const struct filter_request request = {.selectors = {selectors, 2, true}};
    struct filter *filter = NULL;
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    return filter;
}

/* Every pair of selectors over three packages and three ids (none: everybody). */
static void the_index_finds_exactly_those_whose_filter_passes(void **unused)
{
    static const enum event_package packages[] = {EVENT_PACKAGE_TELEPHONY, EVENT_PACKAGE_USER,
                                                  EVENT_PACKAGE_SYSTEM, EVENT_PACKAGE_RSI};
    static const char *const ids[] = {"oxe1", "oxe2", "oxe3", "oxe4", NULL};
    (void)unused;
    for (unsigned bits = 0; bits < 4096; bits++) {
        struct digest digest = {{(uint8_t)bits, (uint8_t)(bits >> 8)}};
        const struct subscription_birth birth = {.id = &digest, .session = session};
        assert_int_equal(subscriptions_add(&subscriptions, &birth, filter_of(bits), 0), 0);
    }
    for (unsigned p = 0; p < 4; p++)
        for (unsigned i = 0; i < 5; i++) {
            struct subscription *one;
            unsigned expected = 0, count = publish(packages[p], ids[i], "{}");
            TAILQ_FOREACH(one, &subscriptions.all, of_all)
            {
                unsigned wanted = filter_passes(one->filter, packages[p], ids[i]) ? 1 : 0;
                assert_int_equal(one->queue.count, wanted); /* once, or not at all */
                event_queue_done(&one->queue);
                expected += wanted;
            }
            assert_int_equal(count, expected);
        }
    while (!TAILQ_EMPTY(&subscriptions.all) && /* the index forgets those that go */
           TAILQ_NEXT(TAILQ_FIRST(&subscriptions.all), of_all) != NULL)
        subscriptions_remove(&subscriptions, TAILQ_FIRST(&subscriptions.all));
    assert_int_equal(
        publish(EVENT_PACKAGE_TELEPHONY, NULL, "{}"),
        filter_passes(TAILQ_FIRST(&subscriptions.all)->filter, EVENT_PACKAGE_TELEPHONY, NULL));
}

static void an_event_without_memory_is_a_loss_of_those_who_want_it(void **unused)
{
    const struct subscription *one = subscribe("1", "telephony", "oxe1");
    const struct subscription *other = subscribe("2", "telephony", "oxe2");
    struct buf event = {0};
    (void)unused;
    buf_adds(&event, "{\"eventName\":");
    event.failed = true;
    assert_int_equal(bus_publish(&subscriptions, EVENT_PACKAGE_TELEPHONY, "oxe1", &event), 0);
    assert_null(event.data);
    assert_int_equal(one->queue.lost, 1);
    assert_int_equal(one->queue.count, 0);
    assert_int_equal(other->queue.lost, 0);
}

static void an_ending_subscription_gets_nothing(void **unused)
{
    struct subscription *subscription = subscribe("1", "system", NULL);
    (void)unused;
    subscription->ending = true;
    assert_int_equal(publish(EVENT_PACKAGE_SYSTEM, NULL, "{}"), 0);
    assert_int_equal(subscription->queue.count, 0);
}

static void an_unread_subscription_has_its_timeout(void **unused)
{
    struct subscription *subscription = subscribe("1", "system", NULL);
    (void)unused;
    assert_int_equal(subscription->deadline_ms, 1000 + 10 * 60000);
    subscription->timeout_min = 0;
    subscription_rest(subscription, 5000);
    assert_int_equal(subscription->deadline_ms, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(events_reach_those_who_want_them_in_order),
        CASE(the_index_finds_exactly_those_whose_filter_passes),
        CASE(an_event_without_memory_is_a_loss_of_those_who_want_it),
        CASE(an_ending_subscription_gets_nothing),
        CASE(an_unread_subscription_has_its_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
