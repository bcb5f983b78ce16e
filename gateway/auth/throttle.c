#include "gateway/auth/throttle.h"

#include "gateway/digest_table.h"
#include "lib/common/buf.h"

#include <stdlib.h>
#include <sys/queue.h>

enum kind { KIND_PAIR, KIND_ACCOUNT, KIND_ADDRESS, KIND_COUNT };

struct count {
    struct digest_link by_key;
    TAILQ_ENTRY(count) by_age; /* the most recently touched last */
    unsigned wrong;
    uint64_t last_ms, locked_until_ms;
};

struct throttle {
    uint8_t key[SECRETS_SHA256_BYTES]; /* so that nobody can aim at one bucket */
    struct digest_table table;
    TAILQ_HEAD(, count) counts;
};

struct throttle *throttle_new(void)
{
    struct throttle *throttle = calloc(1, sizeof(*throttle));
    if (throttle == NULL)
        return NULL;
    TAILQ_INIT(&throttle->counts);
    if (secrets_random(throttle->key, sizeof(throttle->key)) == 0)
        return throttle;
    free(throttle);
    return NULL;
}

static void forget(struct throttle *throttle, struct count *count)
{
    TAILQ_REMOVE(&throttle->counts, count, by_age);
    digest_table_remove(&throttle->table, &count->by_key);
    free(count);
}

void throttle_free(struct throttle *throttle)
{
    if (throttle == NULL)
        return;
    while (!TAILQ_EMPTY(&throttle->counts))
        forget(throttle, TAILQ_FIRST(&throttle->counts));
    digest_table_done(&throttle->table);
    free(throttle);
}

static void make_key(const struct throttle *throttle, enum kind kind, const char *account,
                     const char *address, struct digest *ret_key)
{
    struct buf text = {0};
    buf_addf(&text, "%d\n%s\n%s", (int)kind, kind == KIND_ADDRESS ? "" : account,
             kind == KIND_ACCOUNT ? "" : address);
    secrets_hmac_sha256(throttle->key, sizeof(throttle->key), text.data, text.len_bytes,
                        ret_key->bytes);
    buf_done(&text);
}

static struct count *find(const struct throttle *throttle, enum kind kind, const char *account,
                          const char *address)
{
    struct digest key;
    make_key(throttle, kind, account, address, &key);
    struct digest_link *link = digest_table_find(&throttle->table, &key);
    return link == NULL ? NULL : DIGEST_OWNER(link, struct count, by_key);
}

static struct count *find_or_add(struct throttle *throttle, enum kind kind, const char *account,
                                 const char *address)
{
    struct count *count = find(throttle, kind, account, address);
    if (count != NULL) {
        TAILQ_REMOVE(&throttle->counts, count, by_age);
    } else {
        count = calloc(1, sizeof(*count));
        if (count == NULL)
            return NULL;
        make_key(throttle, kind, account, address, &count->by_key.key);
        if (digest_table_add(&throttle->table, &count->by_key) < 0) {
            free(count);
            return NULL;
        }
    }
    TAILQ_INSERT_TAIL(&throttle->counts, count, by_age);
    return count;
}

static void forget_old(struct throttle *throttle, uint64_t now_ms)
{
    struct count *oldest;
    while ((oldest = TAILQ_FIRST(&throttle->counts)) != NULL &&
           (now_ms - oldest->last_ms > THROTTLE_FORGET_S * 1000ULL ||
            throttle->table.count > THROTTLE_ENTRIES_MAX))
        forget(throttle, oldest);
}

static void count_wrong(struct count *count, enum kind kind, uint64_t now_ms)
{
    unsigned free_tries = kind == KIND_PAIR ? THROTTLE_PAIR_FREE : THROTTLE_SINGLE_FREE;
    uint64_t max_s = kind == KIND_PAIR ? THROTTLE_PAIR_MAX_S : THROTTLE_SINGLE_MAX_S;

    count->wrong++;
    count->last_ms = now_ms;
    if (count->wrong < free_tries)
        return;
    unsigned doublings = count->wrong - free_tries;
    uint64_t delay_s = doublings > 16 ? max_s : 1ULL << doublings;
    count->locked_until_ms = now_ms + (delay_s > max_s ? max_s : delay_s) * 1000;
}

uint64_t throttle_begin(struct throttle *throttle, const char *account, const char *address,
                        uint64_t now_ms)
{
    uint64_t wait_ms = 0;
    forget_old(throttle, now_ms);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct count *count = find(throttle, (enum kind)kind, account, address);
        if (count != NULL && count->locked_until_ms > now_ms &&
            count->locked_until_ms - now_ms > wait_ms)
            wait_ms = count->locked_until_ms - now_ms;
    }
    if (wait_ms > 0)
        return wait_ms;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct count *count = find_or_add(throttle, (enum kind)kind, account, address);
        if (count == NULL)
            return 1000; /* without memory nobody may guess */
        count_wrong(count, (enum kind)kind, now_ms);
    }
    return 0;
}

static void take_back(struct throttle *throttle, enum kind kind, const char *account,
                      const char *address)
{
    struct count *count = find(throttle, kind, account, address);
    if (count == NULL)
        return;
    if (count->wrong > 0)
        count->wrong--;
    count->locked_until_ms = 0;
    if (count->wrong == 0)
        forget(throttle, count);
}

void throttle_undo(struct throttle *throttle, const char *account, const char *address)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        take_back(throttle, (enum kind)kind, account, address);
}

void throttle_right(struct throttle *throttle, const char *account, const char *address)
{
    static const enum kind cleared[] = {KIND_PAIR, KIND_ACCOUNT};
    for (int i = 0; i < 2; i++) {
        struct count *count = find(throttle, cleared[i], account, address);
        if (count != NULL)
            forget(throttle, count);
    }
    take_back(throttle, KIND_ADDRESS, account, address);
}
