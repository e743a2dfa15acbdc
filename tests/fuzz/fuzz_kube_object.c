/* An object of any JSON: whatever can be normalised can be so again, with the same result. */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "deploy/kube_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON json_t *object = json_read((const char *)data, size, NULL);
    struct error err = ERROR_INIT;
    if (!object || kube_object_normalise(object, &err) < 0)
        return 0;
    AUTO_JSON json_t *once = json_deep_copy(object);
    if (kube_object_normalise(object, &err) < 0 || !json_equal(once, object) ||
        !kube_object_same_content(once, object))
        __builtin_trap();
    kube_object_set_scope(object, true, "default");
    kube_object_set_scope(object, false, "default");
    if (kube_object_space(object))
        __builtin_trap();
    return 0;
}
