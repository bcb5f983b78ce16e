/* handlers.h - the telephony service's handlers. handlers_acts.c: what the PBX is asked to do;
 * handlers_reads.c: what the model shows; handlers_snapshot.c: states told as events. */
#ifndef OG_GATEWAY_TELEPHONY_HANDLERS_H
#define OG_GATEWAY_TELEPHONY_HANDLERS_H

#include "gateway/model/calls.h"
#include "lib/http/http_request.h"

void telephony_basic_call(struct http_request *request);
void telephony_basic_answer(struct http_request *request);
void telephony_basic_drop_me(struct http_request *request);
void telephony_make_call(struct http_request *request);
void telephony_answer_call(struct http_request *request);
/* dropme and DELETE: in a call of two, leaving it ends it for both. */
void telephony_release_call(struct http_request *request);

void telephony_list_calls(struct http_request *request);
void telephony_get_call(struct http_request *request);
void telephony_list_legs(struct http_request *request);
void telephony_get_leg(struct http_request *request);
void telephony_list_participants(struct http_request *request);
void telephony_get_participant(struct http_request *request);
void telephony_list_devices(struct http_request *request);
void telephony_get_device(struct http_request *request);
void telephony_get_state(struct http_request *request);
void telephony_snapshot_state(struct http_request *request);

/* For handlers only. NULL or false: the request has been answered. */

/* The user's calls are known. If not, the reading of his devices is hastened. */
bool telephony_is_read(struct http_request *request, const struct user *user);
/* The call {callRef} of this user. */
struct call *telephony_find_call(struct http_request *request, const struct user *user);

#endif
