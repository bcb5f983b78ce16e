/* The witness client and witness.sql against a private PostgreSQL with TLS and passwords. A proxy
 * between the two can hold back what a client sends, as a network does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/witness.h"
#include "lib/common/common.h"
#include "tests/integration/ha/support.h"
#include "tests/support/pg_server.h"

/* --- a proxy that can hold bytes back ------------------------------------------------------- */

struct held {
    struct held *next;
    size_t len_bytes;
    char bytes[];
};

struct proxy;
struct pipe_pair {
    struct pipe_pair *next;
    struct proxy *proxy;
    uv_tcp_t client, server;
    bool hold; /* what the client sends from now on waits */
    struct held *first, **last;
    bool client_open, server_open;
};

struct proxy {
    uv_loop_t *loop;
    uv_tcp_t listener;
    uint16_t port, server_port;
    struct pipe_pair *pairs; /* newest first; freed at the end */
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    buf->base = malloc(suggested);
    buf->len = buf->base != NULL ? suggested : 0;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
    free(request);
}

/* Takes bytes. */
static void forward(uv_tcp_t *to, char *bytes, size_t len_bytes)
{
    uv_write_t *request = calloc(1, sizeof(*request));
    assert_non_null(request);
    request->data = bytes;
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)len_bytes);
    if (uv_write(request, (uv_stream_t *)to, &buf, 1, on_written) < 0) {
        free(bytes);
        free(request);
    }
}

static void close_client(struct pipe_pair *pair)
{
    if (pair->client_open)
        uv_close((uv_handle_t *)&pair->client, NULL);
    pair->client_open = false;
}

static void close_server(struct pipe_pair *pair)
{
    if (pair->server_open)
        uv_close((uv_handle_t *)&pair->server, NULL);
    pair->server_open = false;
}

static void on_client_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct pipe_pair *pair = stream->data;
    if (got > 0 && pair->hold) {
        struct held *held = malloc(sizeof(*held) + (size_t)got);
        assert_non_null(held);
        held->next = NULL;
        held->len_bytes = (size_t)got;
        memcpy(held->bytes, buf->base, (size_t)got);
        *pair->last = held;
        pair->last = &held->next;
        free(buf->base);
    } else if (got > 0 && pair->server_open) {
        forward(&pair->server, buf->base, (size_t)got);
    } else {
        free(buf->base);
        if (got < 0) {
            close_client(pair);
            if (!pair->hold)
                close_server(pair);
        }
    }
}

static void on_server_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct pipe_pair *pair = stream->data;
    if (got > 0 && pair->client_open) {
        forward(&pair->client, buf->base, (size_t)got);
        return;
    }
    free(buf->base);
    if (got < 0) {
        close_server(pair);
        close_client(pair);
    }
}

static void on_server_connected(uv_connect_t *request, int status)
{
    struct pipe_pair *pair = request->data;
    free(request);
    if (status < 0 || !pair->client_open) {
        close_client(pair);
        close_server(pair);
        return;
    }
    (void)uv_read_start((uv_stream_t *)&pair->client, on_alloc, on_client_read);
    (void)uv_read_start((uv_stream_t *)&pair->server, on_alloc, on_server_read);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct proxy *proxy = listener->data;
    struct pipe_pair *pair = calloc(1, sizeof(*pair));
    uv_connect_t *request = calloc(1, sizeof(*request));
    assert_true(status == 0 && pair != NULL && request != NULL);
    pair->next = proxy->pairs;
    proxy->pairs = pair;
    pair->proxy = proxy;
    pair->last = &pair->first;
    pair->client_open = pair->server_open = true;
    (void)uv_tcp_init(proxy->loop, &pair->client);
    (void)uv_tcp_init(proxy->loop, &pair->server);
    pair->client.data = pair->server.data = request->data = pair;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&pair->client), 0);
    struct sockaddr_in server;
    (void)uv_ip4_addr("127.0.0.1", proxy->server_port, &server);
    assert_int_equal(uv_tcp_connect(request, &pair->server, (const struct sockaddr *)&server,
                                    on_server_connected),
                     0);
}

static void proxy_start(struct proxy *proxy, uv_loop_t *loop, uint16_t server_port)
{
    *proxy = (struct proxy){.loop = loop, .server_port = server_port};
    struct sockaddr_in any;
    (void)uv_ip4_addr("127.0.0.1", 0, &any);
    (void)uv_tcp_init(loop, &proxy->listener);
    proxy->listener.data = proxy;
    assert_int_equal(uv_tcp_bind(&proxy->listener, (const struct sockaddr *)&any, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&proxy->listener, 16, on_connection), 0);
    struct sockaddr_in bound;
    int bound_bytes = sizeof(bound);
    assert_int_equal(uv_tcp_getsockname(&proxy->listener, (struct sockaddr *)&bound, &bound_bytes),
                     0);
    proxy->port = ntohs(bound.sin_port);
}

/* What was held back arrives now, although its client has long gone. */
static void proxy_release(struct proxy *proxy)
{
    for (struct pipe_pair *pair = proxy->pairs; pair != NULL; pair = pair->next) {
        pair->hold = false;
        while (pair->first != NULL) {
            struct held *held = pair->first;
            pair->first = held->next;
            char *bytes = malloc(held->len_bytes);
            assert_non_null(bytes);
            memcpy(bytes, held->bytes, held->len_bytes);
            if (pair->server_open)
                forward(&pair->server, bytes, held->len_bytes);
            else
                free(bytes);
            free(held);
        }
        pair->last = &pair->first;
    }
}

static void proxy_stop(struct proxy *proxy)
{
    proxy_release(proxy);
    for (struct pipe_pair *pair = proxy->pairs; pair != NULL; pair = pair->next) {
        close_client(pair);
        close_server(pair);
    }
    uv_close((uv_handle_t *)&proxy->listener, NULL);
    (void)uv_run(proxy->loop, UV_RUN_DEFAULT);
    while (proxy->pairs != NULL) {
        struct pipe_pair *pair = proxy->pairs;
        proxy->pairs = pair->next;
        free(pair);
    }
}

/* --- the server ---------------------------------------------------------------------------- */

struct scene {
    struct pg_server *server;
    char folder[64], ca[160], passwords[2][96];
    char fsync[16]; /* the setting; the server reads it at each start */
    uv_loop_t loop;
    struct proxy proxy;
    struct witness *nodes[2];
};

static void make_certificates(const char *folder)
{
    char ca_key[96], ca[96], key[96], request[96], cert[96], extension[96];
    (void)snprintf(ca_key, sizeof(ca_key), "%s/ca.key", folder);
    (void)snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
    (void)snprintf(key, sizeof(key), "%s/server.key", folder);
    (void)snprintf(request, sizeof(request), "%s/server.csr", folder);
    (void)snprintf(cert, sizeof(cert), "%s/server.crt", folder);
    (void)snprintf(extension, sizeof(extension), "%s/san", folder);
    support_write_file(extension, "subjectAltName=IP:127.0.0.1\n", 0600);
    assert_int_equal(support_run(true, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                                 "/CN=test ca", "-keyout", ca_key, "-out", ca, NULL),
                     0);
    assert_int_equal(support_run(true, "openssl", "req", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=witness",
                                 "-keyout", key, "-out", request, NULL),
                     0);
    assert_int_equal(support_run(true, "openssl", "x509", "-req", "-in", request, "-CA", ca,
                                 "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile",
                                 extension, "-out", cert, NULL),
                     0);
}

static void give_to_postgres(const char *folder, const char *name)
{
    const struct passwd *user = getpwnam("postgres");
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, user->pw_uid, user->pw_gid), 0);
}

static int seed(struct scene *scene)
{
    return support_run(false, "psql", "-X", "-q", "-o", "/dev/null", "-h",
                       pg_server_folder(scene->server), "-p", pg_server_port(scene->server), "-U",
                       "postgres", "-v", "cluster=pair one", "-v", "role_a=og_a", "-v",
                       "pw_a=first's password", "-v", "role_b=og_b", "-v", "pw_b=second password",
                       "-d", "postgres", "-f", WITNESS_SQL, NULL);
}

static int set_up_server(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/witness-test-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    assert_int_equal(chmod(scene->folder, 0755), 0);
    make_certificates(scene->folder);
    static char settings[4][160];
    (void)snprintf(scene->fsync, sizeof(scene->fsync), "fsync=on");
    (void)snprintf(settings[0], sizeof(settings[0]), "ssl=on");
    (void)snprintf(settings[1], sizeof(settings[1]), "ssl_cert_file=%s/server.crt", scene->folder);
    (void)snprintf(settings[2], sizeof(settings[2]), "ssl_key_file=%s/server.key", scene->folder);
    (void)snprintf(settings[3], sizeof(settings[3]), "hba_file=%s/hba", scene->folder);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/hba", scene->folder);
    support_write_file(path,
                       "local all all trust\n"
                       "hostssl all all 127.0.0.1/32 scram-sha-256\n",
                       0600);
    give_to_postgres(scene->folder, "hba");
    give_to_postgres(scene->folder, "server.crt");
    give_to_postgres(scene->folder, "server.key");
    const char *const list[] = {settings[0], settings[1],  settings[2],
                                settings[3], scene->fsync, "synchronous_commit=off",
                                NULL};
    scene->server = pg_server_new(&(struct pg_server_options){.settings = list, .tcp = true});
    assert_non_null(scene->server);
    assert_int_equal(seed(scene), 0);

    (void)snprintf(scene->ca, sizeof(scene->ca), "%s/ca.crt", scene->folder);
    static const char *const passwords[] = {"first's password\n", "second password\n"};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(scene->passwords[i], sizeof(scene->passwords[i]), "%s/pw%d", scene->folder,
                       i + 1);
        support_write_file(scene->passwords[i], passwords[i], 0600);
    }
    *state = scene;
    return 0;
}

static int tear_down_server(void **state)
{
    struct scene *scene = *state;
    pg_server_free(scene->server);
    support_must("rm", "-rf", scene->folder, NULL);
    free(scene);
    return 0;
}

static void sql(struct scene *scene, const char *text)
{
    assert_int_equal(pg_server_run(scene->server, text, NULL, 0), 0);
}

static struct witness *open_node(struct scene *scene, unsigned node, const char *password_file)
{
    const struct witness_options options = {.hostaddr = "127.0.0.1",
                                            .port = scene->proxy.port,
                                            .database = "postgres",
                                            .user = node == 1 ? "og_a" : "og_b",
                                            .password_file = password_file,
                                            .ca_file = scene->ca,
                                            .cluster = "pair one",
                                            .node = node};
    struct witness *witness = NULL;
    struct diag diag = {0};
    int code = witness_open(&scene->loop, &options, &witness, &diag);
    if (code != 0)
        print_message("%s\n", diag.text);
    assert_int_equal(code, 0);
    return witness;
}

/* Each case: register PAIR, seq 1, term 0; both nodes open. */
static int set_up(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(uv_loop_init(&scene->loop), 0);
    sql(scene, "DELETE FROM open_gateway.og_witness");
    sql(scene, "INSERT INTO open_gateway.og_witness VALUES ('pair one', 1, 0, 'PAIR', NULL)");
    proxy_start(&scene->proxy, &scene->loop,
                (uint16_t)strtoul(pg_server_port(scene->server), NULL, 10));
    for (unsigned i = 0; i < 2; i++)
        scene->nodes[i] = open_node(scene, i + 1, scene->passwords[i]);
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 2; i++)
        witness_close(scene->nodes[i]);
    proxy_stop(&scene->proxy);
    support_loop_done(&scene->loop);
    return 0;
}

/* --- asking -------------------------------------------------------------------------------- */

struct reply {
    bool done;
    struct witness_answer answer;
    char message[256];
};

static void on_answer(void *context, const struct witness_answer *answer)
{
    struct reply *reply = context;
    assert_false(reply->done);
    reply->done = true;
    reply->answer = *answer;
    (void)snprintf(reply->message, sizeof(reply->message), "%s", answer->message);
}

static struct reply ask_read(struct scene *scene, unsigned node)
{
    struct reply reply = {0};
    assert_int_equal(witness_read(scene->nodes[node - 1], on_answer, &reply), 0);
    assert_true(support_loop_until(&scene->loop, &reply.done, 5000));
    return reply;
}

static const struct arb_right pair_5 = {.mode = ARB_MODE_PAIR, .term = 5};
static const struct arb_right solo_1 = {.mode = ARB_MODE_SOLO, .owner = 1, .term = 5};
static const struct arb_right solo_2 = {.mode = ARB_MODE_SOLO, .owner = 2, .term = 5};

static struct reply ask_cas(struct scene *scene, unsigned node, uint64_t seq,
                            const struct arb_right *wanted)
{
    struct reply reply = {0};
    assert_int_equal(witness_cas(scene->nodes[node - 1], seq, wanted, on_answer, &reply), 0);
    assert_true(support_loop_until(&scene->loop, &reply.done, 5000));
    return reply;
}

static void check_register(const struct reply *reply, uint64_t seq, enum arb_mode mode,
                           uint32_t owner, uint64_t term)
{
    if (reply->message[0] != '\0')
        print_message("%s\n", reply->message);
    assert_int_equal(reply->answer.right.seq, seq);
    assert_int_equal(reply->answer.right.mode, mode);
    assert_int_equal(reply->answer.right.owner, owner);
    assert_int_equal(reply->answer.right.term, term);
}

/* --- the register -------------------------------------------------------------------------- */

static void both_nodes_read_the_same_register_from_the_same_run(void **state)
{
    struct scene *scene = *state;
    struct reply one = ask_read(scene, 1), two = ask_read(scene, 2);
    assert_int_equal(one.answer.outcome, ARB_OUTCOME_READ);
    check_register(&one, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
    check_register(&two, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
    assert_true(one.answer.run != 0 && one.answer.run == two.answer.run);
}

static void a_change_needs_the_present_seq(void **state)
{
    struct scene *scene = *state;
    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_GRANTED);
    check_register(&reply, 2, ARB_MODE_SOLO, 1, 5);
    reply = ask_cas(scene, 1, 1, &pair_5);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_DENIED);
    check_register(&reply, 2, ARB_MODE_SOLO, 1, 5);
    reply = ask_cas(scene, 1, 2, &pair_5);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_GRANTED);
    check_register(&reply, 3, ARB_MODE_PAIR, ARB_NODE_NONE, 5);
}

static void nobody_can_speak_for_the_other_node(void **state)
{
    struct scene *scene = *state;
    struct reply reply = ask_cas(scene, 1, 1, &solo_2);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_DENIED);
    check_register(&reply, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
    assert_int_equal(ask_cas(scene, 1, 1, &solo_1).answer.outcome, ARB_OUTCOME_GRANTED);
    assert_int_equal(ask_cas(scene, 2, 2, &solo_2).answer.outcome, ARB_OUTCOME_DENIED);
    reply = ask_cas(scene, 2, 2, &pair_5);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_DENIED);
    check_register(&reply, 2, ARB_MODE_SOLO, 1, 5);
}

static void the_term_never_falls(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_cas(scene, 1, 1, &pair_5).answer.outcome, ARB_OUTCOME_GRANTED);
    const struct arb_right older = {.mode = ARB_MODE_SOLO, .owner = 1, .term = 4};
    assert_int_equal(ask_cas(scene, 1, 2, &older).answer.outcome, ARB_OUTCOME_DENIED);
}

static void of_two_that_ask_at_once_exactly_one_wins_a_thousand_times(void **state)
{
    struct scene *scene = *state;
    uint64_t seq = 1;
    unsigned wins[2] = {0};
    for (unsigned round = 0; round < 1000; round++) {
        struct reply replies[2] = {0};
        struct arb_right wanted = {.mode = ARB_MODE_SOLO, .term = round + 1};
        for (unsigned i = 0; i < 2; i++) {
            unsigned node = (i + round) % 2;
            wanted.owner = node + 1;
            assert_int_equal(
                witness_cas(scene->nodes[node], seq, &wanted, on_answer, &replies[node]), 0);
        }
        for (unsigned i = 0; i < 2; i++)
            while (!replies[i].done)
                (void)uv_run(&scene->loop, UV_RUN_ONCE);
        unsigned winner = replies[0].answer.outcome == ARB_OUTCOME_GRANTED ? 0 : 1;
        assert_int_equal(replies[winner].answer.outcome, ARB_OUTCOME_GRANTED);
        assert_int_equal(replies[1 - winner].answer.outcome, ARB_OUTCOME_DENIED);
        check_register(&replies[1 - winner], seq + 1, ARB_MODE_SOLO, winner + 1, round + 1);
        wins[winner]++;
        const struct arb_right pair = {.mode = ARB_MODE_PAIR, .term = round + 1};
        struct reply back = {0};
        assert_int_equal(witness_cas(scene->nodes[winner], seq + 1, &pair, on_answer, &back), 0);
        while (!back.done)
            (void)uv_run(&scene->loop, UV_RUN_ONCE);
        assert_int_equal(back.answer.outcome, ARB_OUTCOME_GRANTED);
        seq += 2;
    }
    print_message("won: node 1 %u, node 2 %u\n", wins[0], wins[1]);
}

static void running_the_sql_again_leaves_the_register_alone(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_cas(scene, 2, 1, &solo_2).answer.outcome, ARB_OUTCOME_GRANTED);
    assert_int_equal(seed(scene), 0);
    struct reply reply = ask_read(scene, 1);
    check_register(&reply, 2, ARB_MODE_SOLO, 2, 5);
}

static void a_change_is_durable_although_the_server_commits_asynchronously_by_default(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_cas(scene, 1, 1, &solo_1).answer.outcome, ARB_OUTCOME_GRANTED);
    pg_server_crash(scene->server); /* at once: an asynchronous commit would be lost */
    assert_int_equal(pg_server_start(scene->server), 0);
    support_loop_for(&scene->loop, 300);
    struct reply reply = ask_read(scene, 2);
    for (int i = 0; i < 10 && reply.answer.outcome != ARB_OUTCOME_READ; i++)
        reply = ask_read(scene, 2);
    check_register(&reply, 2, ARB_MODE_SOLO, 1, 5);
}

/* --- what a role may do -------------------------------------------------------------------- */

static int as_role(struct scene *scene, const char *text)
{
    return support_run(true, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                       pg_server_folder(scene->server), "-p", pg_server_port(scene->server), "-U",
                       "og_a", "-d", "postgres", "-c", text, NULL);
}

static void a_role_can_call_its_functions_and_nothing_else(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(as_role(scene, "SELECT open_gateway.og_witness_read('pair one')"), 0);
    static const char *const forbidden[] = {
        "SELECT * FROM open_gateway.og_witness",
        "UPDATE open_gateway.og_witness SET seq = 9",
        "DELETE FROM open_gateway.og_witness",
        "SELECT * FROM open_gateway.og_witness_node",
        "INSERT INTO open_gateway.og_witness_node VALUES ('og_a', 'pair one', 2)",
        "SELECT open_gateway.og_witness_caller('pair one')",
        "SELECT open_gateway.og_witness_unfit()",
        "SELECT open_gateway.og_witness_read('pair two')",
        "SELECT open_gateway.og_witness_cas('pair two', 1, NULL, NULL, NULL)",
        "CREATE TABLE open_gateway.mine (a int)",
        "CREATE TABLE mine (a int)",
        "CREATE ROLE mine",
        "ALTER SYSTEM SET fsync = off",
        "SET ROLE og_b",
        "SET SESSION AUTHORIZATION og_b",
    };
    for (size_t i = 0; i < COUNT_OF(forbidden); i++)
        if (as_role(scene, forbidden[i]) == 0)
            fail_msg("allowed: %s", forbidden[i]);
}

static void impossible_wishes_are_refused_by_the_server_itself(void **state)
{
    struct scene *scene = *state;
    static const char *const wishes[] = {
        "'SOLO', NULL, 1", "'PAIR', 1, 1",    "'pair', NULL, 1", "'SOLO', 3, 1",
        "'SOLO', 2, 1",    "'SOLO', 1, NULL", "'SOLO', 1, -1",
    };
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        char text[160];
        (void)snprintf(text, sizeof(text), "SELECT open_gateway.og_witness_cas('pair one', 1, %s)",
                       wishes[i]);
        (void)as_role(scene, text);
        struct reply reply = ask_read(scene, 1);
        check_register(&reply, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
    }
}

/* --- trouble ------------------------------------------------------------------------------- */

static void a_locked_row_is_unreachable_within_a_second_and_nothing_happened(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_read(scene, 1).answer.outcome, ARB_OUTCOME_READ); /* connected */
    uv_process_t locker = {0};
    char command[] = "BEGIN; SELECT * FROM open_gateway.og_witness FOR UPDATE; SELECT pg_sleep(2)";
    char folder[128], port[16], psql[] = "psql", h[] = "-h", p[] = "-p", u[] = "-U", c[] = "-c",
                                x[] = "-Xq", o[] = "-o", null[] = "/dev/null", user[] = "postgres";
    (void)snprintf(folder, sizeof(folder), "%s", pg_server_folder(scene->server));
    (void)snprintf(port, sizeof(port), "%s", pg_server_port(scene->server));
    char *arguments[] = {psql, x, o, null, h, folder, p, port, u, user, c, command, NULL};
    const uv_process_options_t options = {.file = "psql", .args = arguments};
    assert_int_equal(uv_spawn(&scene->loop, &locker, &options), 0);
    support_loop_for(&scene->loop, 700);

    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_false(reply.answer.unresolved);
    assert_in_range(reply.answer.took_ms, 400, 1500);
    assert_non_null(strstr(reply.message, "55P03"));
    support_loop_for(&scene->loop, 2500);
    uv_close((uv_handle_t *)&locker, NULL);
    reply = ask_read(scene, 2);
    check_register(&reply, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
}

static void a_frozen_server_is_unreachable_within_two_seconds_and_resolved_later(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_read(scene, 1).answer.outcome, ARB_OUTCOME_READ);
    pg_server_pause(scene->server);
    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    pg_server_resume(scene->server);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_true(reply.answer.unresolved);
    assert_in_range(reply.answer.took_ms, 1500, 3000);

    reply = ask_read(scene, 1);
    for (int i = 0; i < 10 && reply.answer.outcome != ARB_OUTCOME_READ; i++)
        reply = ask_read(scene, 1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_READ);
    /* carried out or raised past: whichever it was, it stays so */
    assert_true(reply.answer.right.seq >= 2);
    support_loop_for(&scene->loop, 1500);
    struct reply later = ask_read(scene, 2);
    check_register(&later, reply.answer.right.seq, reply.answer.right.mode,
                   reply.answer.right.owner, reply.answer.right.term);
}

static void a_read_from_a_frozen_server_gives_up_after_a_second(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_read(scene, 1).answer.outcome, ARB_OUTCOME_READ);
    pg_server_pause(scene->server);
    struct reply reply = ask_read(scene, 1);
    pg_server_resume(scene->server);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_false(reply.answer.unresolved);
    assert_in_range(reply.answer.took_ms, 900, 1800);
}

static void a_late_statement_is_killed_before_anything_is_reported(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_read(scene, 1).answer.outcome, ARB_OUTCOME_READ);
    for (struct pipe_pair *pair = scene->proxy.pairs; pair != NULL; pair = pair->next)
        pair->hold = true;          /* the network swallows it for now */
    witness_close(scene->nodes[1]); /* the other node's connection is a new one */
    scene->nodes[1] = open_node(scene, 2, scene->passwords[1]);
    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_DENIED);
    check_register(&reply, 2, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
    assert_in_range(reply.answer.took_ms, 900, 2500);

    /* Meanwhile the other node takes the right, then the old statement arrives. */
    assert_int_equal(ask_cas(scene, 2, 2, &solo_2).answer.outcome, ARB_OUTCOME_GRANTED);
    bool held = false;
    for (struct pipe_pair *pair = scene->proxy.pairs; pair != NULL; pair = pair->next)
        held |= pair->first != NULL;
    assert_true(held);
    proxy_release(&scene->proxy);
    support_loop_for(&scene->loop, 500);
    reply = ask_read(scene, 1);
    check_register(&reply, 3, ARB_MODE_SOLO, 2, 5);
}

static void a_statement_whose_answer_was_lost_is_found_to_have_won(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ask_read(scene, 1).answer.outcome, ARB_OUTCOME_READ);
    for (struct pipe_pair *pair = scene->proxy.pairs; pair != NULL; pair = pair->next)
        if (pair->server_open)
            (void)uv_read_stop((uv_stream_t *)&pair->server); /* answers do not come back */
    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_GRANTED);
    check_register(&reply, 2, ARB_MODE_SOLO, 1, 5);
}

static void a_restart_makes_another_run(void **state)
{
    struct scene *scene = *state;
    struct reply before = ask_read(scene, 1);
    pg_server_crash(scene->server);
    assert_int_equal(pg_server_start(scene->server), 0);
    struct reply after = ask_read(scene, 1);
    for (int i = 0; i < 10 && after.answer.outcome != ARB_OUTCOME_READ; i++)
        after = ask_read(scene, 1);
    assert_int_equal(after.answer.outcome, ARB_OUTCOME_READ);
    assert_true(before.answer.run != after.answer.run);
}

static void restart_with(struct scene *scene, const char *fsync)
{
    (void)snprintf(scene->fsync, sizeof(scene->fsync), "%s", fsync);
    pg_server_crash(scene->server);
    assert_int_equal(pg_server_start(scene->server), 0);
    support_loop_for(&scene->loop, 300);
}

static void a_server_without_fsync_does_not_count(void **state)
{
    struct scene *scene = *state;
    sql(scene, "CHECKPOINT"); /* what the test's own set-up wrote survives the crash */
    restart_with(scene, "fsync=off");
    struct reply reply = ask_read(scene, 1);
    /* the first answers may still be about the connection that the restart ended */
    for (int i = 0; i < 10 && strstr(reply.message, "fsync") == NULL; i++) {
        assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
        reply = ask_read(scene, 1);
    }
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_non_null(strstr(reply.message, "fsync"));
    assert_true(reply.answer.run == 0);
    reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    restart_with(scene, "fsync=on");
    reply = ask_read(scene, 1);
    for (int i = 0; i < 10 && reply.answer.outcome != ARB_OUTCOME_READ; i++)
        reply = ask_read(scene, 1);
    check_register(&reply, 1, ARB_MODE_PAIR, ARB_NODE_NONE, 0);
}

static void a_missing_row_is_unreachable_and_never_made_anew(void **state)
{
    struct scene *scene = *state;
    sql(scene, "DELETE FROM open_gateway.og_witness");
    struct reply reply = ask_cas(scene, 1, 1, &solo_1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_non_null(strstr(reply.message, "no register"));
    assert_int_equal(ask_read(scene, 2).answer.outcome, ARB_OUTCOME_UNREACHABLE);
}

static void a_wrong_password_is_unreachable_with_the_reason(void **state)
{
    struct scene *scene = *state;
    witness_close(scene->nodes[0]);
    scene->nodes[0] = open_node(scene, 1, scene->passwords[1]);
    struct reply reply = ask_read(scene, 1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_non_null(strstr(witness_last_error(scene->nodes[0]), "password"));
}

static void a_password_that_others_can_read_is_refused(void **state)
{
    struct scene *scene = *state;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/open", scene->folder);
    support_write_file(path, "first's password\n", 0644);
    const struct witness_options options = {.hostaddr = "127.0.0.1",
                                            .database = "postgres",
                                            .user = "og_a",
                                            .password_file = path,
                                            .ca_file = scene->ca,
                                            .cluster = "pair one",
                                            .node = 1};
    struct witness *witness = NULL;
    struct diag diag = {0};
    assert_int_equal(witness_open(&scene->loop, &options, &witness, &diag), -EPERM);
    assert_null(witness);
}

static void a_server_with_another_ca_is_not_believed(void **state)
{
    struct scene *scene = *state;
    char folder[128], ca[160];
    (void)snprintf(folder, sizeof(folder), "%s/other", scene->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    make_certificates(folder);
    (void)snprintf(ca, sizeof(ca), "%s", scene->ca);
    (void)snprintf(scene->ca, sizeof(scene->ca), "%s/other/ca.crt", scene->folder);
    witness_close(scene->nodes[0]);
    scene->nodes[0] = open_node(scene, 1, scene->passwords[0]);
    (void)snprintf(scene->ca, sizeof(scene->ca), "%s", ca);
    struct reply reply = ask_read(scene, 1);
    assert_int_equal(reply.answer.outcome, ARB_OUTCOME_UNREACHABLE);
    assert_non_null(strstr(witness_last_error(scene->nodes[0]), "certificate"));
}

static void a_second_question_while_one_is_open_is_refused(void **state)
{
    struct scene *scene = *state;
    struct reply reply = {0};
    assert_int_equal(witness_read(scene->nodes[0], on_answer, &reply), 0);
    assert_false(reply.done); /* never before it returns */
    assert_int_equal(witness_read(scene->nodes[0], on_answer, &reply), -EBUSY);
    assert_int_equal(witness_cas(scene->nodes[0], 1, &solo_1, on_answer, &reply), -EBUSY);
    assert_true(support_loop_until(&scene->loop, &reply.done, 2000));
}

static void closing_with_an_open_question_calls_nobody(void **state)
{
    struct scene *scene = *state;
    struct reply reply = {0};
    assert_int_equal(witness_read(scene->nodes[0], on_answer, &reply), 0);
    support_loop_for(&scene->loop, 20);
    reply.done = true; /* a callback would fail the assertion in it */
    witness_close(scene->nodes[0]);
    scene->nodes[0] = NULL;
    support_loop_for(&scene->loop, 200);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(both_nodes_read_the_same_register_from_the_same_run),
        CASE(a_change_needs_the_present_seq),
        CASE(nobody_can_speak_for_the_other_node),
        CASE(the_term_never_falls),
        CASE(of_two_that_ask_at_once_exactly_one_wins_a_thousand_times),
        CASE(running_the_sql_again_leaves_the_register_alone),
        CASE(a_change_is_durable_although_the_server_commits_asynchronously_by_default),
        CASE(a_role_can_call_its_functions_and_nothing_else),
        CASE(impossible_wishes_are_refused_by_the_server_itself),
        CASE(a_locked_row_is_unreachable_within_a_second_and_nothing_happened),
        CASE(a_frozen_server_is_unreachable_within_two_seconds_and_resolved_later),
        CASE(a_read_from_a_frozen_server_gives_up_after_a_second),
        CASE(a_late_statement_is_killed_before_anything_is_reported),
        CASE(a_statement_whose_answer_was_lost_is_found_to_have_won),
        CASE(a_restart_makes_another_run),
        CASE(a_server_without_fsync_does_not_count),
        CASE(a_missing_row_is_unreachable_and_never_made_anew),
        CASE(a_wrong_password_is_unreachable_with_the_reason),
        CASE(a_password_that_others_can_read_is_refused),
        CASE(a_server_with_another_ca_is_not_believed),
        CASE(a_second_question_while_one_is_open_is_refused),
        CASE(closing_with_an_open_question_calls_nobody),
    };
    return cmocka_run_group_tests(tests, set_up_server, tear_down_server);
}
