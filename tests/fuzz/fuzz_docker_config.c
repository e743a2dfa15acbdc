/* A Docker configuration, asked for the credentials of several repositories. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const repositories[] = {"index.docker.io/library/alpine", "example.org/a/b",
                                               "h:5000/a"};
    struct error err = ERROR_INIT;
    struct credentials *credentials = credentials_parse((const char *)data, size, "config.json", &err);
    for (size_t i = 0; credentials && i < ARRAY_LEN(repositories); i++) {
        struct credential_choice choice;
        if (credentials_for(credentials, repositories[i], &choice, &err) < 0)
            continue;
        const struct credential credential = choice.credential;
        if (choice.helper && (strchr(choice.helper, '/') || credential.username))
            abort();
        if (!credential.username != !credential.password)
            abort();
        AUTO_FREE char *basic = credential_basic(&credential);
        AUTO_FREE char *identity = credential_identity(&credential);
        if (credential.username && (!basic || !*identity))
            abort();
    }
    credentials_free(credentials);
    return 0;
}
