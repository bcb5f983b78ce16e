/* passwords.h - checks and hashes passwords on the thread pool: scrypt takes some 100 ms and 32
 * MiB, so at most two run at a time and at most 200 wait; more are refused. An unknown account
 * costs the same time as a known one. */
#ifndef OG_GATEWAY_PASSWORDS_H
#define OG_GATEWAY_PASSWORDS_H

#include <uv.h>

enum { PASSWORDS_RUNNING_MAX = 2, PASSWORDS_WAITING_MAX = 200 };

struct passwords;
struct passwords *passwords_new(uv_loop_t *loop); /* NULL: no memory */
/* Open checks are answered with -ECANCELED before this returns; memory goes when the last running
 * one has ended. NULL is fine. */
void passwords_free(struct passwords *passwords);

/* result: 0 right, -EACCES wrong or unknown account, -ECANCELED, other errno: could not judge. */
typedef void (*passwords_done_fn)(void *context, int result);
/* stored: the hash, NULL for an unknown account. Both texts are copied, and wiped after use.
 * -EBUSY when too many wait, -ENOMEM; done is not called then, else exactly once from the loop. */
int passwords_check(struct passwords *passwords, const char *password, const char *stored,
                    passwords_done_fn done, void *context);

/* hash: to be stored, borrowed; NULL unless result is 0. */
typedef void (*passwords_hashed_fn)(void *context, int result, const char *hash);
/* The hash of a new password; the same rules as above. */
int passwords_hash(struct passwords *passwords, const char *password, passwords_hashed_fn done,
                   void *context);

#endif
