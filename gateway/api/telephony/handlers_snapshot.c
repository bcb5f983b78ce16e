#include "gateway/api/telephony/handlers.h"

#include "gateway/api/scope.h"
#include "gateway/api/telephony/errors.h"
#include "gateway/api/telephony/snapshots.h"
#include "gateway/gateway.h"

/* An administrator who names nobody means everybody; users who have not been read yet are told as
 * UNKNOWN then, while the snapshot of such a user alone is refused. */
void telephony_snapshot_state(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const struct session *session = http_request_identity(request);
    int r;
    if (scope_is_everybody(request)) {
        r = snapshots_tell_everybody(gateway->snapshots, session);
    } else {
        const struct user *user = scope_user(request);
        if (user == NULL || !telephony_is_read(request, user))
            return;
        r = snapshots_tell(gateway->snapshots, session, user);
    }
    if (r < 0)
        telephony_answer_finding(request, FINDING_NO_MEMORY, NULL);
    else
        http_answer_empty(request, 204);
}
