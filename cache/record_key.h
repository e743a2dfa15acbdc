/*
 * The keys of records, written and read back.
 *
 *   pawl3|repository|NAME|PLATFORM|KIND|HASH    a repository's tags, as one platform and one identity saw them
 *   pawl3|facts|DIGEST|PLATFORM                 what never changes of an image
 *   pawl3|names|NAME                            the keys of a repository's records, where a cache cannot list
 *
 * A scope is "PLATFORM IDENTITY": whose image of an index is dated, and to whom the registry gave the answer, as
 * "KIND:NAME"; no identity is anonymous. Only its kind and the hash of the whole scope are in the key, so that a
 * listing can say what a record is and still names nobody. The first part is the version of all records.
 */
#ifndef CACHE_RECORD_KEY_H
#define CACHE_RECORD_KEY_H

#include "base/attr.h"

/* For cache_get and cache_put; free() them. */
char *record_key_repository(const char *repository, const char *scope) MUST_CHECK;
char *record_key_facts(const char *digest, const char *platform) MUST_CHECK;
char *record_key_names(const char *repository) MUST_CHECK;

enum record_kind {
    RECORD_REPOSITORY,
    RECORD_FACTS,
    RECORD_OTHER,   /* of this version and another kind, or under a key so long that only its hash is known */
    RECORD_FOREIGN, /* of another version: nobody here reads it */
};

struct record_key {
    enum record_kind kind;
    char *repository; /* this and what follows: NULL unless it is a RECORD_REPOSITORY */
    char *platform;   /* "linux/amd64" */
    char *identity;   /* "anonymous", "user", … */
    char *scope;      /* the hash's first digits: tells apart records that are otherwise named alike */
};

/* Reads any key. Release it. */
void record_key_parse(const char *key, struct record_key *out);
void record_key_release(struct record_key *key);

#endif
