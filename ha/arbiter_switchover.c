/* The preconditions of a switchover, as a table: the same rows decide (rule R32) and explain. */
#include "ha/arbiter_private.h"

static bool is_active(const struct arb_call *call)
{
    return call->was->phase == ARB_ACTIVE;
}

static bool peer_in_standby(const struct arb_call *call)
{
    return arb__peer_fresh(call) && call->facts->peer.last.phase == ARB_STANDBY;
}

static bool copies_equal(const struct arb_call *call)
{
    return arb__whole(call) && !arb__broken(call);
}

static bool pair_recorded(const struct arb_call *call)
{
    const struct arb_right *own = &call->was->durable.right;
    return own->mode == ARB_MODE_PAIR && call->saved &&
           arb__right_equal(&call->facts->peer.last.right, own);
}

static bool witness_agreed(const struct arb_call *call)
{
    const struct arb_message *peer = &call->facts->peer.last;
    return arb__register_known(call) && peer->run_agreed == call->was->durable.witness_run &&
           peer->run_seen == call->was->run_seen;
}

static bool register_shows_pair(const struct arb_call *call)
{
    return arb__right_equal(&call->was->register_seen, &call->was->durable.right);
}

static bool peer_able(const struct arb_call *call)
{
    return call->facts->peer.last.candidate;
}

static bool same_configuration(const struct arb_call *call)
{
    return call->facts->peer.last.generation == call->facts->generation;
}

static const struct precondition {
    bool (*holds)(const struct arb_call *call);
    const char *what, *obstacle, *todo;
} preconditions[] = {
    {is_active, "this node is active", "This node is not active.",
     "Give the order on the active node; `roxed status` names it."},
    {peer_in_standby, "the other node is heard and in standby", "The other node is not in standby.",
     "Start the other node (roxed start), or repair the network between the nodes."},
    {arb__compatible, "both nodes run fitting versions and the same profile",
     "The nodes run different protocol versions or different times.",
     "Install the same version and the same profile on both nodes."},
    {copies_equal, "both copies of the disk are equal and connected",
     "The copies are not equal and connected.",
     "Wait until the copies are equal (roxed status --watch), or repair the interconnect."},
    {pair_recorded, "both nodes have recorded that both copies count",
     "The pair is not protected yet.",
     "Wait some seconds; if it stays, read the alarms of `roxed status` on both nodes."},
    {witness_agreed, "both nodes reach the witness and agree on it",
     "The witness cannot be reached, and the other node could not become active.",
     "Bring the witness back: the other node asks it for the right."},
    {register_shows_pair, "the witness's register shows the pair",
     "The register does not show the pair.",
     "Wait some seconds; if it stays, read `roxed history` on both nodes."},
    {peer_able, "the other node is able to become active",
     "The other node is not able to become active.",
     "Read the alarms of `roxed status` on the other node."},
    {same_configuration, "both nodes have the same configuration",
     "The nodes do not have the same configuration yet.",
     "Bring the same configuration to both nodes, then restart the changed one."},
};
_Static_assert(sizeof(preconditions) / sizeof(preconditions[0]) == ARB_SWITCHOVER_CHECKS,
               "each precondition has its place in the answer");

static struct arb_call call_of(const struct arb_config *config, const struct arb_state *state,
                               const struct arb_facts *facts)
{
    return (struct arb_call){
        .config = config,
        .k = &config->constants,
        .was = state,
        .facts = facts,
        .plan = {.next = *state},
        .saved = facts->saved_serial == state->save_serial,
    };
}

void arb_switchover_checks(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts,
                           struct arb_check ret_checks[ARB_SWITCHOVER_CHECKS])
{
    const struct arb_call call = call_of(config, state, facts);
    for (int i = 0; i < ARB_SWITCHOVER_CHECKS; i++) {
        const struct precondition *row = &preconditions[i];
        ret_checks[i] = (struct arb_check){
            .what = row->what,
            .ok = row->holds(&call),
            .obstacle = row->obstacle,
            .todo = row->todo,
        };
    }
}

const char *arb_switchover_obstacle(const struct arb_config *config, const struct arb_state *state,
                                    const struct arb_facts *facts)
{
    struct arb_check checks[ARB_SWITCHOVER_CHECKS];
    arb_switchover_checks(config, state, facts, checks);
    for (int i = 0; i < ARB_SWITCHOVER_CHECKS; i++)
        if (!checks[i].ok)
            return checks[i].obstacle;
    return NULL;
}
