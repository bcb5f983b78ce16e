#include "gateway/auth/sessions.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sessions_init(struct sessions *sessions, int64_t ttl_s)
{
    *sessions = (struct sessions){.ttl_s = ttl_s};
    TAILQ_INIT(&sessions->all);
}

void sessions_done(struct sessions *sessions)
{
    while (!TAILQ_EMPTY(&sessions->all))
        sessions_remove(sessions, TAILQ_FIRST(&sessions->all));
    digest_table_done(&sessions->by_credential);
    digest_table_done(&sessions->accounts);
}

struct account *sessions_find_account(const struct sessions *sessions, const char *login)
{
    struct digest key;
    digest_of_text(login, &key);
    struct digest_link *link = digest_table_find(&sessions->accounts, &key);
    return link == NULL ? NULL : DIGEST_OWNER(link, struct account, by_login);
}

static struct account *find_or_add_account(struct sessions *sessions, const char *login)
{
    size_t len_bytes = strlen(login) + 1;
    struct account *account = sessions_find_account(sessions, login);
    if (account != NULL)
        return account;
    account = calloc(1, sizeof(*account) + len_bytes);
    if (account == NULL)
        return NULL;
    memcpy(account->login, login, len_bytes);
    digest_of_text(login, &account->by_login.key);
    TAILQ_INIT(&account->sessions);
    if (digest_table_add(&sessions->accounts, &account->by_login) == 0)
        return account;
    free(account);
    return NULL;
}

static void drop_empty_account(struct sessions *sessions, struct account *account)
{
    if (!TAILQ_EMPTY(&account->sessions))
        return;
    digest_table_remove(&sessions->accounts, &account->by_login);
    free(account);
}

static uint64_t full_life_ms(const struct sessions *sessions)
{
    return (uint64_t)sessions->ttl_s * 1100 + 30000;
}

int sessions_add(struct sessions *sessions, const struct session_birth *birth, uint64_t now_ms,
                 struct session **ret_session)
{
    if (sessions->by_credential.count >= SESSIONS_MAX)
        return -ENOSPC;
    struct session *session = calloc(1, sizeof(*session));
    struct account *account = session == NULL ? NULL : find_or_add_account(sessions, birth->login);
    if (account == NULL) {
        free(session);
        return -ENOMEM;
    }
    session->by_credential.key = *birth->credential;
    int r = digest_table_add(&sessions->by_credential, &session->by_credential);
    if (r < 0) {
        drop_empty_account(sessions, account);
        free(session);
        return r;
    }
    session->account = account;
    session->administrator = birth->administrator;
    session->deadline_ms = now_ms + (birth->remaining_s > 0 ? (uint64_t)birth->remaining_s * 1000
                                                            : full_life_ms(sessions));
    TAILQ_INIT(&session->subscriptions);
    TAILQ_INSERT_TAIL(&sessions->all, session, of_all);
    TAILQ_INSERT_TAIL(&account->sessions, session, of_account);
    *ret_session = session;
    return 0;
}

int session_open(struct session *session, const char *id, const char *application,
                 int64_t opened_at_ms)
{
    char *copy = strdup(application);
    if (copy == NULL)
        return -ENOMEM;
    free(session->application);
    session->application = copy;
    (void)snprintf(session->id, sizeof(session->id), "%s", id);
    session->opened_at_ms = opened_at_ms;
    session->opened = true;
    return 0;
}

int session_supervise(struct sessions *sessions, struct session *session, const char *login)
{
    struct account *administrator = session->account;
    struct account *account = find_or_add_account(sessions, login);
    char *supervisor = account == NULL ? NULL : strdup(administrator->login);
    if (supervisor == NULL) {
        if (account != NULL)
            drop_empty_account(sessions, account);
        return -ENOMEM;
    }
    TAILQ_REMOVE(&administrator->sessions, session, of_account);
    TAILQ_INSERT_TAIL(&account->sessions, session, of_account);
    drop_empty_account(sessions, administrator);
    session->account = account;
    session->supervisor = supervisor;
    session->administrator = false;
    return 0;
}

struct session *sessions_find_any(const struct sessions *sessions, const struct digest *credential)
{
    struct digest_link *link = digest_table_find(&sessions->by_credential, credential);
    return link == NULL ? NULL : DIGEST_OWNER(link, struct session, by_credential);
}

struct session *sessions_find(const struct sessions *sessions, const struct digest *credential,
                              uint64_t now_ms)
{
    struct session *session = sessions_find_any(sessions, credential);
    if (session == NULL || session->ending || session->deadline_ms <= now_ms)
        return NULL;
    return session;
}

void sessions_touch(const struct sessions *sessions, struct session *session, uint64_t now_ms)
{
    session->deadline_ms = now_ms + full_life_ms(sessions);
    session->touched = true;
}

int64_t session_remaining_s(const struct session *session, uint64_t now_ms)
{
    int64_t left_s =
        session->deadline_ms > now_ms ? (int64_t)((session->deadline_ms - now_ms) / 1000) : 0;
    return left_s > 0 ? left_s : 1;
}

const char *session_login(const struct session *session)
{
    return session->account->login;
}

void sessions_remove(struct sessions *sessions, struct session *session)
{
    assert(TAILQ_EMPTY(&session->subscriptions));
    struct account *account = session->account;
    TAILQ_REMOVE(&sessions->all, session, of_all);
    TAILQ_REMOVE(&account->sessions, session, of_account);
    digest_table_remove(&sessions->by_credential, &session->by_credential);
    drop_empty_account(sessions, account);
    free(session->supervisor);
    free(session->application);
    free(session);
}
