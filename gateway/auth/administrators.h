/* administrators.h - who may log in as administrator: logins and password hashes, from a file that
 * solution-control writes: {"administrators": [{"login": "admin", "password_hash": "$scrypt$…"}]}.
 * A clear password never stands there. */
#ifndef OG_GATEWAY_ADMINISTRATORS_H
#define OG_GATEWAY_ADMINISTRATORS_H

#include "lib/common/common.h"
#include "lib/common/diag.h"

struct administrators;

/* At least one, no login twice, else -EINVAL; the file's errno when it cannot be read. */
int administrators_read(const char *path, struct administrators **ret_administrators,
                        struct diag *diag);
void administrators_free(struct administrators *administrators); /* NULL is fine */
/* The password hash of a login, NULL when there is no such administrator. Case matters. */
const char *administrators_find(const struct administrators *administrators, const char *login);

DEFINE_FREEP(administrators_freep, struct administrators *, administrators_free)

#endif
