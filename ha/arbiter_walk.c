/* The walk through a table of rules, and the list of all tables. */
#include "ha/arbiter_private.h"

bool arb__walk(struct arb_call *call, const struct arb_row *rows)
{
    for (const struct arb_row *row = rows; row->reason != NULL; row++) {
        if (!row->when(call))
            continue;
        if (!row->quiet) {
            call->plan.next.row = row->row;
            call->plan.next.reason = row->reason;
            call->plan.alarm = row->alarm;
        }
        if (row->then != NULL)
            row->then(call);
        return true;
    }
    return false;
}

const struct arb_table arb__tables[] = {
    {"guard", arb__rows_guard},         {"boot", arb__rows_boot},
    {"standby", arb__rows_standby},     {"suspect", arb__rows_suspect},
    {"taking", arb__rows_taking},       {"active", arb__rows_active},
    {"releasing", arb__rows_releasing}, {"answer", arb__rows_answer},
    {"upkeep", arb__rows_upkeep},       {NULL, NULL},
};

const char *arb_row_text(uint16_t row)
{
    for (const struct arb_table *table = arb__tables; table->name != NULL; table++)
        for (const struct arb_row *r = table->rows; r->reason != NULL; r++)
            if (r->row == row)
                return r->reason;
    return NULL;
}
