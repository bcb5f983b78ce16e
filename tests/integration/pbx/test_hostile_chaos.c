/* A PBX that does anything at all, by dice: late, wrong, double, broken, gone; while the gateway
 * monitors, forgets, hastens and makes calls. Whatever came before: every request has ended exactly
 * once, and when the PBX comes to its senses everything works again. A failure names its seed. */
#include "tests/integration/pbx/hostile.h"

#include "lib/common/common.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 400, REQUESTS_MAX = STEPS };

struct chaos {
    struct bench *bench;
    uint64_t dice;
    bool calm;
    unsigned drops; /* few: each next attempt of the driver waits longer */
    struct answer answers[REQUESTS_MAX];
    unsigned asked;
};

/* splitmix64: the same rolls for the same seed everywhere. */
static unsigned roll(struct chaos *chaos, unsigned sides)
{
    uint64_t z = (chaos->dice += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (unsigned)((z ^ (z >> 31)) % sides);
}

static const char *const texts[] = {
    "",
    "<",
    "<a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<CSTAErrorCode><operation>invalidDeviceID</operation></CSTAErrorCode>",
    "<CSTAErrorCode><systemResourceAvailibility>deviceOutOfService</systemResourceAvailibility>"
    "</CSTAErrorCode>",
    "<CSTAErrorCode/>",
    "<MonitorStartResponse><monitorCrossRefID>M-1001</monitorCrossRefID></MonitorStartResponse>",
    "<MonitorStartResponse><monitorCrossRefID>M-1002</monitorCrossRefID></MonitorStartResponse>",
    "<MonitorStopResponse/>",
    "<SnapshotDeviceResponse><crossRefIDorSnapshotData><serviceCrossRefID>C1</serviceCrossRefID>"
    "</crossRefIDorSnapshotData></SnapshotDeviceResponse>",
    "<SnapshotDeviceData><serviceCrossRefID>C1</serviceCrossRefID><lastSegment>true</lastSegment>"
    "<snapshotData><snapshotDeviceResponseInfo><connectionIdentifier><callID>7</callID>"
    "</connectionIdentifier></snapshotDeviceResponseInfo></snapshotData></SnapshotDeviceData>",
    "<SnapshotCallResponse><crossRefIDorSnapshotData><snapshotData/></crossRefIDorSnapshotData>"
    "</SnapshotCallResponse>",
    "<MakeCallResponse><callingDevice><callID>8</callID></callingDevice></MakeCallResponse>",
    "<AnswerCallResponse/>",
    "<GetSwitchingFunctionDevicesResponse><serviceCrossRefID>L1</serviceCrossRefID>"
    "</GetSwitchingFunctionDevicesResponse>",
    "<SwitchingFunctionDevices><serviceCrossRefID>L1</serviceCrossRefID><segmentID>2</segmentID>"
    "<lastSegment>false</lastSegment><deviceList/></SwitchingFunctionDevices>",
    "<SystemStatus><systemStatus>messagesLost</systemStatus></SystemStatus>",
    "<RequestSystemStatus/>",
    "<MonitorStop><monitorCrossRefID>M-1001</monitorCrossRefID></MonitorStop>",
    "<MonitorStop><monitorCrossRefID>M-1002</monitorCrossRefID></MonitorStop>",
    "<TransferedEvent><monitorCrossRefID>M-1001</monitorCrossRefID></TransferedEvent>",
    "<HeldEvent><monitorCrossRefID>M-1002</monitorCrossRefID></HeldEvent>",
    "<OutOfServiceEvent><monitorCrossRefID>M-1002</monitorCrossRefID></OutOfServiceEvent>",
    "<ResetApplicationSessionTimerPosResponse/>",
    "<StartApplicationSessionNegResponse><errorCode><definedError>serverResourcesBusy"
    "</definedError></errorCode></StartApplicationSessionNegResponse>",
};

static void send_any(struct chaos *chaos, unsigned invoke_id)
{
    static const unsigned invokes[] = {0, 1, 2, 3, 9998, CSTA_INVOKE_EVENT};
    struct scripted_peer *peer = &chaos->bench->peer;
    bool right = roll(chaos, 2) == 0;
    unsigned invoke = right ? invoke_id : invokes[roll(chaos, COUNT_OF(invokes))];
    peer_send_xml(peer, invoke, texts[roll(chaos, COUNT_OF(texts))]);
}

/* Sees each message of the driver first. */
static bool answer_anyhow(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct chaos *chaos = context;
    if (chaos->calm)
        return false;
    if (message->type == CSTA_START_SESSION)
        return false;
    switch (roll(chaos, 8)) {
    case 0:
        return true; /* silence */
    case 1:
        send_any(chaos, invoke_id);
        return true;
    case 2:
        send_any(chaos, invoke_id); /* and the proper answer behind it */
        return false;
    case 3:
        peer_event(&chaos->bench->peer, "1001",
                   &(const struct csta_message){.type = CSTA_HELD, .connection = {.call_id = "9"}});
        return false;
    default:
        return false;
    }
}

static void ask(struct chaos *chaos)
{
    static const struct pbx_make_call call = {.device = "1001", .callee = "1002"};
    struct answer *answer = &chaos->answers[chaos->asked];
    struct pbx *pbx = chaos->bench->pbx;
    int r = 0;
    if (roll(chaos, 2) == 0)
        r = pbx_make_call(pbx, &call, bench_note_answer, answer);
    else
        r = pbx_clear_connection(pbx, "7", "1001", bench_note_answer, answer);
    if (r == 0)
        chaos->asked++;
    else
        assert_int_equal(answer->count, 0);
}

static void drop(struct chaos *chaos)
{
    struct scripted_peer *peer = &chaos->bench->peer;
    if (chaos->drops++ >= 2)
        return;
    if (roll(chaos, 2) == 0)
        peer_send_bytes(peer,
                        "\0\0\0\x40"
                        "9999<half",
                        13);
    peer_drop(peer);
}

static void do_something(struct chaos *chaos)
{
    static const char *const numbers[] = {"1001", "1002", "1003", "4711"};
    struct bench *bench = chaos->bench;
    const char *number = numbers[roll(chaos, COUNT_OF(numbers))];
    const struct csta_message rings = hostile_delivered(number, "5");
    switch (roll(chaos, 60)) {
    case 0:
    case 1:
        drop(chaos);
        break;
    case 2:
        bench->peer.cut_bytes = roll(chaos, 3) * 700;
        break;
    case 3:
    case 4:
        assert_int_equal(pbx_monitor(bench->pbx, number), 0);
        break;
    case 5:
        pbx_unmonitor(bench->pbx, number);
        break;
    case 6:
    case 7:
        pbx_hasten(bench->pbx, number);
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        ask(chaos);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
        peer_event(&bench->peer, number, &rings);
        break;
    default:
        send_any(chaos, roll(chaos, 30));
        break;
    }
}

static void assert_all_ended_once(struct chaos *chaos)
{
    for (unsigned i = 0; i < chaos->asked; i++) {
        (void)bench_until(chaos->bench, &chaos->answers[i].count, 1, PBX_ANSWER_MS + 1000);
        if (chaos->answers[i].count != 1)
            fail_msg("request %u of %u has ended %u times", i, chaos->asked,
                     chaos->answers[i].count);
    }
}

/* Of what was said in the storm nothing may be left that keeps the driver from working. */
static void calm_down(struct chaos *chaos)
{
    struct bench *bench = chaos->bench;
    unsigned ups = bench->ups;
    chaos->calm = true;
    bench->peer.cut_bytes = 0;
    assert_all_ended_once(chaos);
    peer_drop(&bench->peer); /* an end of it, as a restarted PBX makes it */
    hostile_forget(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->ups, ups + 1, 20000));
    hostile_wait(bench, "snapshot@1001[");
    hostile_wait(bench, "snapshot@1002[");
    hostile_assert_works(bench);
    assert_all_ended_once(chaos);
}

static void storm(struct bench *bench, uint64_t seed)
{
    struct chaos *chaos = calloc(1, sizeof(*chaos));
    assert_non_null(chaos);
    *chaos = (struct chaos){.bench = bench, .dice = seed};
    bench_open(bench);
    bench->peer.message = answer_anyhow;
    bench->peer.context = chaos;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned ups = bench->ups;
        if (!bench->pbx->up) /* a storm at a dead link is none */
            (void)bench_until(bench, &bench->ups, ups + 1, 5000);
        do_something(chaos);
        bench_run(bench, roll(chaos, 5));
        if (strlen(bench->story) > sizeof(bench->story) / 2)
            hostile_forget(bench);
    }
    calm_down(chaos);
    bench->peer.message = NULL;
    free(chaos);
}

#define STORM(seed)                                                                                \
    static void after_storm_##seed##_everything_works(void **state)                                \
    {                                                                                              \
        storm(*state, seed);                                                                       \
    }
STORM(1)
STORM(2)
STORM(3)
STORM(4)
STORM(5)
STORM(6)

#define TEST(seed)                                                                                 \
    cmocka_unit_test_setup_teardown(after_storm_##seed##_everything_works, hostile_begin,          \
                                    hostile_end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(1), TEST(2), TEST(3), TEST(4), TEST(5), TEST(6)};
    return scenes_run(tests, COUNT_OF(tests));
}
