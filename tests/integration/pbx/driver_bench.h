/* driver_bench.h - the driver csta-xml with somebody who writes down what it tells. */
#ifndef OG_TEST_DRIVER_BENCH_H
#define OG_TEST_DRIVER_BENCH_H

#include "gateway/pbx/csta_xml/csta_xml.h"
#include "tests/integration/pbx/scripted_peer.h"

struct answer { /* of a request of people */
    unsigned count;
    bool good;
    enum telephony_error_type type;
    enum telephony_error_cause cause;
    char text[160], call_id[PBX_CALL_ID_CHARS];
};

struct bench {
    uv_loop_t loop;
    struct scripted_peer peer;
    struct pbx_settings settings;
    struct pbx *pbx;

    unsigned ups, downs, directories, events, snapshots, states;
    size_t stations; /* in the last directory */
    char first_station[64], first_name[128];
    char why_down[512];
    char story[8192]; /* each thing told, a word or two each, one space between */
    bool watch_all;   /* monitor each station of the directory */
    bool disbelieves; /* finds that an event contradicts what is known */
};

void bench_open(struct bench *bench); /* with the settings as they are; see bench_settings() */
/* Sensible settings for the peer on 127.0.0.1:port. */
void bench_settings(struct bench *bench, int port);
void bench_close(struct bench *bench); /* all of it; the loop must be empty afterwards */

/* Runs the loop until *counter >= value; false after limit_ms. */
bool bench_until(struct bench *bench, const unsigned *counter, unsigned value, unsigned limit_ms);
void bench_run(struct bench *bench, unsigned for_ms);
void bench_note_answer(void *answer, const struct pbx_error *error, const char *call_id);

#endif
