/*
 * Every limit on what comes from outside, in one place, each with its reason. Bytes unless the name says
 * otherwise. Going over one is ERROR_TOO_LARGE, said with the limit's value; nothing is cut off silently.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* -- YAML in git: the largest custom resource definitions in use are near 1 MiB, bundles of them near 5. */
#define LIMIT_YAML_BYTES     (8u << 20)
#define LIMIT_YAML_DOCUMENTS 10000u
#define LIMIT_YAML_NODES     1000000u /* of one document, aliases counted each time they are used */
#define LIMIT_YAML_DEPTH     128u     /* Kubernetes' own reader stops near 10,000; manifests stay under 30 */
#define LIMIT_MARKERS        2000u    /* of one file; each is compared with the object's other containers */
#define LIMIT_KUSTOMIZE_DEPTH                                                                                \
    32u /* of kustomizations in kustomizations; a base and an overlay or two are usual */
#define LIMIT_KUSTOMIZE_STEPS                                                                                \
    2000000u /* files, containers and entries looked at, in all kustomizations of a set */
#define LIMIT_CONFIG_BYTES (1u << 20)

/* -- Annotations of ours. The largest table of a time zone is below 4 KiB, the longest name has 32 characters. */
#define LIMIT_TIME_ZONE_BYTES (64u << 10)
#define LIMIT_TIME_ZONE_NAME  64u
#define LIMIT_WINDOW_RANGES   64u /* of one pawl.dev/window: nine for each day of a week */

/* -- HTTP of any peer. Servers themselves refuse header blocks over 8 to 64 KiB; a body is held in memory, so
 *    who expects more than a page of text says so in the request. */
#define LIMIT_HTTP_HEADER_BYTES (64u << 10)
#define LIMIT_HTTP_BODY_BYTES   (1u << 20)

/* -- Registries. 4 MiB is the size up to which the OCI distribution specification asks registries to take
 *    manifests; configs of real images stay below a tenth of ours. */
#define LIMIT_MANIFEST_BYTES     (4u << 20)
#define LIMIT_IMAGE_CONFIG_BYTES (8u << 20)
#define LIMIT_TAG_PAGE_BYTES     (32u << 20) /* some registries ignore n= and send 100,000 tags at once */
/* Of a Helm repository's index.yaml: public ones of all charts of a vendor have 10 to 25 MB. */
#define LIMIT_CHART_INDEX_BYTES (48u << 20)
#define LIMIT_TAG_PAGES         2000u
#define LIMIT_TAG_LENGTH        128u /* OCI distribution: a tag has at most 128 characters */
#define LIMIT_ETAG_LENGTH       255u /* a longer one is not kept: they are hashes, of 64 digits at most */
/* What is kept of one image's labels and of one index's platforms; what is beyond is left out, as they may not spoil
 * the image's date. A dozen labels are in use, and of official images fewer than 20 platforms. */
#define LIMIT_LABELS       24u
#define LIMIT_LABEL_LENGTH 1024u
#define LIMIT_LABELS_BYTES (8u << 10) /* of all, as JSON */
#define LIMIT_SHOWN_LABEL_CHARS                                                                              \
    200u /* of one label in a commit message: two lines of it; a title or an address is shorter */
#define LIMIT_PLATFORMS       64u
#define LIMIT_PLATFORM_LENGTH 64u
#define LIMIT_PLATFORMS_BYTES 4160u /* as many as that, with a space each */
#define LIMIT_TOKEN_BYTES     (256u << 10)
#define LIMIT_REDIRECTS       5

/* -- JSON of any source: jansson recurses, so depth is bounded before it sees the text. */
#define LIMIT_JSON_DEPTH 128u

/* -- The cache: a record of a million tags with their digests is near 64 MiB. */
#define LIMIT_CACHE_VALUE_BYTES (64u << 20)

/* -- Kubernetes: the API server refuses request bodies over 3 MiB; lists are paged. */
#define LIMIT_KUBE_RESPONSE_BYTES (64u << 20)
#define LIMIT_KUBECONFIG_BYTES    (1u << 20)
#define LIMIT_KUBE_REQUEST_BYTES  (3u << 20)
#define LIMIT_KUBE_MESSAGE_BYTES  1024u /* shown of one refusal: some dump whole Go structs */
#define LIMIT_KUBE_LIST_PAGES     200u  /* of 500 objects each */

/* Pull secrets of one pod or one service account: each is a request. A pod in use has one to three. */
#define LIMIT_PULL_SECRETS 20u

/* -- Git. A blob over the YAML limit is no manifest of ours and is not read. */
#define LIMIT_GIT_REF_ADVERT_BYTES (64u << 20)
#define LIMIT_GIT_TREE_ENTRIES     1000000u
#define LIMIT_GIT_TREE_DEPTH       64u
#define LIMIT_GIT_TRANSFER_MS      3600000 /* one pack over HTTP; a stalled one ends far earlier */
/* History is looked at from the newest: a busy repository of images has some thousand commits a year. */
#define LIMIT_HISTORY_COMMITS  5000u
#define LIMIT_HISTORY_CHANGES  100000u /* files changed by those commits; a change of all files counts each */
#define LIMIT_HISTORY_VERSIONS 200u    /* of one file that are read as manifests for one question */
#define LIMIT_HISTORY_TEXTS    1000u   /* that are searched for a word, which takes a tenth of the time */
#define LIMIT_NOTE_BYTES       (16u << 20) /* an image and its explanation take 1.2 KiB: 10,000 of them fit */
#define LIMIT_NOTES_FLAT       256u        /* in one directory, before they are spread over others */
#define LIMIT_GIT_PACKS        50u         /* small packs that fetches leave before they become one */
#define LIMIT_GIT_SMALL_PACK   (16u << 20) /* a larger one (the first fetch) is never written again */
#define LIMIT_GIT_LOOSE        1024u       /* objects in files of their own before they become a pack */

/* -- Programs that we run (ssh, credential helpers): their error text is shown, their output is parsed. */
#define LIMIT_PROCESS_STDERR_BYTES (8u << 10)
#define LIMIT_PROCESS_STDOUT_BYTES (1u << 20)

/* -- Patterns: PCRE2's own counters, so that a pattern that explodes ends within milliseconds. */
#define LIMIT_REGEXP_MATCH    100000u
#define LIMIT_REGEXP_DEPTH    10000u /* the heap is what ends it; machine code counts none */
#define LIMIT_REGEXP_HEAP_KIB 4096u  /* a pattern of thousands of groups needs 30 KiB for each step back */
#define LIMIT_REGEXP_OVERRUNS 10u    /* tags it may explode on; more it gives up sooner: */
#define LIMIT_REGEXP_SOON     2000u  /* steps then; and if nothing else helped, it is given up for all tags */
/* Where it is tried breadth first: the ways that are open at once, up to four for each byte of a tag, and the steps along them. A
 * step costs a look at every way; together that is milliseconds. */
#define LIMIT_REGEXP_WAYS          512u
#define LIMIT_REGEXP_BREADTH_STEPS 20000u
#define LIMIT_PATTERN_LENGTH       4096u
#define LIMIT_EXTRACT_LENGTH       1024u /* of what a template makes of a tag, which has 128 bytes */

/* -- The listener. Who calls are a Prometheus, a kubelet and some registries; all of them at once stay below this. */
#define LIMIT_LISTEN_CONNECTIONS      64u
#define LIMIT_LISTEN_CONNECTION_BYTES (32u << 10) /* of one connection, headers included, body not */
#define LIMIT_LISTEN_IDLE_S           15u         /* of silence */
#define LIMIT_LISTEN_REQUEST_MS       30000 /* from a connection's or a request's beginning to its answer's end */
#define LIMIT_LISTEN_DROPPED_BYTES                                                                           \
    (8u << 20) /* of a body that is too large: read so that it can be answered, then cut */
#define LIMIT_PUSHED_TAGS     100u       /* of one repository at a time; of more than that the list is read */
#define LIMIT_HOOK_BODY_BYTES (1u << 20) /* of one webhook: EventBridge's limit is a quarter of it */
#define LIMIT_HOOK_IMAGES     1000u      /* in one webhook */
#define LIMIT_METRIC_SERIES   10000u     /* of one metric: label values come from registries and git */

/* -- Rounds and jobs: pushes that lose the race are decided again this often before one fails. Of a dozen commands at once
 *    one gets through each time. */
#define LIMIT_PUSH_ATTEMPTS 16

#endif
