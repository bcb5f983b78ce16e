/* Each row's effect is tried out on a few made-up calls: into which phases it leads, which actions
 * it orders. The same for an answer of the register. */
#include "table.h"

#include "ha/arbiter_private.h"

#include <string.h>

static const char *const action_names[ARB_ACTIONS] = {
    "save",      "ask",    "take",  "release", "outdate", "connect",
    "reconnect", "answer", "reset", "down",    "form",    "drop address",
};

static const struct {
    const char *table;
    enum arb_phase phase;
    const char *title;
} sections[] = {
    {"guard", ARB_PHASE_COUNT, "Before everything else"},
    {"boot", ARB_BOOT, "BOOT and WAIT"},
    {"standby", ARB_STANDBY, "STANDBY"},
    {"suspect", ARB_SUSPECT, "SUSPECT"},
    {"taking", ARB_TAKING, "TAKING"},
    {"active", ARB_ACTIVE, "ACTIVE"},
    {"releasing", ARB_RELEASING, "RELEASING"},
    {"answer", ARB_PHASE_COUNT, "The kernel's fencing question, after the phase's row"},
    {"upkeep", ARB_PHASE_COUNT, "Upkeep, one step after all others"},
};

enum { TRIES = 8, NOW_MS = 1000000 };

struct effect {
    uint32_t phases; /* bit per phase entered */
    uint32_t actions;
    bool claims, activates, reads;
};

/* try: bit 0 whole, bit 1 register known, bit 2 take issued */
static void set_up(struct arb_call *call, struct arb_facts *facts, enum arb_phase phase,
                   unsigned try)
{
    *facts =
        (struct arb_facts){.now_ms = NOW_MS, .durable_readable = true, .drbd = {.known = true}};
    if (try & 1u)
        facts->drbd = (struct arb_drbd){.known = true,
                                        .disk = ARB_DISK_UPTODATE,
                                        .peer_disk = ARB_DISK_UPTODATE,
                                        .link = ARB_LINK_CONNECTED};
    call->plan = (struct arb_plan){.next = {.phase = phase}};
    struct arb_state *state = &call->plan.next;
    if (try & 2u) {
        state->run_seen = state->durable.witness_run = 1;
        state->register_seen_at_ms = NOW_MS;
    }
    if (try & 4u)
        state->acted_ms[2] = NOW_MS; /* ARB_DO_TAKE */
    call->facts = facts;
}

static struct effect effect_of(const struct arb_row *row, enum arb_phase phase)
{
    const struct arb_config config = {.node = ARB_NODE_PRIMARY,
                                      .constants = *arb_constants_named("safe")};
    struct effect effect = {0};
    for (unsigned try = 0; try < TRIES && row->then != NULL; try++) {
        struct arb_facts facts;
        struct arb_call call = {.config = &config, .k = &config.constants, .saved = true};
        set_up(&call, &facts, phase, try);
        const struct arb_state was = call.plan.next;
        call.was = &was;
        row->then(&call);
        const struct arb_state *next = &call.plan.next;
        if (next->phase != phase)
            effect.phases |= 1u << next->phase;
        effect.actions |= call.plan.actions;
        if (call.plan.actions & ARB_DO_ASK) {
            effect.reads = effect.reads || next->ask == ARB_ASK_READ;
            effect.claims = effect.claims || next->ask_purpose == ARB_FOR_CLAIM;
            effect.activates = effect.activates || next->ask_purpose == ARB_FOR_ACTIVATION;
        }
    }
    return effect;
}

/* the phase entered when the register grants such a question */
static enum arb_phase granted(enum arb_phase phase, enum arb_purpose purpose)
{
    const struct arb_config config = {.node = ARB_NODE_PRIMARY,
                                      .constants = *arb_constants_named("safe")};
    const struct arb_state state = {.phase = phase,
                                    .durable = {.witness_run = 1},
                                    .ask = ARB_ASK_CAS,
                                    .ask_serial = 1,
                                    .asked_at_ms = NOW_MS,
                                    .ask_purpose = (uint8_t)purpose,
                                    .reason = ""};
    const struct arb_facts facts = {
        .now_ms = NOW_MS,
        .durable_readable = true,
        .witness = {.outcome = ARB_OUTCOME_GRANTED, .serial = 1, .run = 1},
    };
    struct arb_call call = {.config = &config,
                            .k = &config.constants,
                            .was = &state,
                            .facts = &facts,
                            .plan = {.next = state},
                            .saved = true};
    arb__absorb_answer(&call);
    return call.plan.next.phase;
}

static void print_words(FILE *out, const char *name)
{
    static const char *const prefixes[] = {"arb__when_", "when_"};
    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            name += strlen(prefixes[i]);
            break;
        }
    for (; *name != '\0'; name++)
        (void)fputc(*name == '_' ? ' ' : *name, out);
}

static void print_effect(FILE *out, const struct arb_row *row, enum arb_phase phase)
{
    const struct effect effect = effect_of(row, phase);
    const char *between = "";
    for (unsigned to = 0; to < ARB_PHASE_COUNT; to++)
        if (effect.phases >> to & 1u) {
            (void)fprintf(out, "%s**%s**", between, arb_phase_name((enum arb_phase)to));
            between = ", ";
        }
    for (unsigned bit = 0; bit < ARB_ACTIONS; bit++)
        if (effect.actions >> bit & 1u) {
            (void)fprintf(out, "%s%s", between, action_names[bit]);
            between = ", ";
        }
    if (between[0] == '\0')
        (void)fputs("stays", out);
}

static void print_table(FILE *out, const struct arb_table *table, enum arb_phase phase)
{
    (void)fputs("| Row | When | Then | Shown |\n|---|---|---|---|\n", out);
    for (const struct arb_row *row = table->rows; row->reason != NULL; row++) {
        (void)fprintf(out, "| R%u | ", row->row);
        print_words(out, row->when_name);
        (void)fputs(" | ", out);
        print_effect(out, row, phase);
        (void)fprintf(out, " | %s%s%s |\n", row->quiet ? "*" : "", row->reason,
                      row->quiet   ? "*"
                      : row->alarm ? " **alarm**"
                                   : "");
    }
}

static void print_arrow(FILE *out, enum arb_phase from, enum arb_phase to, const char *label)
{
    (void)fprintf(out, "    %s --> %s: %s\n", arb_phase_name(from), arb_phase_name(to), label);
}

/* One arrow for each pair of phases, with the numbers of the rows that lead there. */
static void print_arrows(FILE *out, const struct arb_table *table, enum arb_phase phase)
{
    bool claims = false, activates = false;
    for (unsigned to = 0; to < ARB_PHASE_COUNT; to++) {
        char label[256] = "";
        size_t length = 0;
        uint16_t last = 0;
        for (const struct arb_row *row = table->rows; row->reason != NULL; row++) {
            const struct effect effect = effect_of(row, phase);
            claims = claims || effect.claims;
            activates = activates || effect.activates;
            if ((effect.phases >> to & 1u) == 0 || row->row == last || length + 8 > sizeof(label))
                continue;
            length += (size_t)snprintf(label + length, sizeof(label) - length, "%sR%u",
                                       length > 0 ? " " : "", row->row);
            last = row->row;
        }
        if (length > 0)
            print_arrow(out, phase, (enum arb_phase)to, label);
    }
    const enum arb_phase after = granted(phase, activates ? ARB_FOR_ACTIVATION : ARB_FOR_CLAIM);
    if ((claims || activates) && after != phase)
        print_arrow(out, phase, after, "granted");
}

static const struct arb_table *table_named(const char *name)
{
    const struct arb_table *table = arb__tables;
    while (table->name != NULL && strcmp(table->name, name) != 0)
        table++;
    return table;
}

static void print_diagram(FILE *out)
{
    (void)fputs(
        "## Roles\n\nArrows bear the rows that lead along them; `granted`: the register has "
        "granted the question\nasked there. From taking, active and releasing the rows of "
        "\"before everything else\" lead to fenced.\n\n```mermaid\nstateDiagram-v2\n    [*] "
        "--> boot\n",
        out);
    for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (sections[i].phase == ARB_PHASE_COUNT)
            continue;
        print_arrows(out, table_named(sections[i].table), sections[i].phase);
        if (sections[i].phase == ARB_BOOT)
            print_arrows(out, table_named(sections[i].table), ARB_WAIT);
    }
    (void)fputs("```\n\n", out);
}

void table_print(FILE *out)
{
    (void)fputs(
        "# The arbiter's decisions\n\n"
        "Written by `og-sim --table` from the tables in `ha/arbiter*.c`; a test compares. Each "
        "call "
        "walks\nthe rows of \"before everything else\", then those of the node's phase, then the "
        "two "
        "last tables;\nof each table the first row whose condition holds is carried out. The whole "
        "condition stands in the\nfunction `when_...` of that name. \"Then\" names the phases that "
        "may "
        "be entered and the actions that\nmay be ordered. Sentences in *italics* are never "
        "shown.\n\n",
        out);
    print_diagram(out);
    for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        (void)fprintf(out, "%s## %s\n\n", i > 0 ? "\n" : "", sections[i].title);
        print_table(out, table_named(sections[i].table),
                    sections[i].phase == ARB_PHASE_COUNT ? ARB_ACTIVE : sections[i].phase);
    }
}
