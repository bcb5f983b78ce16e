#include "tests/integration/gateway/subscribers.h"

#include "lib/common/secrets.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct answer answer;

void subscribers_run_sql(struct harness *harness, const char *format, ...)
{
    char sql[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    assert_int_equal(pg_server_run(harness->pg, sql, NULL, 0), 0);
}

static void add_password(struct harness *harness, const char *login, const char *password)
{
    char hash[SECRETS_HASH_CHARS];
    assert_int_equal(secrets_password_hash(password, hash, NULL), 0);
    subscribers_run_sql(
        harness, "INSERT INTO subscriber_password (login, hash) VALUES ('%s', '%s')", login, hash);
}

static void add_subscriber(struct harness *harness, const char *number, const char *first,
                           const char *last)
{
    subscribers_run_sql(harness,
                        "INSERT INTO subscriber (login, node, number, first_name, last_name,"
                        " devices) VALUES ('oxe%s', '1', '%s', '%s', '%s', '[{\"id\":\"%s\","
                        "\"type\":\"DESKPHONE\",\"subType\":\"NOE\"}]')",
                        number, number, first, last, number);
}

void subscribers_open(struct harness *harness)
{
    harness_open(harness, "");
    harness_start(harness); /* makes the tables */
    (void)harness_stop(harness, SIGTERM);
    add_subscriber(harness, "1001", "Nora", "Lindqvist");
    add_subscriber(harness, "1002", "Olof", "Ek");
    add_subscriber(harness, "1003", "Pia", "");
    add_subscriber(harness, "1004", "Sten", "Falk");
    subscribers_run_sql(harness,
                        "UPDATE subscriber SET external_login = 'nora', mail = 'nora@a.test',"
                        " devices = '[{\"id\":\"1001\",\"type\":\"DESKPHONE\",\"subType\":\"NOE\"},"
                        "{\"id\":\"1501\",\"type\":\"MOBILE\"}]' WHERE login = 'oxe1001'");
    add_password(harness, "oxe1001", "1234");
    add_password(harness, "oxe1002", "5678");
    add_password(harness, "oxe1004", "4444");
    harness_start(harness);
}

int subscribers_log_in(struct https_client *client, const char *login, const char *password,
                       struct answer *ret_answer)
{
    char basic[512];
    harness_basic(login, password, basic, sizeof(basic));
    client->authorization = basic;
    assert_true(
        https_client_ask(client, "GET", "/api/rest/authenticate?version=1.0", NULL, ret_answer));
    client->authorization = NULL;
    harness_text(ret_answer, "credential", client->cookie, sizeof(client->cookie));
    return ret_answer->status;
}

void subscribers_open_session(struct harness *harness, struct https_client *client,
                              const char *login, const char *password)
{
    https_client_init(client, harness->port);
    assert_int_equal(subscribers_log_in(client, login, password, &answer), 200);
    assert_true(https_client_ask(client, "POST", "/api/rest/1.0/sessions",
                                 "{\"applicationName\":\"desk\"}", &answer));
    assert_int_equal(answer.status, 200);
}
