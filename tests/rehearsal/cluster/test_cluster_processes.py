import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rehearsal.cluster.processes import ClusterFailed, Command, running, wait_until

SLEEP = Command("sleep", Path("/bin/sleep"), ["600"])


def test_a_process_ends_with_its_block(tmp_path: Path) -> None:
    with running(SLEEP, tmp_path) as sleeping:
        assert sleeping.process.poll() is None

    assert sleeping.process.poll() is not None


def test_a_process_ends_when_the_one_that_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom rehearsal.cluster.processes import Command, running\n"
        "with running(Command('sleep', Path('/bin/sleep'), ['600']), Path(sys.argv[1])) as sleeping:\n"
        "    print(sleeping.process.pid, flush=True)\n    sys.stdin.read()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    sleeping = psutil.Process(int(starter.stdout.readline()))

    starter.kill()
    starter.communicate(timeout=60)

    assert psutil.wait_procs([sleeping], timeout=60)[1] == []


def test_a_process_that_ends_early_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    failing = Command("etcd", Path("/bin/sh"), ["-c", "echo no space left; exit 3"])

    with (
        running(failing, tmp_path) as process,
        pytest.raises(ClusterFailed, match=r"'etcd' \(exit code 3\), whose log ends:\nno space left"),
    ):
        wait_until(lambda: False, process)
