/*
 * The bodies of webhooks, sender by sender: the functions of the rows in daemon/webhook.c. Each comment names what
 * the fields were taken from.
 */
#ifndef DAEMON_WEBHOOK_BODIES_H
#define DAEMON_WEBHOOK_BODIES_H

#include "daemon/webhook.h"

/* Docker Hub's manual, "Webhooks": push_data.tag, repository.repo_name. */
void webhook_read_dockerhub(const json_t *body, struct push_list *out);
/* GitHub's events registry_package and package, of type CONTAINER: package_version.package_url ("ghcr.io/o/app:1") or
 * namespace and name, and container_metadata.tag.name; older ones have the tag in the URL alone. Owners may be written
 * in capitals, which the registry does not know. */
void webhook_read_github(const json_t *body, struct push_list *out);
/* Quay's manual, "Repository notifications": docker_url, updated_tags. */
void webhook_read_quay(const json_t *body, struct push_list *out);
/* Harbor 2: PUSH_ARTIFACT, event_data.resources[].resource_url; as CloudEvents: harbor.artifact.pushed, data. */
void webhook_read_harbor(const json_t *body, struct push_list *out);
/* Azure Container Registry's webhook reference: action, request.host, target.repository, target.tag. */
void webhook_read_acr(const json_t *body, struct push_list *out);
/* Amazon EventBridge, "ECR Image Action": account, region, detail.repository-name, detail.image-tag. One registry has
 * several host names (dual-stack, FIPS): the push is told of each, since manifests may have any of them. */
void webhook_read_ecr(const json_t *body, struct push_list *out);
/* Google Pub/Sub push: message.data, base64 of {"action": "INSERT", "tag": "host/path:tag"} of the topic "gcr"; or just
 * that, from a subscription with payload unwrapping. */
void webhook_read_gcr(const json_t *body, struct push_list *out);
/* Nexus Repository's component webhook: component.format docker, name, version. It does not name its host. */
void webhook_read_nexus(const json_t *body, struct push_list *out);
/* JFrog's domain docker, events pushed and promoted (into another repository): data.image_name, data.tag. The host is not named, and whether repo_key is
 * in the path depends on how Artifactory is reached, so the image's name alone is compared. */
void webhook_read_jfrog(const json_t *body, struct push_list *out);
/* docker/distribution's notifications: events[] of action push: request.host, target.repository, target.tag. */
void webhook_read_distribution(const json_t *body, struct push_list *out);
/* CDEvents artifact.published and artifact.packaged, bare or in a structured CloudEvent: subject.id, a package URL
 * pkg:oci/NAME@DIGEST?repository_url=HOST/PATH&tag=TAG. */
void webhook_read_cdevents(const json_t *body, struct push_list *out);
/* pawl's own: {"image": "host/path:tag"}, or {"images": [...]}. */
void webhook_read_generic(const json_t *body, struct push_list *out);

#endif
