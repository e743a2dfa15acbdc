/*
 * A constraint is compiled to a flat list of comparisons: each is one of seven relations to a version, down
 * to a depth: the number of leading numbers that it looks at. "~1.2.3" is "at least 1.2.3, and the first two
 * numbers are the same". A comparison that starts an alternative ("||") says so; there is no tree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/semver.h"
#include "updater/semver_reader.h"

enum relation {
    EQUAL,
    NOT_EQUAL, /* to the depth */
    ABOVE,     /* to the depth: ">1.2" is above all of 1.2.x */
    AT_LEAST,
    BELOW,
    AT_MOST, /* to the depth: "<=1.2" takes all of 1.2.x */
    WITHIN,  /* at least the version, and the same to the depth */
};

struct comparison {
    enum relation relation;
    int depth;
    struct semver version; /* its parts: the numbers that are given, 0 to 3; the others are 0 */
    bool starts_alternative;
};

struct semver_constraint {
    char *text; /* the versions point into it */
    struct comparison *comparisons;
    size_t len, capacity; /* there are thousands of them: room to grow is given back */
};

static int depth_of_tilde(const struct semver *v)
{
    static const struct semver zero = {.parts = 3};
    if ((v->parts == 0 || v->parts == 3) && semver_compare_parts(v, &zero, 3) == 0)
        return 0;
    return v->parts == 1 ? 1 : 2;
}

static int depth_of_caret(const struct semver *v)
{
    if (v->parts == 0)
        return 0;
    if (v->major > 0 || v->parts == 1)
        return 1;
    return v->minor > 0 || v->parts == 2 ? 2 : 3;
}

static int depth_of_parts(const struct semver *v)
{
    return v->parts;
}

static const struct operation {
    const char *text;
    enum relation relation;
    int (*depth)(const struct semver *);
    bool needs_number; /* "*" with it would be nothing, or nonsense */
} operations[] = {
    /* those of two characters first: "~>" is not "~" and ">" */
    {"!=", NOT_EQUAL, depth_of_parts, true}, {">=", AT_LEAST, depth_of_parts, false},
    {"=>", AT_LEAST, depth_of_parts, false}, {"<=", AT_MOST, depth_of_parts, true},
    {"=<", AT_MOST, depth_of_parts, true},   {"~>", WITHIN, depth_of_tilde, false},
    {">", ABOVE, depth_of_parts, true},      {"<", BELOW, depth_of_parts, true},
    {"~", WITHIN, depth_of_tilde, false},    {"^", WITHIN, depth_of_caret, false},
    {"=", EQUAL, depth_of_tilde, false},     {"", EQUAL, depth_of_tilde, false},
};
static const struct operation from = {">=", AT_LEAST, depth_of_parts, false};
static const struct operation to = {"<=", AT_MOST, depth_of_parts, true};

struct reader {
    struct semver_constraint *constraint;
    const char *p;
    bool starts_alternative;
    struct error *err;
};

/* Go's \s, which is what Masterminds splits at. */
static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static const char *after_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static int fail(struct reader *r, const char *expected)
{
    if (*r->p == '\0')
        return error_set(r->err, ERROR_INVALID, "expected %s at the end", expected);
    return error_set(r->err, ERROR_INVALID, "expected %s at \"%.60s\"", expected, r->p);
}

static bool read_wildcard(const char **cursor)
{
    if (**cursor != 'x' && **cursor != 'X' && **cursor != '*')
        return false;
    (*cursor)++;
    return true;
}

/* A version whose parts may be left out or be wildcards; what follows a wildcard does not count. */
static int read_version(struct reader *r, struct semver *out)
{
    const char *start = r->p, *p = start + (*start == 'v');
    uint64_t numbers[3] = {0};
    bool is_any = false;
    *out = (struct semver){.parts = 0};
    for (int part = 0; part < 3; part++) {
        if (part > 0 && *p != '.')
            break;
        p += part > 0;
        uint64_t ignored;
        if (read_wildcard(&p))
            is_any = true;
        else if (!semver_read_number(&p, is_any ? &ignored : &numbers[part]))
            return fail(r, "a version such as 1.2.3, 1.2 or 1.x");
        else
            out->parts += !is_any;
    }
    out->major = numbers[0];
    out->minor = numbers[1];
    out->patch = numbers[2];
    if (!semver_read_suffixes(&p, out))
        return fail(r, "a version with a pre-release or build as in 1.2.3-rc.1+5");
    if (out->parts == 0)
        out->prerelease = NULL; /* as Masterminds 3.1 does: "*-0" is "*" */
    r->p = p;
    return 0;
}

static void add(struct reader *r, const struct operation *op, const struct semver *version)
{
    struct semver_constraint *c = r->constraint;
    vec_grow(c->comparisons, c->len, c->capacity);
    bool is_range = op->relation == EQUAL && version->parts < 3;
    c->comparisons[c->len++] = (struct comparison){
        .relation = is_range ? WITHIN : op->relation,
        .depth = op->depth(version),
        .version = *version,
        .starts_alternative = r->starts_alternative,
    };
    r->starts_alternative = false;
}

static const struct operation *read_operator(struct reader *r)
{
    const struct operation *op = operations;
    while (strncmp(r->p, op->text, strlen(op->text)) != 0)
        op++;
    r->p += strlen(op->text);
    return op;
}

/* Moves past " - " if that is what comes. */
static bool read_hyphen(struct reader *r)
{
    const char *hyphen = after_space(r->p);
    if (hyphen == r->p || *hyphen != '-' || !is_space(hyphen[1]))
        return false;
    r->p = after_space(hyphen + 1);
    return true;
}

static int read_comparison(struct reader *r)
{
    struct semver version;
    const char *start = r->p;
    const struct operation *op = read_operator(r);
    r->p = after_space(r->p);
    if (read_version(r, &version) < 0)
        return -1;
    if (op->text[0] == '\0' && read_hyphen(r)) {
        add(r, &from, &version);
        op = &to;
        start = r->p;
        if (read_version(r, &version) < 0)
            return -1;
    }
    if (op->needs_number && version.parts == 0) {
        r->p = start;
        return fail(r, "a number in the version");
    }
    add(r, op, &version);
    return 0;
}

static bool at_end_of_alternative(const struct reader *r)
{
    return *r->p == '\0' || strncmp(r->p, "||", 2) == 0;
}

static int read_alternative(struct reader *r)
{
    r->starts_alternative = true;
    r->p = after_space(r->p);
    do {
        const char *start = r->p;
        if (read_comparison(r) < 0)
            return -1;
        const char *end = r->p;
        r->p = after_space(r->p);
        if (*r->p == ',')
            r->p = after_space(r->p + 1);
        bool is_joined = r->p == end && strchr("<>=!~^", *r->p) == NULL;
        if (is_joined && !at_end_of_alternative(r)) {
            r->p = start;
            return fail(r, "a version such as 1.2.3, 1.2 or 1.x");
        }
    } while (!at_end_of_alternative(r));
    return 0;
}

static int read_constraint(struct reader *r)
{
    for (;;) {
        if (read_alternative(r) < 0)
            return -1;
        if (*r->p == '\0')
            return 0;
        r->p += 2;
    }
}

struct semver_constraint *semver_constraint_new(const char *text, struct error *err)
{
    struct semver_constraint *constraint = xcalloc(1, sizeof(*constraint));
    constraint->text = xstrdup(text);
    struct reader r = {.constraint = constraint, .p = constraint->text, .err = err};
    if (read_constraint(&r) == 0) {
        constraint->comparisons =
            xreallocarray(constraint->comparisons, constraint->len, sizeof(*constraint->comparisons));
        return constraint;
    }
    semver_constraint_free(constraint);
    return NULL;
}

void semver_constraint_free(struct semver_constraint *constraint)
{
    if (!constraint)
        return;
    free(constraint->comparisons);
    free(constraint->text);
    free(constraint);
}

/* In full if all three numbers are given. */
static int compare_to_depth(const struct semver *version, const struct comparison *c)
{
    return c->depth == 3 ? semver_compare(version, &c->version)
                         : semver_compare_parts(version, &c->version, c->depth);
}

static bool holds(const struct comparison *c, const struct semver *version)
{
    bool excludes_one = c->relation == NOT_EQUAL && c->depth == 3;
    if (version->prerelease && !c->version.prerelease && !excludes_one)
        return false;
    switch (c->relation) {
    case EQUAL:
        return semver_compare(version, &c->version) == 0;
    case NOT_EQUAL: /* "!=1.2-rc.1" leaves 1.2.0-rc.2 */
        return compare_to_depth(version, c) != 0 ||
               (c->depth == 2 && semver_compare_prereleases(version, &c->version) != 0);
    case ABOVE:
        return compare_to_depth(version, c) > 0;
    case AT_LEAST:
        return semver_compare(version, &c->version) >= 0;
    case BELOW:
        return semver_compare(version, &c->version) < 0;
    case AT_MOST:
        return compare_to_depth(version, c) <= 0;
    case WITHIN:
        return semver_compare_parts(version, &c->version, c->depth) == 0 &&
               semver_compare(version, &c->version) >= 0;
    }
    return false;
}

bool semver_constraint_check(const struct semver_constraint *constraint, const struct semver *version)
{
    bool passes = false;
    for (size_t i = 0; i < constraint->len; i++) {
        const struct comparison *c = &constraint->comparisons[i];
        if (c->starts_alternative && passes)
            return true;
        passes = (passes || c->starts_alternative) && holds(c, version);
    }
    return passes;
}
