/* walk.h - every sequence of faults up to a length, from a healthy pair. */
#ifndef OG_SIM_WALK_H
#define OG_SIM_WALK_H

#include <stdint.h>

enum { WALK_DEPTH_MAX = 12 };

/* Prints states, transitions, violations, standstills. 0: nothing wrong found, 1: something. */
int walk_run(unsigned depth, uint64_t seed, const char *json);

#endif
