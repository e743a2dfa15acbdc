"""What `pawl serve` answers over HTTP: health, readiness, metrics, and errors in Flux v1's form."""

import json
import re
import socket

import pytest

from parts.manifests import workload
from parts.process import free_port


def _start(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})


def test_it_is_alive_at_once_and_ready_when_git_was_fetched(site):
    with site.serve() as daemon:
        assert daemon.http("/healthz")[0] == 200
        daemon.wait_for_log("err=")  # there is no branch yet
        status, _, text = daemon.http("/readyz")
        assert status == 503 and "has not been fetched" in text
        assert daemon.metrics()["flux_git_ready"] == 0
        _start(site)
        daemon.wait_until(lambda: daemon.http("/readyz")[0] == 200, "readiness")
        assert daemon.metrics()["flux_git_ready"] == 1


def test_metrics_tell_of_rounds_scans_and_updates(site):
    _start(site)
    host, image = site.registry.host, f"{site.registry.host}/app"
    with site.serve() as daemon:
        daemon.wait_until(lambda: b":1.1.0 " in (site.applied("web.yaml") or b""), "the commit to be applied")
        values = daemon.wait_until(lambda: (m := daemon.metrics()).get('flux_daemon_sync_duration_seconds_count'
                                                                       '{success="true"}', 0) >= 2 and m, "two syncs")
    name = site.repo.url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    assert values[f'pawl_updates_total{{repository="{name}"}}'] == 1
    assert values[f'pawl_rounds_total{{repository="{name}",result="done"}}'] >= 2
    assert values['flux_daemon_sync_manifests{success="true"}'] == 1
    assert values['flux_daemon_sync_manifests{success="false"}'] == 0
    assert values['flux_daemon_sync_duration_seconds_bucket{success="true",le="+Inf"}'] >= 2
    assert values['flux_client_fetch_duration_seconds_count{kind="tags",success="true"}'] >= 1
    assert values[f'pawl_scans_total{{host="{host}",result="ok"}}'] >= 1
    assert values[f'pawl_registry_requests_total{{host="{host}",kind="tags",status="2xx"}}'] >= 1
    assert values[f'pawl_registry_rate{{host="{host}",bound="now"}}'] > 0
    assert values[f'pawl_registry_response_bytes_total{{host="{host}"}}'] > 0
    assert values[f'pawl_image_tags{{image="{image}"}}'] == 2
    assert 0 <= values[f'pawl_image_answer_age_seconds{{image="{image}"}}'] < 60
    assert values["pawl_images_overdue"] == 0
    assert values['pawl_cache_operations_total{result="write"}'] >= 1
    assert values['pawl_cache_operations_total{result="failure"}'] == 0
    assert values['flux_cache_request_duration_seconds_count{method="SetKey",success="true"}'] >= 1
    assert values['flux_cache_request_duration_seconds_count{method="GetKey",success="false"}'] >= 1  # the first look
    assert values['flux_registry_fetch_duration_seconds_count{success="true"}'] >= 1
    assert values[f'pawl_registry_request_duration_seconds_count{{host="{host}"}}'] == sum(
        value for name, value in values.items() if name.startswith(f'pawl_registry_requests_total{{host="{host}"'))
    assert values['flux_daemon_job_duration_seconds_count{success="true"}'] == 1  # of all rounds, the one that pushed
    assert values['flux_fluxsvc_release_duration_seconds_count'
                  '{release_type="automated",release_kind="execute",success="true"}'] == 1
    assert {name for name in values if name.startswith("flux_fluxsvc_release_stage_duration_seconds_count")} == {
        f'flux_fluxsvc_release_stage_duration_seconds_count{{stage="{stage}"}}'
        for stage in ("select_workloads", "lookup_images", "write_changes")}
    assert values[f'pawl_registry_requests_waiting{{host="{host}"}}'] == 0
    assert f'pawl_registry_requests_in_flight{{host="{host}"}}' in values


def test_the_watchdog_reports_an_image_that_is_not_scanned_once(site):
    _start(site)
    with site.serve("--registry-poll-interval", "300ms") as daemon:
        daemon.wait_until(lambda: daemon.metrics().get(f'pawl_scans_total{{host="{site.registry.host}",result="ok"}}'),
                          "a scan")
        site.registry.stop()
        daemon.wait_for_log(f"component=scanner level=warn event=overdue image={site.registry.host}/app")
        assert daemon.metrics()["pawl_images_overdue"] == 1
        assert daemon.http("/readyz")[0] == 200 and daemon.http("/healthz")[0] == 200
        site.registry.start()
        daemon.wait_for_log("event=answers-again")
        daemon.wait_until(lambda: daemon.metrics()["pawl_images_overdue"] == 0, "the gauge to fall")
    assert daemon.log().count("event=overdue") == 1


def test_an_outage_of_many_images_takes_a_few_lines(site):
    for number in range(25):
        site.push(f"many/app{number}", "1.0.0")
    site.start({f"app{number}.yaml": workload(f"app{number}", site.image(f"many/app{number}", "1.0.0"), policy="semver:1")
                for number in range(25)})
    with site.serve("--registry-poll-interval", "1s") as daemon:
        daemon.wait_until(lambda: sum(value for name, value in daemon.metrics().items()
                                      if name.startswith("pawl_scans_total")) >= 25, "scans")
        site.registry.stop()
        daemon.wait_until(lambda: daemon.metrics()["pawl_images_overdue"] == 25, "all to be overdue")
        site.registry.start()
        daemon.wait_until(lambda: daemon.metrics()["pawl_images_overdue"] == 0, "all to answer again")
    log = daemon.log()
    for event in ("overdue", "answers-again"):
        assert log.count(f"event={event} image=") == 10
        assert sum(map(int, re.findall(rf"event={event} count=(\d+) ", log))) >= 15


@pytest.mark.parametrize("method, path, status, words", [
    ("GET", "/", 404, "API endpoint not found"), ("GET", "/api/flux/v11/services", 404, "API endpoint not found"),
    ("GET", "/metrics/x", 404, "API endpoint not found"), ("POST", "/metrics", 405, "GET, HEAD"),
])
def test_what_is_not_there_is_an_error_as_flux_says_it(site, method, path, status, words):
    _start(site)
    with site.serve() as daemon:
        got, headers, text = daemon.http(path, method=method, body=b"x" if method == "POST" else None)
    assert got == status and headers["Content-Type"] == "application/json; charset=utf-8"
    error = json.loads(text)
    assert error["type"] == ("missing" if status == 404 else "user") and words in error["error"] and error["help"]


def test_a_port_that_is_taken_starts_nothing(site):
    _start(site)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = site.pawl.expect(1, "serve", *site.options, "--listen", f"127.0.0.1:{port}")
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr and "--listen another port" in result.stderr
    assert "event=started" not in result.stderr


@pytest.mark.parametrize("text", ["3030", "localhost", "127.0.0.1:99999", "::1:3030", "127.0.0.1:x", "no such host:1"])
def test_an_address_that_is_none_is_wrong_usage(site, text):
    result = site.pawl.expect(2, "serve", *site.options, "--listen", text)
    assert "--listen" in result.stderr and "event=started" not in result.stderr


@pytest.mark.parametrize("form, target", [(":{}", "127.0.0.1"), (":{}", "::1"), ("[::1]:{}", "::1"),
                                          ("localhost:{}", "localhost")])
def test_forms_of_the_address(site, form, target):
    _start(site)
    port = free_port()
    with site.serve("--listen", form.format(port)) as daemon:
        daemon.wait_for_log("event=listening")
        with socket.create_connection((target, port), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert b" 200 OK" in connection.recv(200)


def test_it_need_not_listen(site):
    _start(site)
    with site.serve("--listen", "none") as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
    assert "event=listening" not in daemon.log()


def test_once_reads_a_file_that_says_where_serve_listens(site, tmp_path):
    _start(site)
    config = tmp_path / "pawl.yaml"
    config.write_text("listen: :1\n")
    site.once("--config", str(config))


def test_who_sends_too_much_does_not_stop_the_others(site):
    _start(site)
    with site.serve() as daemon:
        host, _, port = daemon.address.rpartition(":")
        idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(30)]
        for connection in idle:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nX-A: " + b"a" * 100)
        idle[0].sendall(b"a" * 100_000 + b"\r\n\r\n")
        assert b" 200 " not in idle[0].recv(100)
        assert daemon.http("/healthz")[0] == 200
        for connection in idle:
            connection.close()


def test_held_containers_are_counted_by_cause(site):
    site.push("app", "1.0.0", "1.1.0")
    image = site.image("app", "1.0.0")
    site.start({"locked.yaml": workload("locked", image, policy="semver:1", annotations={"fluxcd.io/locked": "true"}),
                "locked2.yaml": workload("locked2", image, policy="semver:1", annotations={"fluxcd.io/locked": "true"}),
                "policy.yaml": workload("policy", image, policy="semver:foo"),
                "excluded.yaml": workload("excluded", "excluded.test/app:1.0.0", policy="semver:1"),
                "back.yaml": workload("back", site.image("app", "1.2.0"), policy="semver:1")})
    wanted = {"locked": 2, "bad-policy": 1, "excluded": 1, "step-back": 1}
    name = site.repo.url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    with site.serve("--registry-exclude-image", "excluded.test/*") as daemon:
        def counted():
            key = f'pawl_containers_held{{repository="{name}",cause="'
            return {metric.removeprefix(key).removesuffix('"}'): value for metric, value in daemon.metrics().items()
                    if metric.startswith(key) and value}
        daemon.wait_until(lambda: counted() == wanted, f"{wanted}")
        site.repo.commit({"locked2.yaml": workload("locked2", image, policy="semver:1")}, "unlock")
        daemon.wait_until(lambda: counted() == {**wanted, "locked": 1}, "one less that is locked")
    report = site.once("--registry-exclude-image", "excluded.test/*")
    assert {held["cause"] for held in report["held"]} == set(wanted)
