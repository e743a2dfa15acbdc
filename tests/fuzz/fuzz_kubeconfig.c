/* A kubeconfig of any bytes: merged with itself under another name, and each of its contexts resolved. */
#include <stddef.h>
#include <stdint.h>

#include "deploy/kube_access.h"
#include "deploy/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(kubeconfig_release) struct kubeconfig config;
    struct error err = ERROR_INIT;
    kubeconfig_init(&config);
    if (kubeconfig_add(&config, "/a/config", (const char *)data, size, &err) < 0)
        return 0;
    if (kubeconfig_add(&config, "b", (const char *)data, size, &err) < 0)
        __builtin_trap(); /* what was readable once is so again */
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *context;
    void *entry;
    while (strmap_next(&config.contexts, &cursor, &context, &entry)) {
        CLEANUP(kube_access_release) struct kube_access access;
        kube_access_init(&access);
        if (kube_access_from_config(&config, context, &access, &err) == 0 && !access.server)
            __builtin_trap();
    }
    return 0;
}
