/* config_xml.c - any bytes as a configuration file: read, checked, and if right, written and read
 * again with the same result. */
#include "lib/config/config.h"
#include "lib/config/settings.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static struct config config;
    struct config_problems problems = {0};
    int r = config_parse_xml((const char *)data, size_bytes, &config, &problems);
    int contradicts = config_check(&config, &problems);
    if ((r < 0 || contradicts < 0) != (problems.count > 0))
        abort(); /* an error without a word, or a word without an error */
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_setting *row = config_setting_at((enum config_setting_id)i);
        for (unsigned repeat = 0; repeat < config_section_count(row->section, &config); repeat++)
            for (unsigned v = 0; v < config_setting_values_max(row); v++) {
                const struct config_at at = {repeat, v};
                struct buf text = {0};
                struct diag diag = {0};
                if (config_setting_print(row, &config, at, &text) && text.data != NULL &&
                    config_setting_store(row, &config, at, text.data, &diag) < 0 &&
                    config.lines[repeat][i] != 0 && r == 0)
                    abort(); /* what was accepted once must be accepted again */
                buf_done(&text);
            }
    }
    return 0;
}
