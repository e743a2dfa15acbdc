#include "daemon/docker_config.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#define MOST_PLACES 2

struct docker_config {
    const struct clock *clock;
    char *places[MOST_PLACES];             /* the first that is there counts; NULL: no more */
    bool is_named;                         /* by the user: it must be there */
    struct file_stamp stamps[MOST_PLACES]; /* of what was last read, with success or not */
    struct credentials *credentials;
    int64_t looked_ms;
};

/* Where docker itself keeps its credentials; NULL if there is no home directory. */
static char *default_place(void)
{
    const char *directory = getenv("DOCKER_CONFIG");
    if (directory && *directory)
        return file_join(directory, "config.json");
    return file_in_home(".docker/config.json");
}

static void take_stamps(const struct docker_config *config, struct file_stamp stamps[MOST_PLACES])
{
    for (size_t i = 0; i < MOST_PLACES; i++)
        stamps[i] = config->places[i] ? file_stamp_of(config->places[i]) : (struct file_stamp){0};
}

/* 0 with the credentials, or with NULL where no file is there and none need be. */
static int read_first(const struct docker_config *config, struct credentials **credentials, struct error *err)
{
    *credentials = NULL;
    for (size_t i = 0; i < MOST_PLACES && config->places[i]; i++) {
        *credentials = credentials_load(config->places[i], err);
        if (*credentials)
            return 0;
        if (config->is_named || err->code != ERROR_NOT_FOUND)
            return error_wrap(err, "reading registry credentials");
        error_clear(err);
    }
    return 0;
}

struct docker_config *docker_config_open(const char *path, const struct clock *clock, struct error *err)
{
    struct docker_config *config = xcalloc(1, sizeof(*config));
    config->clock = clock;
    config->is_named = path != NULL;
    config->places[0] = path ? xstrdup(path) : default_place();
    if (!path && config->places[0]) /* and where docker kept it before 2015 */
        config->places[1] = file_in_home(".dockercfg");
    take_stamps(config, config->stamps); /* before it is read: what changes meanwhile is seen the next time */
    config->looked_ms = clock_monotonic_ms(clock);
    if (read_first(config, &config->credentials, err) == 0)
        return config;
    docker_config_free(config);
    return NULL;
}

void docker_config_free(struct docker_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < MOST_PLACES; i++)
        free(config->places[i]);
    credentials_free(config->credentials);
    free(config);
}

const struct credentials *docker_config_credentials(const struct docker_config *config)
{
    return config->credentials;
}

static void read_again(struct docker_config *config, struct scanner *scanner)
{
    struct credentials *read;
    struct error err = ERROR_INIT;
    if (read_first(config, &read, &err) == 0 && !read && config->credentials)
        error_set(&err, ERROR_NOT_FOUND, "%s is not there any more", config->places[0]);
    if (err.code != ERROR_NONE) {
        log_event(LOG_WARN, "scanner", "event", "bad-credentials", "err", err.text, "msg",
                  "the credentials that were read before are still in force", NULL);
        return;
    }
    scanner_replace_credentials(scanner, read);
    credentials_free(config->credentials);
    config->credentials = read;
    log_event(LOG_INFO, "scanner", "event", "credentials-changed", "file", config->places[0], NULL);
}

void docker_config_renew(struct docker_config *config, struct scanner *scanner)
{
    int64_t now_ms = clock_monotonic_ms(config->clock);
    if (now_ms - config->looked_ms < DOCKER_CONFIG_LOOK_MS)
        return;
    config->looked_ms = now_ms;
    struct file_stamp stamps[MOST_PLACES];
    bool is_same = true;
    take_stamps(config, stamps);
    for (size_t i = 0; i < MOST_PLACES; i++) {
        is_same = is_same && file_stamp_is_same(&stamps[i], &config->stamps[i]);
        config->stamps[i] = stamps[i];
    }
    if (!is_same)
        read_again(config, scanner);
}
