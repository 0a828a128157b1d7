"""A Slurm of one node on this machine, from Debian's packages, for as long as a test needs it.

It needs root, and ``/etc/slurm/slurm.conf`` for itself: jobs look nowhere else. Daemons are
stopped by their own process ids.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "munged", "munge")
CONF = Path("/etc/slurm/slurm.conf")
CGROUP_CONF = CONF.parent / "cgroup.conf"

SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def obstacle() -> str | None:
    """Why such a Slurm cannot be started here; None if it can."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if absent:
        return f"needs Debian's slurmctld slurmd slurm-client munge (no {', '.join(absent)})"
    if os.geteuid() != 0:
        return "needs root, to write /etc/slurm/slurm.conf"
    return f"{CONF} is there: this machine has a Slurm of its own" if CONF.exists() else None


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[None]:
    """Start munge and Slurm with all their files in ``folder``; stop them and leave nothing."""
    host = socket.gethostname().split(".")[0]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    with ExitStack() as stack:
        _start_munge(folder, stack)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        cpus = max(os.cpu_count() or 1, 2)
        text = SETTINGS.format(host=host, folder=folder, cpus=cpus, memory=memory)
        for path, content in ((CONF, text), (CGROUP_CONF, "CgroupPlugin=cgroup/v1\n")):
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
            stack.callback(path.unlink)
        for daemon in ("slurmctld", "slurmd"):
            # -D keeps the daemon our own child; in a session of its own Ctrl-C does not reach it.
            log = stack.enter_context((folder / f"{daemon}.out").open("w"))
            started = subprocess.Popen(
                [f"/usr/sbin/{daemon}", "-D"], stdout=log, stderr=log, start_new_session=True
            )
            stack.callback(_stop, started)
        stack.callback(subprocess.run, ["timeout", "20", "scancel", "--user", "root"], check=False)
        _wait_for_node(folder)
        yield


def _start_munge(folder: Path, stack: ExitStack) -> None:
    """A munge daemon of our own: its own key and socket, as the user that may run it."""
    user = pwd.getpwnam("munge")
    home = Path("/run/munge-of-test")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o755)
    stack.callback(shutil.rmtree, home)
    key = home / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for path in (home, key):
        os.chown(path, user.pw_uid, user.pw_gid)
    command = ["/usr/sbin/munged", "--foreground", f"--key-file={key}"]
    command += [f"--{kind}-file={home}/munged.{kind}" for kind in ("pid", "log", "seed")]
    command += [f"--socket={home}/munge.socket"]
    log = stack.enter_context((folder / "munged.out").open("w"))
    started = subprocess.Popen(
        command,
        stdout=log,
        stderr=log,
        user=user.pw_uid,
        group=user.pw_gid,
        start_new_session=True,
    )
    stack.callback(_stop, started)
    (folder / "munge.socket").symlink_to(home / "munge.socket")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_node(folder: Path) -> None:
    for _ in range(60):
        seen = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False
        )
        if seen.stdout.strip() == "idle":
            return
        time.sleep(1)
    logs = "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.out")))
    raise RuntimeError(f"Slurm did not start:\n{seen.stdout}{seen.stderr}\n{logs}")
