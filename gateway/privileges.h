/* privileges.h - becoming an ordinary user for good once the privileged ports are bound. */
#ifndef OG_GATEWAY_PRIVILEGES_H
#define OG_GATEWAY_PRIVILEGES_H

#include "lib/common/diag.h"

/* user "": nothing to do. Takes the user's groups and ids and verifies that there is no way back.
 * Being that user already is fine. -ENOENT, -EPERM with the reason. */
int privileges_drop(const char *user, struct diag *diag);

#endif
