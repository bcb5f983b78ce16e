/* mutate.h - which rows and rules would be missed: each is taken out in turn. */
#ifndef OG_SIM_MUTATE_H
#define OG_SIM_MUTATE_H

#include <stdint.h>

struct mutate_options {
    uint64_t schedules, seed; /* per mutant; ends with the first violation or standstill */
    unsigned jobs;
    const char *kept; /* file of the seeds that catch, and of the reasons of what is not caught */
    const char *json; /* file, "-" standard output, NULL none */
};

/* Prints the report. 0: each mutant is caught or has a reason that holds; 1: not so; 2: the kept
 * file cannot be used. */
int mutate_run(const struct mutate_options *options);

#endif
