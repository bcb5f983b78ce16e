#include "gateway/auth/passwords.h"

#include "lib/common/secrets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A well-formed hash that no password is known for: unknown accounts are compared with it. */
static const char nobody[] =
    "$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

struct check {
    STAILQ_ENTRY(check) next;
    uv_work_t work;
    struct passwords *passwords;
    char *password, *stored; /* stored NULL: the password is to be hashed */
    bool known;
    int result;
    char hash[SECRETS_HASH_CHARS];
    passwords_done_fn done;
    passwords_hashed_fn hashed; /* instead of done when it is hashed */
    void *context;
};

struct passwords {
    uv_loop_t *loop;
    STAILQ_HEAD(, check) waiting;
    struct check *running[PASSWORDS_RUNNING_MAX];
    unsigned waiting_count, running_count;
    bool freed;
};

struct passwords *passwords_new(uv_loop_t *loop)
{
    struct passwords *passwords = calloc(1, sizeof(*passwords));
    if (passwords == NULL)
        return NULL;
    passwords->loop = loop;
    STAILQ_INIT(&passwords->waiting);
    return passwords;
}

static void check_free(struct check *check)
{
    if (check->password != NULL)
        secrets_wipe(check->password, strlen(check->password));
    free(check->password);
    free(check->stored);
    free(check);
}

static void tell(const struct check *check, int result)
{
    if (check->hashed != NULL)
        check->hashed(check->context, result, result == 0 ? check->hash : NULL);
    else
        check->done(check->context, result);
}

static void on_work(uv_work_t *work)
{
    struct check *check = work->data;
    if (check->stored == NULL) {
        check->result = secrets_password_hash(check->password, check->hash, NULL);
        return;
    }
    check->result = secrets_password_check(check->password, check->stored);
    if (check->result == 0 && !check->known)
        check->result = -EACCES;
}

/* Swaps one entry of the running ones. */
static void set_running(struct passwords *passwords, const struct check *from, struct check *to)
{
    for (unsigned i = 0; i < PASSWORDS_RUNNING_MAX; i++) {
        if (passwords->running[i] == from) {
            passwords->running[i] = to;
            return;
        }
    }
}

static void run_next(struct passwords *passwords);

static void on_worked(uv_work_t *work, int status)
{
    struct check *check = work->data;
    struct passwords *passwords = check->passwords;
    passwords->running_count--;
    set_running(passwords, check, NULL);
    if (!passwords->freed)
        tell(check, status < 0 ? status : check->result);
    check_free(check);
    if (!passwords->freed)
        run_next(passwords);
    else if (passwords->running_count == 0)
        free(passwords);
}

static void run_next(struct passwords *passwords)
{
    while (passwords->running_count < PASSWORDS_RUNNING_MAX && !STAILQ_EMPTY(&passwords->waiting)) {
        struct check *check = STAILQ_FIRST(&passwords->waiting);
        STAILQ_REMOVE_HEAD(&passwords->waiting, next);
        passwords->waiting_count--;
        int r = uv_queue_work(passwords->loop, &check->work, on_work, on_worked);
        if (r == 0) {
            passwords->running_count++;
            set_running(passwords, NULL, check);
            continue;
        }
        tell(check, r);
        check_free(check);
    }
}

/* pattern: all but the texts. */
static int add(struct passwords *passwords, const struct check *pattern, const char *password,
               const char *stored)
{
    if (passwords->waiting_count >= PASSWORDS_WAITING_MAX)
        return -EBUSY;
    struct check *check = malloc(sizeof(*check));
    if (check == NULL)
        return -ENOMEM;
    *check = *pattern;
    check->passwords = passwords;
    check->password = strdup(password);
    check->stored = stored == NULL ? NULL : strdup(stored);
    check->work.data = check;
    if (check->password == NULL || (stored != NULL && check->stored == NULL)) {
        check_free(check);
        return -ENOMEM;
    }
    STAILQ_INSERT_TAIL(&passwords->waiting, check, next);
    passwords->waiting_count++;
    run_next(passwords);
    return 0;
}

int passwords_check(struct passwords *passwords, const char *password, const char *stored,
                    passwords_done_fn done, void *context)
{
    const struct check pattern = {.known = stored != NULL, .done = done, .context = context};
    return add(passwords, &pattern, password, stored != NULL ? stored : nobody);
}

int passwords_hash(struct passwords *passwords, const char *password, passwords_hashed_fn done,
                   void *context)
{
    const struct check pattern = {.hashed = done, .context = context};
    return add(passwords, &pattern, password, NULL);
}

void passwords_free(struct passwords *passwords)
{
    if (passwords == NULL)
        return;
    passwords->freed = true;
    while (!STAILQ_EMPTY(&passwords->waiting)) {
        struct check *check = STAILQ_FIRST(&passwords->waiting);
        STAILQ_REMOVE_HEAD(&passwords->waiting, next);
        tell(check, -ECANCELED);
        check_free(check);
    }
    for (unsigned i = 0; i < PASSWORDS_RUNNING_MAX; i++) {
        if (passwords->running[i] != NULL)
            tell(passwords->running[i], -ECANCELED);
    }
    if (passwords->running_count == 0)
        free(passwords);
}
