/* What goes wrong below the gateway: PostgreSQL dies, stands still, has a full disk; and what must
 * not happen meanwhile: a lost acknowledged write, a lost session, a secret in the log. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct harness harness;
static struct https_client client, other, listener;
static struct answer answer;

#define SESSIONS     "/api/rest/1.0/sessions"
#define PBX_PASSWORD "a-password-of-a-pbx"

enum { BACK_MS = 20000, WRITES = 5000, WRITERS = 8 };

/* Tries a subscription until it is accepted again. */
static void wait_until_it_takes_writes(struct https_client *who)
{
    char id[64];
    uint64_t deadline_ms = common_boot_ms() + BACK_MS;
    while (harness_subscribe(who, "", id) != 200) {
        assert_true(common_boot_ms() < deadline_ms);
        (void)usleep(20000);
    }
}

static unsigned count_rows(const char *sql)
{
    char text[32];
    assert_int_equal(pg_server_run(harness.pg, sql, text, sizeof(text)), 0);
    return (unsigned)strtoul(text, NULL, 10);
}

static void add_check(struct buf *ids, const char *id)
{
    buf_adds(ids, ids->len_bytes == 0 ? "{" : ",");
    buf_adds(ids, id);
}

/* How many of the acknowledged ids are in the table. */
static unsigned count_stored(struct buf *ids)
{
    struct buf sql = {0};
    buf_addf(&sql,
             "SELECT count(*) FROM subscription WHERE digest IN (SELECT"
             " sha256(convert_to(x, 'UTF8')) FROM unnest('%s}'::text[]) x)",
             ids->data);
    unsigned count = count_rows(sql.data);
    buf_done(&sql);
    return count;
}

struct writer {
    pthread_t thread;
    struct https_client client;
    unsigned wanted, accepted, refused;
    struct buf ids;
    const bool *stop;
};

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    char id[64];
    while (writer->accepted < writer->wanted && !__atomic_load_n(writer->stop, __ATOMIC_RELAXED)) {
        int status = harness_subscribe(&writer->client, ",\"timeout\":0", id);
        if (status == 200) {
            add_check(&writer->ids, id);
            writer->accepted++;
        } else {
            writer->refused++;
            (void)usleep(5000);
        }
    }
    return NULL;
}

static void thousands_of_subscriptions_are_stored_at_a_good_rate(void **unused)
{
    static struct writer writers[WRITERS];
    bool stop = false;
    unsigned accepted = 0;
    (void)unused;
    harness_open_session(&harness, &client);
    uint64_t begin_ms = common_boot_ms();
    for (int i = 0; i < WRITERS; i++) {
        struct writer *writer = &writers[i];
        *writer = (struct writer){.wanted = WRITES / WRITERS, .stop = &stop};
        https_client_init(&writer->client, harness.port);
        memcpy(writer->client.cookie, client.cookie, sizeof(client.cookie));
        assert_int_equal(pthread_create(&writer->thread, NULL, write_on, writer), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        accepted += writers[i].accepted;
        assert_int_equal(writers[i].refused, 0);
        assert_int_equal(count_stored(&writers[i].ids), writers[i].accepted);
        buf_done(&writers[i].ids);
        https_client_close(&writers[i].client);
    }
    uint64_t took_ms = common_boot_ms() - begin_ms;
    print_message("%u subscriptions in %llu ms\n", accepted, (unsigned long long)took_ms);
    assert_int_equal(accepted, WRITES);
    assert_true(took_ms < 25000); /* 200 per second also with sanitizers */
    assert_int_equal(https_client_ask(&client, "DELETE", SESSIONS, NULL, &answer), true);
    assert_int_equal(answer.status, 204);
    assert_int_equal(count_rows("SELECT count(*) FROM subscription"), 0);
    https_client_close(&client);
}

static void a_crash_of_postgresql_loses_no_acknowledged_write_and_no_session(void **unused)
{
    static struct writer writer;
    bool stop = false;
    char line[256], path[256], id[64];
    (void)unused;
    harness_open_session(&harness, &client);
    assert_int_equal(harness_subscribe(&client, "", id), 200);
    (void)snprintf(path, sizeof(path), "/api/rest/1.0/events?subscriptionId=%s", id);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));

    writer = (struct writer){.wanted = 100000, .stop = &stop};
    https_client_init(&writer.client, harness.port);
    memcpy(writer.client.cookie, client.cookie, sizeof(client.cookie));
    assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    (void)usleep(500000);
    pg_server_crash(harness.pg);
    (void)usleep(500000);
    assert_true(https_client_ask(&client, "GET", "/api/sysstat/health?commit=1", NULL, &answer));
    assert_int_equal(answer.status, 503);
    assert_non_null(strcasestr(answer.head, "Retry-After:"));
    assert_true(https_client_ask(&client, "POST", SESSIONS "/keepalive", NULL, &answer));
    assert_int_equal(answer.status, 204);
    assert_int_equal(pg_server_start(harness.pg), 0);
    wait_until_it_takes_writes(&client);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(writer.thread, NULL), 0);

    assert_true(writer.accepted > 0);
    assert_true(writer.refused > 0);
    assert_int_equal(count_stored(&writer.ids), writer.accepted);
    buf_done(&writer.ids);
    https_client_close(&writer.client);
    assert_true(https_client_line(&listener, line, sizeof(line), 3000)); /* the channel lives */
    https_client_close(&listener);
    assert_true(https_client_ask(&client, "GET", "/api/sysstat/health?commit=1", NULL, &answer));
    assert_int_equal(answer.status, 200);
    https_client_close(&client);
}

/* One line of the health socket, as solution-control asks for it. */
static void ask_health_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char line[256];
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", harness.health);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(read(fd, line, sizeof(line)) > 0);
    (void)close(fd);
}

static void who_asks_for_health_ends_the_pause_before_the_next_connection(void **unused)
{
    enum { FIVE_ATTEMPTS_MS = 3300, NEXT_PAUSE_MS = 2000 }; /* 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s */
    (void)unused;
    harness_open_session(&harness, &client);
    pg_server_crash(harness.pg);
    (void)usleep(FIVE_ATTEMPTS_MS * 1000);
    assert_int_equal(pg_server_start(harness.pg), 0);
    uint64_t begin_ms = common_boot_ms();
    ask_health_socket();
    wait_until_it_takes_writes(&client);
    assert_true(common_boot_ms() - begin_ms < NEXT_PAUSE_MS / 2);
    https_client_close(&client);
}

static void a_database_that_stands_still_holds_up_nothing_else(void **unused)
{
    static struct https_client writer;
    char id[64];
    (void)unused;
    harness_open_session(&harness, &client);
    https_client_init(&writer, harness.port);
    memcpy(writer.cookie, client.cookie, sizeof(client.cookie));
    pg_server_pause(harness.pg);
    writer.timeout_ms = 1000;
    assert_int_equal(harness_subscribe(&writer, "", id), 0); /* no answer, no acknowledgement */
    uint64_t begin_ms = common_boot_ms();
    assert_true(https_client_ask(&client, "POST", SESSIONS "/keepalive", NULL, &answer));
    assert_int_equal(answer.status, 204);
    assert_true(https_client_ask(&client, "GET", "/api/sysstat/health", NULL, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(common_boot_ms() - begin_ms < 1000);
    pg_server_resume(harness.pg);
    wait_until_it_takes_writes(&client);
    https_client_close(&writer);
    https_client_close(&client);
}

/* The line that holds the piece is of this level. */
static void assert_level(const char *log, const char *piece, const char *level)
{
    char expected[32];
    const char *found = strstr(log, piece), *begin = found;
    assert_non_null(found);
    while (begin > log && begin[-1] != '\n')
        begin--;
    (void)snprintf(expected, sizeof(expected), " %s ", level);
    const char *word = strstr(begin, expected);
    if (word == NULL || word > found)
        fail_msg("not at level %s: %.*s", level, (int)strcspn(begin, "\n"), begin);
}

static void a_gateway_without_database_answers_503_and_recovers(void **unused)
{
    (void)unused;
    harness_open_session(&harness, &client);
    https_client_close(&client);
    (void)harness_stop(&harness, SIGTERM);
    pg_server_crash(harness.pg);
    harness_start(&harness); /* begins to accept after 5 s */
    assert_true(https_client_ask(&client, "POST", SESSIONS "/keepalive", NULL, &answer));
    assert_int_equal(answer.status, 503);
    AUTO(common_freep) char *log = harness_read_file(harness.log);
    assert_level(log, "POST " SESSIONS "/keepalive 503", "warning");
    assert_int_equal(pg_server_start(harness.pg), 0);
    wait_until_it_takes_writes(&client);
    assert_true(https_client_ask(&client, "POST", SESSIONS "/keepalive", NULL, &answer));
    assert_int_equal(answer.status, 204);
    https_client_close(&client);
}

static void fill(const char *path)
{
    static char block[65536];
    AUTO(common_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    size_t piece = sizeof(block);
    while (piece > 0) {
        if (write(fd, block, piece) <= 0) {
            assert_int_equal(errno, ENOSPC);
            piece /= 2;
        }
    }
}

/* PostgreSQL panics when it cannot write its log, and starts again by itself once there is room:
 * the gateway answers 503 meanwhile and goes on. */
static void a_full_disk_is_answered_503_and_survived(void **unused)
{
    static struct writer writer;
    bool stop = false;
    char full[256];
    unsigned tries = 0;
    (void)unused;
    (void)snprintf(full, sizeof(full), "%s/full", getenv("TMPDIR"));
    harness_open_session(&harness, &client);
    writer = (struct writer){.stop = &stop};
    memcpy(&writer.client, &client, sizeof(client));
    char id[64];
    assert_int_equal(harness_subscribe(&client, "", id), 200);
    add_check(&writer.ids, id);
    writer.accepted = 1;
    fill(full);
    int status;
    while ((status = harness_subscribe(&client, "", id)) == 200 && tries++ < 100000) {
        add_check(&writer.ids, id);
        writer.accepted++;
    }
    print_message("%u more subscriptions until the disk was full\n", tries);
    assert_int_equal(status, 503);
    assert_true(https_client_ask(&client, "POST", SESSIONS "/keepalive", NULL, &answer));
    assert_int_equal(answer.status, 204);
    assert_int_equal(unlink(full), 0);
    if (waitpid(pg_server_pid(harness.pg), NULL, WNOHANG) != 0)
        assert_int_equal(pg_server_start(harness.pg), 0);
    wait_until_it_takes_writes(&client);
    assert_int_equal(count_stored(&writer.ids), writer.accepted);
    buf_done(&writer.ids);
    https_client_close(&client);
}

static void no_secret_stands_in_the_log_or_in_the_database(void **unused)
{
    char id[64], path[256], line[256], basic[512], sql[512];
    (void)unused;
    harness_open_session(&harness, &client);
    assert_int_equal(harness_subscribe(&client, "", id), 200);
    (void)snprintf(path, sizeof(path), "/api/rest/1.0/events?subscriptionId=%s", id);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    https_client_close(&listener);
    harness_basic("admin", "a-wrong-password", basic, sizeof(basic));
    https_client_init(&other, harness.port);
    other.authorization = basic;
    assert_true(https_client_ask(&other, "GET", "/api/rest/authenticate", NULL, &answer));
    https_client_close(&other);
    (void)snprintf(path, sizeof(path), "/api/rest/1.0/subscriptions/%s", id);
    assert_true(https_client_ask(&client, "DELETE", path, NULL, &answer));
    assert_int_equal(answer.status, 204);

    AUTO(common_freep) char *log = harness_read_file(harness.log);
    assert_level(log, "POST /api/rest/1.0/subscriptions 200", "debug");
    const char *const secrets[] = {
        client.cookie, id, TEST_PASSWORD, PBX_PASSWORD, "a-wrong-password", strchr(basic, ' ') + 1};
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        assert_null(strstr(log, secrets[i]));
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM credential WHERE position('%s' in credential::text) > 0",
                   client.cookie);
    assert_int_equal(count_rows(sql), 0);
    assert_int_equal(count_rows("SELECT count(*) FROM credential WHERE length(digest) <> 32"), 0);
    https_client_close(&client);
}

/* PostgreSQL's folder goes to a small file system of this test's own. */
static void make_small_disk(void)
{
    static char folder[] = "/tmp/roxe-small-disk.XXXXXX";
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mount("small", folder, "tmpfs", 0, "size=160m,mode=0755"), 0);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
}

static int open_all(void **unused)
{
    (void)unused;
    make_small_disk();
    harness_open(&harness,
                 ",\"channel_heartbeat_s\":1,\"pbx\":[{\"node\":\"1\",\"address\":"
                 "\"127.0.0.1\",\"port\":1,\"user\":\"csta\",\"password\":\"" PBX_PASSWORD "\"}]");
    harness_start(&harness);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    harness_close(&harness);
    assert_int_equal(umount2(getenv("TMPDIR"), MNT_DETACH), 0);
    assert_int_equal(rmdir(getenv("TMPDIR")), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_subscriptions_are_stored_at_a_good_rate),
        cmocka_unit_test(a_crash_of_postgresql_loses_no_acknowledged_write_and_no_session),
        cmocka_unit_test(who_asks_for_health_ends_the_pause_before_the_next_connection),
        cmocka_unit_test(a_database_that_stands_still_holds_up_nothing_else),
        cmocka_unit_test(a_gateway_without_database_answers_503_and_recovers),
        cmocka_unit_test(no_secret_stands_in_the_log_or_in_the_database),
        cmocka_unit_test(a_full_disk_is_answered_503_and_survived),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
