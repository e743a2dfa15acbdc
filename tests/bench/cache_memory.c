/*
 * What is known of many tags: how much memory it takes, and how much CPU to list, store and read it back.
 *
 *     cache_memory known REPOSITORIES TAGS DIR      all of them resident, by way of a cache file in DIR
 *     cache_memory large TAGS CACHE DIR             one repository; CACHE as for --cache
 *
 * Prints one line of JSON. The tags look like those of a build server: "main-004217-9e3779b9" where one in ten is
 * dated, and "1.42.17" where only names are known.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cache/cache.h"
#include "cache/records.h"
#include "cache/repository_record.h"
#include "scanner/tag_list.h"

#define SCOPE     "linux/amd64 "
#define PAGE_TAGS 1000
#define TIMEOUT   10000

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of the process, as the kernel counts: "VmRSS:", "RssAnon:", "VmHWM:". */
static long status_kib(const char *name)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read("/proc/self/status", 1 << 16, &text, NULL) < 0)
        return 0;
    const char *line = strstr(text.buf, name);
    return line ? strtol(line + strlen(name), NULL, 10) : 0;
}

static void fail(const char *what)
{
    fprintf(stderr, "cache_memory: %s\n", what);
    exit(1);
}

static struct cache *open_cache(const char *spec, const char *directory)
{
    struct error err = ERROR_INIT;
    struct cache *cache = cache_open(spec, directory, TIMEOUT, &err);
    if (!cache)
        fail(err.text);
    return cache;
}

static void check(struct cache *cache)
{
    const char *problem = cache_problem(cache);
    if (problem)
        fail(problem);
}

/* -- known ------------------------------------------------------------------------------------------------ */

static struct repository_info *make_repository(long number, long tags)
{
    char text[80];
    snprintf(text, sizeof(text), "registry.example.com/team-%ld/app-%ld", number / 10, number);
    struct repository_info *info = repository_info_new(text);
    bool is_dated = number % 10 == 0;
    for (long i = 0; i < tags; i++) {
        snprintf(text, sizeof(text), is_dated ? "main-%06ld-%08x" : "1.%ld.%u", is_dated ? i : i / 100,
                 is_dated ? (unsigned)i * 2654435761u : (unsigned)(i % 100));
        size_t index = repository_info_add(info, text);
        if (!is_dated || i < tags - tags / 10)
            continue;
        snprintf(text, sizeof(text), "sha256:%064lx", number * tags + i);
        const struct image_details details = {text, 1700000000000 + i, 1700000000000 + i, .problem = NULL};
        repository_info_copy_details(info, index, &details);
    }
    info->scanned_ms = 1700000000000;
    repository_info_finish(info);
    return info;
}

/* As a daemon that was started again: everything comes from the cache, and stays. */
static int measure_known(long repositories, long tags, const char *directory)
{
    long before = status_kib("VmRSS:");
    struct cache *cache = open_cache("file", directory);
    AUTO_FREE struct repository_info **known =
        xcalloc((size_t)repositories, sizeof(struct repository_info *));
    double start = cpu_s();
    for (long i = 0; i < repositories; i++) {
        CLEANUP(repository_info_release) struct repository_info *info = make_repository(i, tags);
        record_put_repository(cache, info, SCOPE);
    }
    cache_flush(cache);
    double stored = cpu_s();
    for (long i = 0; i < repositories; i++) {
        CLEANUP(repository_info_release) struct repository_info *info = make_repository(i, 0);
        known[i] = record_get_repository(cache, info->repository, SCOPE);
        if (!known[i] || (long)known[i]->images_len != tags)
            fail("a record did not come back");
    }
    check(cache);
    double read = cpu_s();
    printf("{\"tags\": %ld, \"rss_mib\": %.1f, \"anonymous_mib\": %.1f, \"empty_mib\": %.1f, \"peak_mib\": "
           "%.1f, "
           "\"store_cpu_s\": %.3f, \"read_cpu_s\": %.3f}\n",
           repositories * tags, (double)status_kib("VmRSS:") / 1024, (double)status_kib("RssAnon:") / 1024,
           (double)before / 1024, (double)status_kib("VmHWM:") / 1024, stored - start, read - stored);
    for (long i = 0; i < repositories; i++)
        repository_info_unref(known[i]);
    cache_free(cache);
    return 0;
}

/* -- large ------------------------------------------------------------------------------------------------ */

static struct strbuf make_page(long first)
{
    struct strbuf page = STRBUF_INIT;
    strbuf_addstr(&page, "{\"name\": \"team/app\", \"tags\": [");
    for (long i = first; i < first + PAGE_TAGS; i++)
        strbuf_addf(&page, "%s\"main-%06ld-%08x\"", i == first ? "" : ", ", i, (unsigned)i * 2654435761u);
    strbuf_addstr(&page, "]}");
    return page;
}

/* As the pages of a registry come in, a thousand tags each; the time to write the pages is not counted. */
static struct repository_info *list(long tags, double *took_s)
{
    struct repository_info *info = repository_info_new("registry.example.com/team/app");
    for (long i = 0; i < tags; i += PAGE_TAGS) {
        CLEANUP(strbuf_release) struct strbuf page = make_page(i);
        size_t bad = 0;
        struct error err = ERROR_INIT;
        double start = cpu_s();
        if (tag_list_read(page.buf, page.len, (size_t)tags, info, &bad, &err) < 0)
            fail(err.text);
        *took_s += cpu_s() - start;
    }
    double start = cpu_s();
    repository_info_finish(info);
    info->scanned_ms = 1700000000000;
    *took_s += cpu_s() - start;
    return info;
}

/* Every tag gets what a policy by date learns of it: the largest record there is. */
static void add_details(struct repository_info *info)
{
    for (size_t i = 0; i < info->images_len; i++) {
        char digest[80];
        snprintf(digest, sizeof(digest), "sha256:%032zx%032zx", i * 0x9e3779b97f4a7c15u, i);
        int64_t time = 1700000000000 + (int64_t)i;
        repository_info_copy_details(info, i, &(struct image_details){digest, time, time, .problem = NULL});
    }
}

static int measure_large(long tags, const char *spec, const char *directory)
{
    struct cache *cache = open_cache(spec, directory);
    double listed = 0;
    CLEANUP(repository_info_release) struct repository_info *info = list(tags, &listed);
    add_details(info);
    double start = cpu_s();
    record_put_repository(cache, info, SCOPE);
    cache_flush(cache);
    double stored = cpu_s();
    CLEANUP(repository_info_release)
    struct repository_info *again = record_get_repository(cache, info->repository, SCOPE);
    double read = cpu_s();
    check(cache);
    if (!again || again->images_len != (size_t)tags)
        fail("the record did not come back");
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    printf("{\"tags\": %ld, \"record_mib\": %.2f, \"list_cpu_s\": %.3f, \"store_cpu_s\": %.3f, "
           "\"read_cpu_s\": %.3f, "
           "\"cpu_s\": %.3f}\n",
           tags, (double)bytes.len / (1 << 20), listed, stored - start, read - stored, listed + read - start);
    cache_free(cache);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "known"))
        return measure_known(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10), argv[4]);
    if (argc == 5 && !strcmp(argv[1], "large"))
        return measure_large(strtol(argv[2], NULL, 10), argv[3], argv[4]);
    fprintf(stderr, "usage: cache_memory known REPOSITORIES TAGS DIR | large TAGS CACHE DIR\n");
    return 2;
}
