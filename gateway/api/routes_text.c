#include "gateway/api/routes_text.h"

#include "gateway/api/services.h"
#include "gateway/auth/identity.h"

void routes_text_tsv(struct buf *out)
{
    buf_adds(out, "service\tmethod\tpath\taccess\tlicence\n");
    for (size_t i = 0; api_services[i] != NULL; i++) {
        const struct api_service *service = api_services[i];
        for (size_t j = 0; j < service->row_count; j++) {
            const struct http_route *row = &service->rows[j];
            buf_addf(out, "%s\t%s\t%s\t%s\t%s\n", service->name, http_method_name(row->method),
                     row->path, access_name(row->access),
                     row->feature != NULL ? row->feature : "-");
        }
    }
}
