/*
 * Manifests: the YAML files of a commit, as resources and the byte spans of the fields that matter.
 *
 * A manifest_file is one file: its text, its YAML documents, and the resources found in them (kinds ending in
 * "List" with items are flattened, one level, as Flux v1 does). All files of a repository are kept, so their trees are
 * not: a node here is a copy of one, alone, and model/manifest_tree.h reads what is in it. Documents without a kind are passed over, and
 * so are a kind with neither apiVersion nor metadata (some program's settings) and kustomize's own files, but for
 * those with images: they are resources that are not applied (model/manifest_kustomization.h). An
 * object that could not be applied (no apiVersion, no name, a generateName) is a problem and no resource.
 * Everything in it is immutable after reading, and counted by reference: the same blob is parsed once and its
 * file shared between commits and rounds (key: blob id and path).
 *
 * A scalar of any file may carry a marker (model/manifest_markers.h): it is then a container of the object around
 * it, or where there is none of a resource that stands for the file. Such a resource is not applied.
 *
 * A manifest_set is all files of one commit below the configured paths, with resources indexed by id and a
 * list of problems. What kustomizations name as their patches are no objects: of them only what has markers is in the
 * set, not applied, and not found by its id, which is that of the object it patches. A problem spoils only what it is about: a broken document, an unreadable image, or every
 * copy of an id that is defined twice. Nothing that has a problem is edited.
 *
 * Which kinds have containers is one table in manifest_kinds.c; adding a kind is one row.
 */
#ifndef MODEL_MANIFEST_H
#define MODEL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/yaml.h"
#include "model/image_ref.h"
#include "model/resource_id.h"

/* Where a chart comes from, as its object says it. */
struct chart_source {
    const char *space, *repository; /* the HelmRepository of a sourceRef */
    const char *name;               /* of the chart; NULL: it is none, or its repository is written out */
};

struct annotation {          /* or a label */
    const char *key, *value; /* kept by the file; a value that is no string is its text */
    int line;
};

/*
 * An image of a workload, or the version of its Helm chart, wherever it is written: as one scalar that holds the whole reference, or as parts, each
 * with a scalar of its own (Helm values, kustomize). Scalars are those that hold the text: for `image: *x` the
 * anchored one.
 */
struct container {
    const char *name; /* kept by the file, as all text here; empty if there is none (then it is a problem) */
    bool is_init;     /* an init container */
    int line;         /* of the image, from 1; of the container if it has none */
    /* The whole reference, or where parts are apart the repository; NULL if there is none (then it is a problem, or
     * a marker names the repository); no scalar if the problem says so. */
    const struct yaml_node *image_node;
    const struct yaml_node *registry_node; /* the host, apart from the rest; NULL: it is in image_node */
    const struct yaml_node *tag_node;      /* NULL: in image_node, or none is written */
    const struct yaml_node *digest_node;   /* NULL: as tag_node */
    const struct yaml_node *
        entry_node; /* the mapping that gets what is missing: newTag and digest of kustomize, tag of values */
    const char
        *entry_name;    /* kustomize: the image that the entry is for; NULL: it is no entry, or has none */
    size_t prefix_len;  /* bytes of image_node's text before the reference ("NAME=" of kustomize) */
    bool is_repository; /* image_node is what charts call `repository`: they add a tag to it by themselves */
    bool is_name_fixed; /* image_node says which images are meant (kustomize's `name`) and must stay */
    bool is_in_list;    /* an item of a pod's list, where kustomize's images reach */
    bool is_alias;      /* one of them is written elsewhere (an alias or a merge key) and shared */
    const char *policy_text;   /* of the marker on its line; NULL: annotations say what its policy is */
    struct chart_source chart; /* of a chart's version whose repository is an object of its own
                                  (model/manifest_chart.h), known in a set alone: in a file `image` has no text, and
                                  no problem */
    const struct resource
        *source;            /* of a chart in a set: its HelmRepository, whose secrets it is asked for with */
    struct image_ref image; /* put together; text NULL if it does not parse; then `problem` says why */
    struct error problem;   /* code ERROR_NONE if there is none */
};

struct resource {
    struct resource_id id;
    const char *api_version, *kind; /* as written; kept by the file, as all text here */
    const struct yaml_node *node;   /* the object's mapping */
    const struct manifest_file *file;
    size_t document;                /* index into the file's documents */
    int line;                       /* where the object starts, from 1 */
    struct annotation *annotations; /* of metadata, in order of the text */
    size_t annotations_len;
    struct annotation *labels; /* the same */
    size_t labels_len;
    struct container *containers; /* in the order of docs/workloads.md; no two good ones of one name */
    size_t containers_len;
    const char **pull_secrets; /* names of its pod's imagePullSecrets, in order; none twice; all valid. Of a
                                  HelmRepository or OCIRepository that of its secretRef. */
    size_t pull_secrets_len;
    const char *service_account; /* of its pod; NULL: none is named, or its name is a problem */
    const char *url;             /* of a HelmRepository; NULL: it has none, or it is something else */
    bool is_workload;            /* of a kind that has containers */
    bool is_applied; /* an object for a cluster; false: input of a tool (kustomize), or a file with markers */
    bool
        is_patch; /* of a kustomization, and so not applied; only in a set's copies. Its id is that of the object
                        that it patches. */
    bool
        is_duplicate; /* the same id exists elsewhere in the set; only in a set's copies. What is not applied never
                          makes a duplicate of what is. */
};

struct manifest_problem {
    char *file;
    int line;       /* from 1; 0: the file as a whole */
    char *workload; /* resource id text; NULL if it is not about one */
    char *message;
    /* What it is known by where it is said once, while numbers in it change; NULL: all of the above. */
    char *topic;
};

void manifest_problem_release(struct manifest_problem *problem);

struct manifest_document {
    size_t start, end; /* bytes of the file, as struct yaml_document has them */
    int line;          /* where it starts, from 1 */
    int error_line;    /* from 1 */
    const char *error; /* why it cannot be read; NULL: it can */
};

struct manifest_file {
    int references; /* atomic */
    char *path;     /* in the repository */
    char *text;
    size_t len;
    struct manifest_document *documents; /* none if nothing could be read */
    size_t documents_len;
    struct resource *resources;
    size_t resources_len;
    const char **below; /* of a kustomization: its resources, then its bases and its components, as written */
    size_t below_len;
    size_t components_at; /* where in `below` the components begin */
    const char **patches; /* of a kustomization: the files of its patches, as written */
    size_t patches_len;
    bool is_values; /* read by manifest_file_new_values */
    struct manifest_problem *problems;
    size_t problems_len, problems_capacity;

    /* The rest is for model/manifest*.c alone. */
    struct yaml_stream *yaml; /* while the file is read; all that is kept by the file is in its arena then */
    struct yaml_node *nodes;  /* those that are kept */
    char *texts;              /* of them and of the resources */
};

/* Reads one file, taking ownership of `text` (`len` bytes and a NUL). Never fails: what is wrong is a problem
 * of the file. `default_space` names the namespace of namespaced objects that have none. One reference. */
struct manifest_file *manifest_file_new(const char *path, char *text, size_t len, const char *default_space);
/* As manifest_file_new, for a file that is no manifest (the values of a Helm chart): only markers in it count. */
struct manifest_file *manifest_file_new_values(const char *path, char *text, size_t len,
                                               const char *default_space);
/* What `file` would be with that text, of which it takes ownership. One reference. */
struct manifest_file *manifest_file_with_text(const struct manifest_file *file, char *text, size_t len,
                                              const char *default_space);
/* A file that could not be read at all, with the one problem that says why. One reference. */
struct manifest_file *manifest_file_unreadable(const char *path, const char *message);
struct manifest_file *manifest_file_ref(struct manifest_file *file);
void manifest_file_unref(struct manifest_file *file); /* NULL does nothing */

struct manifest_set {
    struct manifest_file **files; /* a reference each, in order of their paths */
    size_t files_len, files_capacity;
    struct resource **resources; /* the set's own, in order; what they point at belongs to their files */
    size_t resources_len;
    struct resource *copies;  /* what `resources` points into */
    struct resource **charts; /* of them, those with containers of the set's own (model/manifest_chart.h) */
    size_t charts_len, charts_capacity;
    struct strmap by_id;               /* id text -> struct resource *; without duplicates */
    struct manifest_problem *problems; /* of the files, plus duplicates */
    size_t problems_len, problems_capacity;
};

/* An empty set; add all files (taking over a reference each), then finish it once. */
struct manifest_set *manifest_set_new(void);
void manifest_set_add(struct manifest_set *set, struct manifest_file *file);
/* Sorts, indexes and finds duplicates. The set is immutable afterwards. */
void manifest_set_finish(struct manifest_set *set);
void manifest_set_free(struct manifest_set *set);
void manifest_set_release(struct manifest_set **set); /* for CLEANUP */

/* The resource of that id, or NULL if there is none or more than one. */
const struct resource *manifest_set_find(const struct manifest_set *set, const struct resource_id *id);

/* The first container of that name, or NULL, also where `resource` is NULL. */
const struct container *resource_container(const struct resource *resource, const char *name);

/* The value of an annotation, or NULL. */
const char *resource_annotation(const struct resource *resource, const char *key);

/* True if the resource would have a container of that name if pawl.dev/tag.CONTAINER were set: the version of its chart. */
bool resource_has_chart(const struct resource *resource, const char *container);

/* True for the names that kustomize's own files have. */
bool manifest_path_is_kustomization(const char *path);

/* A path as the name of a resource: dots for slashes, "-" for what a name cannot hold. free() it. */
char *manifest_name_of_path(const char *path);

/* True for *.yaml and *.yml, the files that Flux v1 reads. */
bool manifest_path_is_yaml(const char *path);

#endif
