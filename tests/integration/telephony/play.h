/* play.h - plays one scenario on the stage and writes down what it has led to. */
#ifndef OG_TESTS_TELEPHONY_PLAY_H
#define OG_TESTS_TELEPHONY_PLAY_H

#include "tests/integration/telephony/record.h"
#include "tests/integration/telephony/script.h"
#include "tests/integration/telephony/stage.h"

/* False: a step could not be done or had another status; stderr says which. The record holds what
 * came until then. */
bool play(struct stage *stage, const struct script *script, struct record *record);

#endif
