#include "tests/unit/csta/csta_equal.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void same_text(const char *have, const char *want, const char *where, const char *field)
{
    if ((have == NULL) != (want == NULL) || (have != NULL && strcmp(have, want) != 0))
        fail_msg("%s: %s is %s, not %s", where, field, have != NULL ? have : "absent",
                 want != NULL ? want : "absent");
}

static void same_int(int64_t have, int64_t want, const char *where, const char *field)
{
    if (have != want)
        fail_msg("%s: %s is %lld, not %lld", where, field, (long long)have, (long long)want);
}

static void same_device(const struct csta_device *have, const struct csta_device *want,
                        const char *where, const char *field)
{
    same_text(have->id, want->id, where, field);
    same_text(have->type_of_number, want->type_of_number, where, field);
}

static void same_connection(const struct csta_connection *have, const struct csta_connection *want,
                            const char *where, const char *field)
{
    same_text(have->call_id, want->call_id, where, field);
    same_device(&have->device, &want->device, where, field);
}

static void same_party(const struct csta_party *have, const struct csta_party *want,
                       const char *where, const char *field)
{
    same_int(have->kind, want->kind, where, field);
    same_device(&have->device, &want->device, where, field);
}

#define FIELD(name_)                                                                               \
    {                                                                                              \
#name_, offsetof(struct csta_message, name_)                                               \
    }
struct field {
    const char *name;
    size_t offset;
};
static const struct field texts[] = {
    FIELD(application_id), FIELD(user),         FIELD(password),       FIELD(version),
    FIELD(session_id),     FIELD(reason),       FIELD(private_reason), FIELD(register_id),
    FIELD(system_status),  FIELD(cross_ref_id), FIELD(category),       FIELD(monitor_id),
    FIELD(monitor_type),   FIELD(correlator),   FIELD(user_data),      FIELD(cause),
    FIELD(error_value),
};
static const struct field numbers[] = {FIELD(session_s), FIELD(segment_id)};
static const struct field truths[] = {FIELD(wants_status), FIELD(wants_status_requests),
                                      FIELD(last_segment), FIELD(existing_calls)};
static const struct field parties[] = {FIELD(subject), FIELD(calling), FIELD(called),
                                       FIELD(redirection), FIELD(new_destination)};

static const void *at(const struct csta_message *message, const struct field *field)
{
    return (const char *)message + field->offset;
}

static void same_simple(const struct csta_message *have, const struct csta_message *want,
                        const char *where)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        same_text(*(const char *const *)at(have, &texts[i]),
                  *(const char *const *)at(want, &texts[i]), where, texts[i].name);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const struct csta_number *one = at(have, &numbers[i]), *other = at(want, &numbers[i]);
        same_int(one->set, other->set, where, numbers[i].name);
        same_int(one->value, other->value, where, numbers[i].name);
    }
    for (size_t i = 0; i < COUNT_OF(truths); i++) {
        const struct csta_bool *one = at(have, &truths[i]), *other = at(want, &truths[i]);
        same_int(one->set, other->set, where, truths[i].name);
        same_int(one->value, other->value, where, truths[i].name);
    }
    for (size_t i = 0; i < COUNT_OF(parties); i++)
        same_party(at(have, &parties[i]), at(want, &parties[i]), where, parties[i].name);
}

static void same_versions(const struct csta_message *have, const struct csta_message *want,
                          const char *where)
{
    same_int((int64_t)have->version_count, (int64_t)want->version_count, where, "versions");
    for (size_t i = 0; i < want->version_count; i++)
        same_text(have->versions[i], want->versions[i], where, "versions");
}

static void same_devices(const struct csta_message *have, const struct csta_message *want,
                         const char *where)
{
    same_int((int64_t)have->device_count, (int64_t)want->device_count, where, "devices");
    for (size_t i = 0; i < want->device_count; i++) {
        const struct csta_listed_device *one = &have->devices[i], *other = &want->devices[i];
        same_device(&one->device, &other->device, where, "device");
        same_text(one->category, other->category, where, "category of a device");
        same_text(one->named_types, other->named_types, where, "named types");
        same_text(one->model, other->model, where, "model");
    }
}

static void same_calls(const struct csta_message *have, const struct csta_message *want,
                       const char *where)
{
    same_int(have->has_calls, want->has_calls, where, "has_calls");
    same_int((int64_t)have->call_count, (int64_t)want->call_count, where, "calls");
    for (size_t i = 0; i < want->call_count; i++) {
        const struct csta_snapshot_call *one = &have->calls[i], *other = &want->calls[i];
        same_connection(&one->connection, &other->connection, where, "connection of a call");
        same_party(&one->endpoint, &other->endpoint, where, "endpoint of a call");
        same_text(one->simple_state, other->simple_state, where, "simple state");
        same_int((int64_t)one->local_count, (int64_t)other->local_count, where, "locals");
        for (size_t k = 0; k < other->local_count; k++)
            same_int(one->locals[k], other->locals[k], where, "state of a call");
    }
}

static void same_ends(const struct csta_message *have, const struct csta_message *want,
                      const char *where)
{
    same_int(have->has_ends, want->has_ends, where, "has_ends");
    same_int((int64_t)have->end_count, (int64_t)want->end_count, where, "ends");
    for (size_t i = 0; i < want->end_count; i++) {
        const struct csta_snapshot_end *one = &have->ends[i], *other = &want->ends[i];
        same_party(&one->device, &other->device, where, "device of an end");
        same_connection(&one->connection, &other->connection, where, "connection of an end");
        same_int(one->local, other->local, where, "state of an end");
    }
}

void csta_assert_equal(const struct csta_message *have, const struct csta_message *want,
                       const char *where)
{
    same_int(have->type, want->type, where, "type");
    same_int(have->local, want->local, where, "local");
    same_int(have->originate, want->originate, where, "originate");
    same_int(have->error, want->error, where, "error");
    same_device(&have->device, &want->device, where, "device");
    same_device(&have->destination, &want->destination, where, "destination");
    same_connection(&have->connection, &want->connection, where, "connection");
    same_simple(have, want, where);
    same_versions(have, want, where);
    same_devices(have, want, where);
    same_calls(have, want, where);
    same_ends(have, want, where);
}
