/* probe.c - how long does a client find no service? One request at a time, at a steady pace.
 *
 * An outage is the time from the end of the last good answer to the end of the next good one, when
 * that is longer than --gap-ms. A good answer is status 200; the default resource commits a row
 * before it answers. The record has one line for each outage: OUTAGE BEGIN_MS END_MS MS FAILURES.
 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OUTAGES = 1000, MAX_LATENCY_MS = 1000 };

struct outage {
    int64_t begin_ms, end_ms; /* wall clock */
    int64_t length_ms;        /* by the steady clock */
    unsigned failures;
};

struct probe {
    const struct client_options *options;
    struct wire_target target;
    struct wire wire;
    struct client_record record;
    unsigned good, failed;
    unsigned failures; /* since the last good answer */
    int64_t last_good_mono_ms, last_good_wall_ms;
    char last_failure[64];
    unsigned latency[MAX_LATENCY_MS + 1]; /* good answers by milliseconds */
    unsigned outage_count;
    struct outage outages[MAX_OUTAGES];
    struct answer answer;
};

static void note_good(struct probe *probe, int64_t begin_ms)
{
    int64_t mono_ms = client_mono_ms();
    int64_t wall_ms = client_wall_ms();
    int64_t took_ms = mono_ms - begin_ms;
    int64_t gap_ms = mono_ms - probe->last_good_mono_ms;

    probe->latency[took_ms < MAX_LATENCY_MS ? took_ms : MAX_LATENCY_MS]++;
    if (probe->good++ > 0 && gap_ms > (int64_t)probe->options->gap_ms) {
        struct outage outage = {
            .begin_ms = probe->last_good_wall_ms,
            .end_ms = wall_ms,
            .length_ms = gap_ms,
            .failures = probe->failures,
        };
        if (probe->outage_count < MAX_OUTAGES)
            probe->outages[probe->outage_count++] = outage;
        client_record_line(&probe->record, "OUTAGE %lld %lld %lld %u", (long long)outage.begin_ms,
                           (long long)outage.end_ms, (long long)outage.length_ms, outage.failures);
    }
    probe->failures = 0;
    probe->last_good_mono_ms = mono_ms;
    probe->last_good_wall_ms = wall_ms;
}

static void note_failure(struct probe *probe, int error)
{
    char why[sizeof(probe->last_failure)];

    probe->failed++;
    probe->failures++;
    if (error < 0)
        (void)snprintf(why, sizeof(why), "%s", strerror(-error));
    else
        (void)snprintf(why, sizeof(why), "status %d", probe->answer.status);
    if (probe->failures == 1 || strcmp(why, probe->last_failure) != 0)
        client_record_line(&probe->record, "FAILURE %lld %s", (long long)client_wall_ms(), why);
    (void)snprintf(probe->last_failure, sizeof(probe->last_failure), "%s", why);
}

static void probe_once(struct probe *probe)
{
    const struct client_options *options = probe->options;
    const char *url = options->url != NULL ? options->url : "/api/sysstat/health?commit=1";
    bool fresh = !wire_usable(&probe->wire);
    int64_t begin_ms = client_mono_ms();
    int64_t deadline_ms = begin_ms + (fresh ? options->first_ms : options->request_ms);
    int r = 0;

    if (fresh)
        r = wire_open(&probe->wire, &probe->target, options->connect_ms, deadline_ms);
    if (r == 0)
        r = answer_get(&probe->wire, &probe->target, "GET", client_url_path(url), NULL, NULL,
                       deadline_ms, &probe->answer);
    if (r == 0 && probe->answer.status == 200)
        note_good(probe, begin_ms);
    else
        note_failure(probe, r);
}

static unsigned percentile_ms(const struct probe *probe, unsigned percent)
{
    unsigned seen = 0;
    for (unsigned ms = 0; ms <= MAX_LATENCY_MS; ms++) {
        seen += probe->latency[ms];
        if (seen > 0 && (uint64_t)seen * 100 >= (uint64_t)probe->good * percent)
            return ms;
    }
    return MAX_LATENCY_MS;
}

static void print_result(const struct probe *probe)
{
    int64_t longest_ms = 0;
    int64_t open_ms =
        probe->failures > 0 && probe->good > 0 ? client_mono_ms() - probe->last_good_mono_ms : 0;
    for (unsigned i = 0; i < probe->outage_count; i++)
        if (probe->outages[i].length_ms > longest_ms)
            longest_ms = probe->outages[i].length_ms;
    (void)printf("{\"good\":%u,\"failed\":%u,\"p50_ms\":%u,\"p99_ms\":%u,\"max_outage_ms\":%lld,"
                 "\"open_outage_ms\":%lld,\"outages\":[",
                 probe->good, probe->failed, percentile_ms(probe, 50), percentile_ms(probe, 99),
                 (long long)longest_ms, (long long)open_ms);
    for (unsigned i = 0; i < probe->outage_count; i++)
        (void)printf("%s{\"begin_ms\":%lld,\"end_ms\":%lld,\"ms\":%lld,\"failures\":%u}",
                     i > 0 ? "," : "", (long long)probe->outages[i].begin_ms,
                     (long long)probe->outages[i].end_ms, (long long)probe->outages[i].length_ms,
                     probe->outages[i].failures);
    (void)puts("]}");
}

int client_run_probe(const struct client_options *options)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    int status = 1;

    if (probe == NULL)
        return 1;
    probe->options = options;
    probe->record.fd = -1;
    wire_init(&probe->wire);
    if (wire_target_init(&probe->target, options) == 0 &&
        client_record_open(&probe->record, options->out_file) == 0) {
        int64_t deadline_ms = client_deadline(options);
        int64_t next_ms = client_mono_ms();
        while (!client_over(deadline_ms)) {
            probe_once(probe);
            int64_t now_ms = client_mono_ms();
            next_ms += options->every_ms;
            if (next_ms < now_ms)
                next_ms = now_ms;
            client_sleep_until(next_ms);
        }
        print_result(probe);
        status = probe->good > 0 ? 0 : 1;
    }
    wire_close(&probe->wire);
    client_record_close(&probe->record);
    wire_target_done(&probe->target);
    free(probe);
    return status;
}
