#include "gateway/store/migrations.h"

#include "lib/common/common.h"

/* clang-format off */
#define STEP(number, statements)                                                                   \
    "DO $step$ BEGIN\n"                                                                            \
    "IF EXISTS (SELECT FROM schema_step WHERE step = " #number ") THEN RETURN; END IF;\n"          \
    statements                                                                                     \
    "INSERT INTO schema_step (step) VALUES (" #number ");\n"                                       \
    "END $step$"

static const char *const steps[] = {
    "CREATE TABLE IF NOT EXISTS schema_step ("
    " step integer PRIMARY KEY,"
    " done_at timestamptz NOT NULL DEFAULT now())",

    /* The digests are SHA-256 of what the client holds; remaining_s is renewed in batches. */
    STEP(1,
    "CREATE TABLE credential ("
    " digest bytea PRIMARY KEY CHECK (length(digest) = 32),"
    " login text NOT NULL,"
    " administrator boolean NOT NULL,"
    " created_at timestamptz NOT NULL DEFAULT now(),"
    " remaining_s integer NOT NULL"
    ") WITH (fillfactor = 80);\n"
    "CREATE TABLE session ("
    " credential bytea PRIMARY KEY REFERENCES credential ON DELETE CASCADE,"
    " id text NOT NULL UNIQUE,"
    " application text NOT NULL,"
    " opened_at timestamptz NOT NULL);\n"
    "CREATE TABLE subscription ("
    " digest bytea PRIMARY KEY CHECK (length(digest) = 32),"
    " credential bytea NOT NULL REFERENCES session ON DELETE CASCADE,"
    " filter json NOT NULL,"
    " timeout_min integer NOT NULL,"
    " created_at timestamptz NOT NULL DEFAULT now());\n"
    "CREATE INDEX subscription_credential ON subscription (credential);\n"
    "CREATE TABLE heartbeat ("
    " id integer PRIMARY KEY CHECK (id = 1),"
    " counter bigint NOT NULL,"
    " written_at timestamptz NOT NULL"
    ") WITH (fillfactor = 20);\n"),

    /* devices: [{"id", "type", "subType"}], the main one first. left_out: an administrator has
     * removed the user whom the PBX still has. supervised: for whom an administrator acts. */
    STEP(2,
    "CREATE TABLE subscriber ("
    " login text PRIMARY KEY,"
    " node text NOT NULL,"
    " number text NOT NULL UNIQUE,"
    " first_name text NOT NULL,"
    " last_name text NOT NULL,"
    " devices json NOT NULL,"
    " mail text,"
    " external_login text UNIQUE,"
    " gui_language text,"
    " left_out boolean NOT NULL DEFAULT false);\n"
    "CREATE TABLE subscriber_password ("
    " login text PRIMARY KEY REFERENCES subscriber ON DELETE CASCADE,"
    " hash text NOT NULL,"
    " changed_at timestamptz NOT NULL DEFAULT now());\n"
    "ALTER TABLE session ADD COLUMN supervised text;\n"),
};
/* clang-format on */

const char *migration_step(size_t number)
{
    return number < COUNT_OF(steps) ? steps[number] : NULL;
}
