#include "lib/common/pg_statement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *copy_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

struct pg_statement *pg_statement_new(const char *sql, const char *const *params, int param_count)
{
    size_t texts = strlen(sql) + 1;
    for (int i = 0; i < param_count; i++)
        texts += params[i] != NULL ? strlen(params[i]) + 1 : 0;
    size_t pointers = (size_t)param_count * sizeof(char *);

    struct pg_statement *statement = calloc(1, sizeof(*statement) + pointers + texts);
    if (statement == NULL)
        return NULL;
    statement->params = (const char **)(statement + 1);
    statement->param_count = param_count;
    char *at = (char *)(statement->params + param_count);
    statement->sql = copy_text(&at, sql);
    for (int i = 0; i < param_count; i++)
        statement->params[i] = params[i] != NULL ? copy_text(&at, params[i]) : NULL;
    return statement;
}

void pg_statement_push(struct pg_statement_list *list, struct pg_statement *statement)
{
    statement->next = NULL;
    if (list->last != NULL)
        list->last->next = statement;
    else
        list->first = statement;
    list->last = statement;
    list->count++;
}

struct pg_statement *pg_statement_pop(struct pg_statement_list *list)
{
    struct pg_statement *statement = list->first;
    if (statement == NULL)
        return NULL;
    list->first = statement->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    return statement;
}

bool pg_answer_is_error(const PGresult *answer)
{
    ExecStatusType status = PQresultStatus(answer);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

static void read_answer(struct pg_result *result, const PGresult *answer)
{
    /* libpq's getters leave the result alone, although one of them wants it without const */
    PGresult *changeable = (PGresult *)(uintptr_t)answer; /* NOLINT(performance-no-int-to-ptr) */
    result->handle = answer;
    result->rows = PQntuples(answer);
    result->columns = PQnfields(answer);
    result->affected = (int)strtol(PQcmdTuples(changeable), NULL, 10);
    if (!pg_answer_is_error(answer))
        return;

    result->error = -EPROTO;
    const char *sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(result->sqlstate, sizeof(result->sqlstate), "%s",
                   sqlstate != NULL ? sqlstate : "");
    result->message = primary != NULL ? primary : PQresultErrorMessage(answer);
}

void pg_statement_finish(struct pg_statement *statement, const PGresult *answer,
                         const char *message)
{
    struct pg_result result = {
        .error = statement->error,
        .outcome_unknown = statement->outcome_unknown,
        .message = message,
    };
    if (answer != NULL)
        read_answer(&result, answer);
    if (statement->done != NULL)
        statement->done(statement->context, &result);
    free(statement);
}

const char *pg_value(const struct pg_result *result, int row, int column)
{
    const PGresult *answer = result->handle;
    return PQgetisnull(answer, row, column) ? NULL : PQgetvalue(answer, row, column);
}

int64_t pg_value_int64(const struct pg_result *result, int row, int column)
{
    const char *value = pg_value(result, row, column);
    return value != NULL ? strtoll(value, NULL, 10) : 0;
}
