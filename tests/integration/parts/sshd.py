"""An ssh server of the tests' own for git over ssh."""

import os
import pathlib
import pwd

from parts.process import LOOPBACK, Process, free_port, is_listening, run

PROGRAM = "/usr/sbin/sshd"


class Sshd:
    """sshd as the user who runs the tests, with a host key and one authorized key that are made for it.

    ssh looks for its files in the home folder of the passwd entry, whatever HOME says, so a client must be pointed at
    ours: `environment()` does it for git and for whatever starts ssh as git does.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.host_key = self._make_key("host_key")
        self.client_key = self._make_key("client_key")
        authorized = self.folder / "authorized_keys"
        authorized.write_bytes(self.client_key.with_suffix(".pub").read_bytes())
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text(f"[{LOOPBACK}]:{self.port} {self.host_key.with_suffix('.pub').read_text()}")
        config = self.folder / "sshd_config"
        config.write_text(f"""\
ListenAddress {LOOPBACK}:{self.port}
HostKey {self.host_key}
AuthorizedKeysFile {authorized}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding no
AllowAgentForwarding no
X11Forwarding no
PrintMotd no
PermitUserRC no
AllowUsers {self.user}
LogLevel VERBOSE
""")
        self.client_config = self._client_config("ssh_config", self.known_hosts)
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd as root drops its rights in there
        self.process = Process("sshd", [PROGRAM, "-D", "-e", "-f", config], self.folder)
        self.start()

    def _make_key(self, name):
        path = self.folder / name
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
        return path

    def _client_config(self, name, known_hosts):
        path = self.folder / name
        path.write_text(f"""\
Host *
    IdentityFile {self.client_key}
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
""")
        return path

    def start(self):
        self.process.start(lambda: is_listening(self.port))

    def stop(self):
        self.process.stop()

    def url(self, repo):
        """The ssh:// address of a GitRepo."""
        return f"ssh://{self.user}@{LOOPBACK}:{self.port}{repo.path}"

    def environment(self):
        """What lets ssh in and know the host."""
        return {"GIT_SSH_COMMAND": f"ssh -F {self.client_config}"}

    def stranger_environment(self):
        """What a client has that has never met this host: ssh must refuse."""
        empty = self.folder / "known_hosts.empty"
        empty.touch()
        return {"GIT_SSH_COMMAND": f"ssh -F {self._client_config('ssh_config.stranger', empty)}"}
