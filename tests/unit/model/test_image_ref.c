#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/image_ref.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64
#define HUB    "index.docker.io"

static void assert_text(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
}

static void test_image_ref_parses_and_normalises(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *path, *tag, *digest, *name;
    } cases[] = {
        {"alpine", HUB, "library/alpine", NULL, NULL, "alpine"},
        {"alpine:3.5", HUB, "library/alpine", "3.5", NULL, "alpine"},
        {"weaveworks/scope:1", HUB, "weaveworks/scope", "1", NULL, "weaveworks/scope"},
        {"docker.io/alpine", HUB, "library/alpine", NULL, NULL, "docker.io/alpine"},
        {"index.docker.io/library/alpine:3", HUB, "library/alpine", "3", NULL,
         "index.docker.io/library/alpine"},
        {"registry-1.docker.io/a/b", HUB, "a/b", NULL, NULL, "registry-1.docker.io/a/b"},
        {"quay.io/a/b:c", "quay.io", "a/b", "c", NULL, "quay.io/a/b"},
        {"quay.io/a", "quay.io", "a", NULL, NULL, "quay.io/a"},
        {"localhost/foo", "localhost", "foo", NULL, NULL, "localhost/foo"},
        {"localhost:5000/a/b:c", "localhost:5000", "a/b", "c", NULL, "localhost:5000/a/b"},
        {"a/b/c:1", HUB, "a/b/c", "1", NULL, "a/b/c"},
        {"host:5000/foo", "host:5000", "foo", NULL, NULL, "host:5000/foo"},
        {"host:5000/foo:1", "host:5000", "foo", "1", NULL, "host:5000/foo"},
        {"my-registry:5000/foo:1.0", "my-registry:5000", "foo", "1.0", NULL, "my-registry:5000/foo"},
        {"host:5000/a/b:1", "host:5000", "a/b", "1", NULL, "host:5000/a/b"},
        {"mylocalhost/foo:1", HUB, "mylocalhost/foo", "1", NULL, "mylocalhost/foo"},
        {"Reg.Example/foo", "reg.example", "foo", NULL, NULL, "Reg.Example/foo"},
        {"UPPER/foo", "upper", "foo", NULL, NULL, "UPPER/foo"},
        {"[::1]:5000/a:b", "[::1]:5000", "a", "b", NULL, "[::1]:5000/a"},
        {"[fe80::1]/a", "[fe80::1]", "a", NULL, NULL, "[fe80::1]/a"},
        {"a@" DIGEST, HUB, "library/a", NULL, DIGEST, "a"},
        {"a:1@" DIGEST, HUB, "library/a", "1", DIGEST, "a"},
        {"h:1/a:1@" DIGEST, "h:1", "a", "1", DIGEST, "h:1/a"},
        {"a@sha512:" HEX64 HEX64, HUB, "library/a", NULL, "sha512:" HEX64 HEX64, "a"},
        {"x/a.b_c__d---e/f", HUB, "x/a.b_c__d---e/f", NULL, NULL, "x/a.b_c__d---e/f"},
        {"a:_", HUB, "library/a", "_", NULL, "a"},
        {"12:30", HUB, "library/12", "30", NULL, "12"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        if (image_ref_parse(cases[i].text, &ref, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(ref.text, cases[i].text);
        assert_string_equal(ref.host, cases[i].host);
        assert_string_equal(ref.path, cases[i].path);
        assert_text(ref.tag, cases[i].tag);
        assert_text(ref.digest, cases[i].digest);
        AUTO_FREE char *name = xmemdupz(ref.text, ref.name_len);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_image_ref_refuses_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "it is empty"},
        {":1", "the name is missing"},
        {"@" DIGEST, "the name is missing"},
        {"/a", "path"},
        {"a/", "path"},
        {"a//b", "path"},
        {"a:", "a tag has"},
        {"a:.1", "a tag has"},
        {"a:-1", "a tag has"},
        {"a:b:c", "path"},
        {"a:b c", "a tag has"},
        {"a b", "path"},
        {" a", "path"},
        {"a\n", "path"},
        {"Alpine", "path"},
        {"quay.io/Alpine", "path"},
        {"quay.io/-a", "path"},
        {"quay.io/a_", "path"},
        {"quay.io/a___b", "path"},
        {"quay.io/a..b", "path"},
        {"quay.io/a.-b", "path"},
        {"user_name.x/foo", "host"}, /* the "." makes it one, and hosts have no "_" */
        {"-h.x/foo", "host"},
        {"h..x/foo", "host"},
        {"h:/foo", "host"},
        {"h:5x/foo", "host"},
        {"[::1/foo", "host"},
        {"https://quay.io/a", "host"},
        {"a@sha256:abc", "behind the \"@\""},
        {"a@", "behind the \"@\""},
        {"a@md5:" HEX64, "behind the \"@\""},
        {"a@sha256:" HEX64 "0", "behind the \"@\""},
        {"a@SHA256:" HEX64, "behind the \"@\""},
        {"a@" DIGEST "@" DIGEST, "behind the \"@\""},
        {HEX64, "an image id"},
        {"${IMAGE}", "path"},
        {"caf\xc3\xa9", "path"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct image_ref ref = IMAGE_REF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(image_ref_parse(cases[i].text, &ref, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_null(ref.text);
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_image_ref_limits_lengths(void **state)
{
    (void)state;
    char name[257], tag[130];
    memset(name, 'a', sizeof(name));
    memset(tag, 'b', sizeof(tag));
    name[256] = tag[129] = '\0';
    struct image_ref ref = IMAGE_REF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(image_ref_parse(name, &ref, &err), -1);
    assert_non_null(strstr(err.text, "longer than 255"));
    assert_int_equal(image_ref_parse(name + 1, &ref, &err), 0);
    image_ref_release(&ref);
    assert_false(image_tag_is_valid(tag));
    assert_true(image_tag_is_valid(tag + 1));
}

static void test_image_ref_with_tag_keeps_the_name_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"alpine", "alpine:2"},
        {"docker.io/library/alpine:1", "docker.io/library/alpine:2"},
        {"Reg.Example:5000/a", "Reg.Example:5000/a:2"},
        {"a:1@" DIGEST, "a:2"},
        {"a@" DIGEST, "a:2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
        assert_int_equal(image_ref_parse(cases[i].text, &ref, NULL), 0);
        AUTO_FREE char *got = image_ref_with_tag(&ref, "2");
        assert_string_equal(got, cases[i].expected);
        AUTO_FREE char *pinned = image_ref_with_digest(&ref, "2", DIGEST);
        AUTO_FREE char *expected = xasprintf("%s@" DIGEST, cases[i].expected);
        assert_string_equal(pinned, expected);
        AUTO_FREE char *plain = image_ref_with_digest(&ref, "2", NULL);
        assert_string_equal(plain, cases[i].expected);
    }
}

static void test_image_ref_equal_ignores_how_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"alpine", "docker.io/library/alpine:latest", true},
        {"alpine:1", "index.docker.io/library/alpine:1", true},
        {"QUAY.io/a", "quay.io/a", true},
        {"alpine:1", "alpine:2", false},
        {"alpine", "alpine@" DIGEST, false},
        {"alpine:latest@" DIGEST, "alpine@" DIGEST, false},
        {"a@" DIGEST, "docker.io/a@" DIGEST, true},
        {"quay.io/alpine", "alpine", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_ref_release) struct image_ref a = IMAGE_REF_INIT, copy = IMAGE_REF_INIT;
        CLEANUP(image_ref_release) struct image_ref b = IMAGE_REF_INIT;
        assert_int_equal(image_ref_parse(cases[i].a, &a, NULL), 0);
        assert_int_equal(image_ref_parse(cases[i].b, &b, NULL), 0);
        assert_int_equal(image_ref_equal(&a, &b), cases[i].equal);
        image_ref_copy(&copy, &a);
        assert_true(image_ref_equal(&a, &copy));
        assert_string_equal(copy.text, a.text);
        assert_int_equal(copy.name_len, a.name_len);
    }
}

static void test_image_ref_repository_is_the_normalised_name(void **state)
{
    (void)state;
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    assert_int_equal(image_ref_parse("alpine:3", &ref, NULL), 0);
    AUTO_FREE char *repository = image_ref_repository(&ref);
    assert_string_equal(repository, "index.docker.io/library/alpine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_ref_parses_and_normalises),
        cmocka_unit_test(test_image_ref_refuses_with_the_reason),
        cmocka_unit_test(test_image_ref_limits_lengths),
        cmocka_unit_test(test_image_ref_with_tag_keeps_the_name_as_written),
        cmocka_unit_test(test_image_ref_equal_ignores_how_it_is_written),
        cmocka_unit_test(test_image_ref_repository_is_the_normalised_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
