"""Versions of Helm charts: from registries and from Helm repositories, for every kind that names a chart."""

import json
import pathlib

import pytest

from parts.manifests import line_of
from parts.site import day


def manifest(api_version, kind, name, spec, *, policy="semver:~1.2", annotations=None, namespace="demo"):
    """`spec` are its lines; opted in, with `policy` for the chart."""
    wanted = {"fluxcd.io/automated": "true", **({"pawl.dev/tag.chart": policy} if policy else {}), **(annotations or {})}
    keys = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in wanted.items())
    body = "".join(f"  {line}\n" for line in spec.splitlines())
    return (f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
            f"  annotations:\n{keys}spec:\n{body}")


def release(version, *, source="charts", chart="app", api="helm.toolkit.fluxcd.io/v2", **how):
    spec = (f"interval: 5m   # seldom\nchart:\n  spec:\n    chart: {chart}\n    version: {version}   # the chart's\n"
            f"    sourceRef: {{kind: HelmRepository, name: {source}}}\n")
    return manifest(api, "HelmRelease", "web", spec, **how)


def repository(url, name="charts", *, extra=""):
    return (f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: {name}, namespace: demo}}\n"
            f"spec:\n  interval: 1h\n  url: {url}\n{extra}")


@pytest.fixture
def oci(site):
    """The URL of a repository of charts in the registry; `app` has some versions."""
    for number, version in enumerate(("1.2.0", "1.2.1", "1.3.0", "1.2.2-rc.1")):
        site.registry.push_chart("charts/app", version, created=day(number))
    return f"oci://{site.registry.host}/charts"


@pytest.fixture
def charts(new_chart_repository):
    charts = new_chart_repository()
    charts.add("app", "1.2.0", "1.2.1", "1.3.0", "1.2.2-rc.1")
    charts.add("apps", "9.9.9")
    return charts


def check_only_version_changed(site, before, old="1.2.0", new="1.2.1", *, path="web.yaml", workload):
    report = site.once()
    assert site.repo.read(path).decode() == before.replace(old, new), report
    [change] = report["changes"]
    assert (change["workload"], change["container"], change["line"]) == (workload, "chart", line_of(before, old))
    assert change["from"].endswith(f":{old}") and change["to"].endswith(f":{new}") and report["errors"] == []
    assert site.once()["changes"] == []
    return change


@pytest.mark.parametrize("api", ["v2beta1", "v2beta2", "v2"])
def test_a_helm_release_of_flux_2_follows_a_registry(site, oci, api):
    text = release("1.2.0", api=f"helm.toolkit.fluxcd.io/{api}")
    site.start({"web.yaml": text, "infra/charts.yaml": repository(oci, extra="  type: oci\n")})
    change = check_only_version_changed(site, text, workload="demo:helmrelease/web")
    assert change["from"] == f"{oci}/app:1.2.0"
    assert change["reason"] == "1.2.1 is the highest version that matches semver:~1.2"
    assert site.repo.log()[0].subject == f"Auto-release {oci}/app:1.2.1"


@pytest.mark.parametrize("api", ["v2beta1", "v2"])
def test_a_helm_release_of_flux_2_follows_a_helm_repository(site, charts, api):
    text = release("1.2.0", api=f"helm.toolkit.fluxcd.io/{api}")
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url + "/")})
    change = check_only_version_changed(site, text, workload="demo:helmrelease/web")
    assert change["to"] == f"{charts.url}#app:1.2.1"


@pytest.mark.parametrize("api", ["helm.fluxcd.io/v1", "flux.weave.works/v1beta1"])
def test_a_helm_release_of_the_helm_operator_is_followed(site, charts, api):
    text = manifest(api, "HelmRelease", "web", f"chart:\n  repository: {charts.url}/\n  name: app\n  version: '1.2.0'\n")
    site.start({"web.yaml": text})
    check_only_version_changed(site, text, workload="demo:helmrelease/web")


def source_of_argo(url, version="1.2.0"):
    return f"repoURL: {url}\nchart: app\ntargetRevision: {version}\nhelm: {{releaseName: web}}\n"


def indented(text, first, rest="  "):
    return "".join((first if number == 0 else rest) + line + "\n" for number, line in enumerate(text.splitlines()))


@pytest.mark.parametrize("where", ["registry", "repository"])
@pytest.mark.parametrize("several", [False, True])
def test_an_application_of_argo_cd_is_followed(site, oci, charts, where, several):
    url = oci.removeprefix("oci://") if where == "registry" else charts.url
    spec = "source:\n" + indented(source_of_argo(url), "  ")
    if several:
        spec = ("sources:\n- {repoURL: https://git.example.com/org/values, targetRevision: main, ref: values}\n"
                + indented(source_of_argo(url), "- "))
    text = manifest("argoproj.io/v1alpha1", "Application", "web", f"project: default\n{spec}")
    site.start({"web.yaml": text})
    check_only_version_changed(site, text, workload="demo:application/web")


def test_several_charts_of_an_application_are_called_by_their_names(site, charts):
    charts.add("db", "2.0.0", "2.1.0")
    spec = ("sources:\n" + indented(source_of_argo(charts.url), "- ")
            + indented(source_of_argo(charts.url, "2.0.0").replace("app", "db"), "- "))
    text = manifest("argoproj.io/v1alpha1", "Application", "web", spec, policy=None, annotations={
        "pawl.dev/tag.chart.db": "semver:2"})
    site.start({"web.yaml": text})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("2.0.0", "2.1.0")
    assert [change["container"] for change in report["changes"]] == ["chart.db"]


@pytest.mark.parametrize("api, kind, spec", [
    ("source.toolkit.fluxcd.io/v1", "HelmChart", "chart: app\nversion: 1.2.0\nsourceRef: {kind: HelmRepository, name: charts}\n"),
    ("helm.cattle.io/v1", "HelmChart", "repo: URL\nchart: app\nversion: 1.2.0\n"),
    ("helm.cattle.io/v1", "HelmChart", "chart: OCI/app\nversion: 1.2.0\n"),
    ("source.toolkit.fluxcd.io/v1beta2", "OCIRepository", "url: OCI/app\nref:\n  tag: 1.2.0\n"),
])
def test_other_kinds_that_name_a_chart_are_followed(site, oci, charts, api, kind, spec):
    text = manifest(api, kind, "web", spec.replace("OCI", oci).replace("URL", charts.url))
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    check_only_version_changed(site, text, workload=f"demo:{kind.lower()}/web")


def test_without_the_annotation_a_chart_is_not_touched(site, oci):
    text = release("1.2.0", policy=None)
    start = site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    assert site.once()["changes"] == [] and site.repo.sha() == start
    released = site.pawl.run("release", *site.options[:2], "--all", "--update-all-images")
    assert site.repo.sha() == start, released


@pytest.mark.parametrize("version", ["1.2.x", "'>=1.2.0'", "'1.2'", "'*'", "~1.2.0", "1"])
def test_a_range_is_left_to_helm_and_said(site, oci, version):
    text = release(version)
    start = site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == []
    [error] = report["errors"]
    assert (error["file"], error["workload"]) == ("web.yaml", "demo:helmrelease/web")
    assert version.strip("'") in error["message"] and "range" in error["message"]


def test_a_plus_is_an_underscore_in_the_registry(site, oci):
    site.registry.push_chart("charts/app", "1.2.3+build.5")
    text = release("1.2.0+k8s")
    site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    check_only_version_changed(site, text, "1.2.0+k8s", "1.2.3+build.5", workload="demo:helmrelease/web")


def test_a_source_that_is_not_there_is_said(site, oci):
    start = site.start({"web.yaml": release("1.2.0", source="elsewhere")})
    report = site.once()
    [error] = report["errors"]
    assert site.repo.sha() == start and "demo/elsewhere" in error["message"]
    explained = site.pawl.ok("explain", *site.options[:2], "demo:helmrelease/web", "-o", "json").json
    [container] = explained["containers"] if "containers" in explained else explained
    assert container["container"] == "chart" and container["decision"] == "blocked"


def test_locks_and_windows_hold_a_chart(site, oci):
    start = site.start({"web.yaml": release("1.2.0", annotations={"pawl.dev/locked": "true"}),
                        "charts.yaml": repository(oci)})
    report = site.once()
    assert site.repo.sha() == start
    assert [(held["container"], held["cause"]) for held in report["held"]] == [("chart", "locked")]


def test_settings_for_images_pass_a_chart_by(site, oci):
    text = release("1.2.0", annotations={"pawl.dev/digest": "pin", "pawl.dev/platforms": "linux/arm64"})
    site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    check_only_version_changed(site, text, workload="demo:helmrelease/web")


def test_a_digest_of_the_chart_alone_is_refused(site, oci):
    start = site.start({"web.yaml": release("1.2.0", annotations={"pawl.dev/digest.chart": "pin"}),
                        "charts.yaml": repository(oci)})
    report = site.once()
    assert site.repo.sha() == start and "pawl.dev/digest.chart" in report["errors"][0]["message"]


@pytest.mark.parametrize("where", ["registry", "repository"])
def test_the_newest_chart_by_date_after_a_rest(site, oci, charts, where):
    url = oci if where == "registry" else charts.url
    if where == "registry":
        site.registry.push_chart("charts/app", "1.2.5", created=day(50))
    else:
        charts.add("app", "1.2.5", created=day(50).isoformat())
    text = release("1.2.0", policy="glob:1.2.*", annotations={"pawl.dev/min-age": "7d"})
    site.start({"web.yaml": text, "charts.yaml": repository(url)})
    check_only_version_changed(site, text, "1.2.0", "1.2.5", workload="demo:helmrelease/web")


def test_what_a_person_took_back_stays_taken_back(site, oci):
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    assert site.once()["commit"]
    back = site.repo.commit({"web.yaml": text}, "back")
    assert [held["cause"] for held in site.once()["held"]] == ["reverted"] and site.repo.sha() == back
    site.registry.push_chart("charts/app", "1.2.7")
    assert site.once()["commit"] and "version: 1.2.7 " in site.repo.read("web.yaml").decode()


def test_history_and_rollback_know_charts(site, charts):
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    assert site.once()["commit"]
    history = site.pawl.ok("history", *site.options[:2], "demo:helmrelease/web").stdout
    assert "1.2.0" in history and "1.2.1" in history
    site.pawl.ok("rollback", *site.options[:2], "demo:helmrelease/web")
    assert site.repo.read("web.yaml").decode() == text
    assert [held["cause"] for held in site.once()["held"]] == ["reverted"]


def test_a_version_is_promoted(site, oci):
    """The HelmRepository is outside of the paths that are promoted."""
    production = release("1.2.0", namespace="prod").replace("name: charts}", "name: charts, namespace: demo}")
    site.start({"staging/web.yaml": release("1.3.0+b"), "production/web.yaml": production,
                "infra/charts.yaml": repository(oci)})
    result = site.pawl.ok("promote", "--git-url", site.url, "-n", "prod", "staging", "production")
    assert site.repo.read("production/web.yaml").decode() == production.replace("1.2.0", "1.3.0+b"), result


@pytest.mark.parametrize("where", ["registry", "repository"])
def test_commands_show_and_release_charts(site, oci, charts, where):
    url, name = (oci, f"{oci}/app") if where == "registry" else (charts.url, f"{charts.url}#app")
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(url)})
    git = site.options[:2]
    assert f"{name}:1.2.0" in site.pawl.ok("list-workloads", *git, "-a").stdout
    listed = site.pawl.ok("list-images", *git, "-a").stdout
    assert "1.2.1" in listed and "01 Jan 24" in listed
    assert "1.2.1" in site.pawl.ok("explain", *git, "demo:helmrelease/web").stdout
    tags = site.pawl.expect(3, "tags", f"{name}:1.2.0", "--policy", "semver:~1.2", "-o", "json").json
    assert tags["chosen"] == "1.2.1" and len(tags["tags"]) == 4
    refused = site.pawl.expect(1, "release", *git, "--workload", "demo:helmrelease/web", "--update-image", f"{name}:7.7.7")
    assert "7.7.7" in refused.stdout + refused.stderr
    site.pawl.ok("release", *git, "--workload", "demo:helmrelease/web", "--update-image", f"{name}:1.3.0", "--force")
    assert site.repo.read("web.yaml").decode() == text.replace("1.2.0", "1.3.0")


def test_set_image_writes_a_version(pawl, tmp_path):
    (tmp_path / "web.yaml").write_text(release("1.2.0"))
    (tmp_path / "charts.yaml").write_text(repository("oci://ghcr.io/org/charts"))
    pawl.ok("set-image", "-f", tmp_path, "demo:helmrelease/web", "chart=oci://ghcr.io/org/charts/app:1.9.0+a")
    assert (tmp_path / "web.yaml").read_text() == release("1.2.0").replace("1.2.0", "1.9.0+a")


@pytest.mark.parametrize("flag, text", [("--set", "tag.chart=semver:~1.2"), ("--tag", "chart=semver:~1.2")])
def test_a_policy_by_command_opts_a_chart_in(site, oci, flag, text):
    site.start({"web.yaml": release("1.2.0", policy=None), "charts.yaml": repository(oci)})
    refused = site.pawl.expect(1, "policy", *site.options[:2], "-w", "demo:helmrelease/web", "--tag", "chart.x=semver:1")
    assert "container(s) not found: chart.x" in refused.stdout
    site.pawl.ok("policy", *site.options[:2], "-w", "demo:helmrelease/web", flag, text)
    assert site.once()["commit"] and "version: 1.2.1 " in site.repo.read("web.yaml").decode()


def test_a_container_of_the_values_called_chart_keeps_its_name(site, oci):
    site.push("team/chart", "1.2.0", "1.2.9")
    text = release("1.2.0", chart="app") + f"  values:\n    chart:\n      image: {site.image('team/chart', '1.2.0')}\n"
    site.start({"web.yaml": text, "charts.yaml": repository(oci)})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("team/chart:1.2.0", "team/chart:1.2.9"), report
    assert [change["container"] for change in report["changes"]] == ["chart"] and report["errors"] == []


@pytest.mark.parametrize("where", ["registry", "repository"])
def test_a_marker_follows_a_version_too(site, oci, charts, where):
    name = f"{oci}/app" if where == "registry" else f"{charts.url}#app"
    text = release("1.2.0", policy=None).replace("# the chart's", f"# pawl: {name} semver:~1.2")
    site.start({"web.yaml": text})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("version: 1.2.0", "version: 1.2.1"), report


# The index of a Helm repository


def test_an_index_is_asked_for_once_for_all_its_charts(site, charts):
    files = {"charts.yaml": repository(charts.url)}
    for number in range(5):
        charts.add(f"app-{number}", "1.2.0", "1.2.1")
        files[f"{number}.yaml"] = release("1.2.0", chart=f"app-{number}").replace("name: web", f"name: web-{number}")
    site.start(files)
    assert len(site.once()["changes"]) == 5
    assert [request.status for request in charts.requests] == [200]
    charts.requests.clear()
    assert site.once()["changes"] == []
    assert [request.status for request in charts.requests] == [304]


def test_a_date_will_do_where_there_is_no_etag(site, new_chart_repository):
    charts = new_chart_repository("", validators=("Last-Modified",))
    charts.add("app", "1.2.0", "1.2.1")
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    check_only_version_changed(site, text, workload="demo:helmrelease/web")
    assert [request.status for request in charts.requests] == [200, 304]
    charts.add("app", "1.2.2")
    assert site.once()["commit"] and charts.requests[-1].status == 200


def test_the_daemon_asks_for_an_index_once_an_interval(site, charts):
    files = {"charts.yaml": repository(charts.url)}
    for number in range(6):
        charts.add(f"app-{number}", "1.2.0")
        files[f"{number}.yaml"] = release("1.2.0", chart=f"app-{number}").replace("name: web", f"name: web-{number}")
    site.start(files)
    with site.pawl.serve(*site.options, "--git-poll-interval", "200ms", "--registry-poll-interval", "2s") as daemon:
        daemon.wait_until(lambda: len(charts.requests) >= 4, "four requests", timeout=40)
        assert sum(request.status == 200 for request in charts.requests) == 1, charts.requests
        before = len(charts.requests)
        for number in range(6):
            charts.add(f"app-{number}", "1.2.1")
        daemon.wait_until(lambda: all("version: 1.2.1 " in site.repo.read(f"{number}.yaml").decode()
                                      for number in range(6)), "all six", timeout=40)
        assert sum(request.status == 200 for request in charts.requests[before:]) <= 2, charts.requests


def test_most_versions_gone_is_not_believed_at_once(site, charts):
    charts.add("app", *(f"1.2.{number}" for number in range(10, 40)))
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    assert site.once()["commit"]
    charts.remove("app", *(f"1.2.{number}" for number in range(10, 40)))
    start = site.repo.commit({"web.yaml": text}, "Ann goes back")
    report = site.once()
    assert site.repo.sha() == start
    explained = site.pawl.ok("explain", *site.options[:2], "demo:helmrelease/web", "-o", "json").stdout
    assert "shrunken-list" in explained, (report, explained)


def test_a_repository_wants_credentials(site, new_chart_repository):
    charts = new_chart_repository(user="robot", password="secret")
    charts.add("app", "1.2.0", "1.2.1")
    text = release("1.2.0")
    start = site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    assert site.once(rc=1)["changes"] == [] and site.repo.sha() == start
    site.pawl.docker_login(charts.host, "robot", "secret")
    check_only_version_changed(site, text, workload="demo:helmrelease/web")


def test_a_password_in_a_url_is_refused(site, charts):
    url = charts.url.replace("http://", "http://me:secret@")
    site.start({"web.yaml": release("1.2.0"), "charts.yaml": repository(url)})
    [error] = site.once()["errors"]
    assert "password" in error["message"] and charts.requests == []


@pytest.mark.parametrize("text, words", [
    ("<html>not here</html>\n", "entries"), ("entries:\n  other:\n  - version: 1.2.1\n", "no chart app"),
    ("entries: {}\n", "no chart app"), ("entries:\n  app: none\n", "no list"), ("", "entries"), ("entries: [\n", "index"),
])
def test_what_is_no_index_is_said(site, charts, text, words):
    charts.text = text
    start = site.start({"web.yaml": release("1.2.0"), "charts.yaml": repository(charts.url)})
    report = site.once(rc=1)
    assert site.repo.sha() == start and words in json.dumps(report) + site.result.stderr


def test_an_index_in_json_is_read(site, charts):
    charts.text = json.dumps({"apiVersion": "v1", "entries": {"app": [{"version": "1.2.1"}, {"version": "1.2.0"}]}})
    text = release("1.2.0")
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    check_only_version_changed(site, text, workload="demo:helmrelease/web")


def test_a_large_index_is_read(site, charts):
    for number in range(400):
        charts.add(f"filler-{number}", *(f"{version}.0.0" for version in range(60)))
    text = release("1.2.0")
    assert len(charts.index()) > 6 << 20
    charts.text = charts.index().replace("  app:", "".join(f"  a{number}:\n" + "  - version: 1.0.0\n    description: "
                                                             + "x" * 1000 + "\n" for number in range(9000)) + "  app:")
    assert len(charts.index()) > 15 << 20
    site.start({"web.yaml": text, "charts.yaml": repository(charts.url)})
    check_only_version_changed(site, text, workload="demo:helmrelease/web")


def test_the_cache_shows_charts(site, charts):
    site.start({"web.yaml": release("1.2.0"), "charts.yaml": repository(charts.url)})
    site.once()
    name = f"{charts.host}/stable#app"
    assert name in site.pawl.ok("cache", "ls").stdout
    for image in (name, f"{charts.url}#app"):
        assert "1.2.1" in site.pawl.ok("cache", "inspect", image).stdout


def test_a_list_with_its_helm_repository_and_a_set_of_applications(site, charts):
    items = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (release("1.2.0"), repository(charts.url)))
    application = manifest("argoproj.io/v1alpha1", "ApplicationSet", "apps",
                           "generators: []\ntemplate:\n  metadata: {name: '{{name}}'}\n  spec:\n    source:\n"
                           + indented(source_of_argo(charts.url), "      ", "      "))
    files = {"list.yaml": f"apiVersion: v1\nkind: List\nitems:\n{items}", "apps.yaml": application}
    site.start(files)
    report = site.once()
    assert report["errors"] == [] and len(report["changes"]) == 2
    for path, text in files.items():
        assert site.repo.read(path).decode() == text.replace("1.2.0", "1.2.1")


def test_no_file_of_a_chart_is_left(site, charts):
    """Nothing but records of the cache is kept of an index."""
    site.start({"web.yaml": release("1.2.0"), "charts.yaml": repository(charts.url)})
    site.once()
    assert not [path for path in pathlib.Path(site.pawl.home).rglob("index.yaml")]
