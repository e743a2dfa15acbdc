/*
 * The Docker config file that registry credentials are in: --docker-config, or where docker itself keeps it. Read at start and,
 * while serve runs, again when it has changed, so that a password can be replaced without a restart (also where the file is
 * a Secret's, whose volume changes behind a symbolic link, and as Flux v1 does).
 *
 * The new credentials take the place of the old ones as a whole; a file that is gone or no good leaves the old ones in force,
 * and is said once. All on one thread.
 */
#ifndef DAEMON_DOCKER_CONFIG_H
#define DAEMON_DOCKER_CONFIG_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "scanner/scanner.h"

#define DOCKER_CONFIG_LOOK_MS 1000

struct docker_config;

/* Borrows the clock. `path` NULL: $DOCKER_CONFIG/config.json or ~/.docker/config.json, else ~/.dockercfg, of which none need be
 * there. ERROR_NOT_FOUND for a `path` that is not, ERROR_INVALID, ERROR_IO, … */
struct docker_config *docker_config_open(const char *path, const struct clock *clock, struct error *err)
    MUST_CHECK;
void docker_config_free(struct docker_config *config); /* NULL does nothing */

/* Good until docker_config_renew; NULL: there are none. */
const struct credentials *docker_config_credentials(const struct docker_config *config);

/* Looks whether a file has changed, once a second at most, and gives the scanner what it now says. */
void docker_config_renew(struct docker_config *config, struct scanner *scanner);

#endif
