/*
 * The paths by which kustomizations name files and directories.
 */
#ifndef MODEL_KUSTOMIZE_PATH_H
#define MODEL_KUSTOMIZE_PATH_H

/* "a/b" and "../c/./d.yaml" are "a/c/d.yaml"; NULL if it leads out of the repository. free() it. */
char *kustomize_path_join(const char *directory, const char *path);

/* "a/b" of "a/b/c.yaml"; "" of "c.yaml". free() it. */
char *kustomize_path_directory(const char *path);

#endif
