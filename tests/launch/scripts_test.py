"""The scripts of launch/, with the programs they call replaced: scripts_test.py ROOT."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1)).resolve()

# What the scripts may use of the real machine.
TOOLS = """awk basename bash cat chmod cp dirname env grep mkdir mktemp pgrep realpath rm sleep sort tail
wc""".split()


class ScriptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.quiet_fake("id", "echo 1000")
        self.log = self.folder / "calls"
        self.log.touch()

    def fake(self, name, body=""):
        """A program that writes its name and arguments to the log, then runs `body`."""
        path = self.bin / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >> "$LOG"\n{body}\n')
        path.chmod(0o755)

    def quiet_fake(self, name, body):
        """A program that leaves no trace in the log."""
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def fake_launcher(self, name, unready_s=0):
        """One that dies of SIGUSR1 until its rank is there, as mpirun does while it waits for other
        hosts; then SIGUSR1 makes it end with 75, after a while as a save takes."""
        rank = self.bin / "ballast"
        if not rank.exists():
            rank.symlink_to(shutil.which("sleep"))
        path = self.bin / name
        path.write_text(f"""#!{sys.executable}
import os, signal, subprocess, sys, time
signals = []
signal.signal(signal.SIGUSR1, lambda number, frame: os._exit(244))
log = open(os.environ["LOG"], "a", buffering=1)
log.write("{name} " + " ".join(sys.argv[1:]) + "\\n")
time.sleep({unready_s})
signal.signal(signal.SIGUSR1, lambda number, frame: signals.append(number))
rank = subprocess.Popen(["{rank}", "60"])
log.write("listens\\n")
while not signals: time.sleep(0.01)
time.sleep(0.5)
rank.kill()
sys.exit(75)
""")
        path.chmod(0o755)

    def begin(self, name, *arguments, root=ROOT, **environment):
        self.log.write_text("")
        return subprocess.Popen(
            [self.bin / "bash", root / name, *arguments],
            env={"PATH": str(self.bin), "LOG": str(self.log), "TMPDIR": str(self.folder),
                 **environment},
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def end(self, script):
        self.output, _ = script.communicate(timeout=60)
        self.calls = self.log.read_text().splitlines()
        return script.returncode

    def run_script(self, name, *arguments, **options):
        return self.end(self.begin(name, *arguments, **options))

    def await_call(self, beginning):
        end = time.monotonic() + 60
        while not any(line.startswith(beginning) for line in self.log.read_text().splitlines()):
            self.assertLess(time.monotonic(), end, self.log.read_text())
            time.sleep(0.01)


class Install(ScriptTest):
    def setUp(self):
        super().setUp()
        self.quiet_fake("id", "echo 0")
        self.fake("apt-get")
        self.missing()

    def missing(self, *packages):
        """Everything is installed but these."""
        tests = " ".join(f'[[ $4 == {package} ]] && exit 1;' for package in packages)
        self.quiet_fake("dpkg-query", f"{tests} echo -n 'installed '")

    def without_root(self):
        self.quiet_fake("id", "echo 1000")

    def install_with_tests(self, pip="exit 0"):
        """With a python3 that makes environments in which `pip` is what happens to packages."""
        home = self.folder / "home"
        for part in ["launch", "tests/comparisons"]:
            shutil.copytree(ROOT / part, home / part, dirs_exist_ok=True)
        self.fake("python3", f"""for folder; do :; done
mkdir -p $folder/bin
printf '#!/bin/bash\necho "pip $*" >> "$LOG"\n{pip}\n' > $folder/bin/python
chmod +x $folder/bin/python""")
        self.assertEqual(self.run_script("launch/install.sh", "--tests", root=home), 0, self.output)
        return home / "build/comparisons"

    def test_nothing_is_called_when_all_is_there(self):
        self.assertEqual(self.run_script("launch/install.sh"), 0)
        self.assertEqual((self.calls, self.output), ([], ""))
        self.install_with_tests()
        self.install_with_tests()
        self.assertEqual((self.calls, self.output), ([], ""))

    def test_what_tests_compare_with_is_fetched_into_the_build_folder(self):
        folder = self.install_with_tests()
        self.assertEqual([call.split()[0] for call in self.calls], ["python3", "pip"])
        self.assertTrue(self.calls[0].endswith(str(folder)), self.calls)
        self.assertTrue((folder / "installed.txt").exists())
        (folder / "installed.txt").write_text("others")
        self.install_with_tests()
        self.assertEqual(len(self.calls), 2)

    def test_without_a_package_index_the_installation_ends_well(self):
        folder = self.install_with_tests("echo ERROR: no index; exit 1")
        self.assertIn("skipped: ERROR: no index", self.output)
        self.assertFalse(folder.exists())
        (self.bin / "python3").unlink()
        self.assertEqual(self.run_script("launch/install.sh", "--tests",
                                         root=self.folder / "home"), 0)
        self.assertIn("python3", self.output)

    def test_root_installs_what_is_missing_and_only_that(self):
        self.missing("cmake", "libfmt-dev")
        self.assertEqual(self.run_script("launch/install.sh"), 0, self.output)
        update, install = self.calls
        self.assertTrue(update.endswith(" update"), update)
        self.assertTrue(install.endswith("--no-install-recommends cmake libfmt-dev"), install)

    def test_a_removed_package_with_files_left_counts_as_missing(self):
        self.quiet_fake("dpkg-query", "[[ $4 == cmake ]] && state=config-files; "
                                      "echo -n \"${state-installed} \"")
        self.assertEqual(self.run_script("launch/install.sh"), 0, self.output)
        self.assertTrue(self.calls[1].endswith("--no-install-recommends cmake"), self.calls)

    def test_packages_of_the_tests_only_when_asked(self):
        self.missing("libgtest-dev")
        self.assertEqual(self.run_script("launch/install.sh"), 0)
        self.assertEqual(self.calls, [])
        self.install_with_tests()
        self.assertTrue(self.calls[1].endswith(" libgtest-dev"), self.calls)

    def test_others_use_sudo(self):
        self.without_root()
        self.missing("cmake")
        self.quiet_fake("sudo", '[[ $1 == -n ]] && exit 0; echo "sudo" >> "$LOG"; exec "$@"')
        self.assertEqual(self.run_script("launch/install.sh"), 0, self.output)
        self.assertEqual([call.split()[0] for call in self.calls],
                         ["sudo", "apt-get", "sudo", "apt-get"])

    def expect_list(self):
        self.missing("cmake", "libfmt-dev")
        self.assertEqual(self.run_script("launch/install.sh"), 1)
        self.assertEqual(self.calls, [])
        self.assertIn("\n  cmake\n  libfmt-dev\n", self.output)

    def test_without_root_and_sudo_the_packages_are_listed(self):
        self.without_root()
        self.expect_list()

    def test_a_sudo_that_cannot_ask_counts_as_none(self):
        self.without_root()
        self.quiet_fake("sudo", "exit 1")
        self.expect_list()

    def test_without_apt_the_packages_are_listed(self):
        (self.bin / "apt-get").unlink()
        self.expect_list()

    def test_a_failure_of_apt_is_shown(self):
        self.missing("cmake")
        self.fake("apt-get", "echo E: no such mirror; exit 100")
        self.assertEqual(self.run_script("launch/install.sh"), 1)
        self.assertEqual(len(self.calls), 1)
        self.assertIn("E: no such mirror", self.output)

    def test_an_unknown_option_is_refused(self):
        self.assertEqual(self.run_script("launch/install.sh", "--test"), 2)


class Local(ScriptTest):
    def setUp(self):
        super().setUp()
        self.fake("mpirun", 'echo "threads $OMP_NUM_THREADS" >> "$LOG"; exit ${CODE-0}')
        self.machine(cores=4, processors=8)

    def machine(self, cores, processors, allowed=None):
        self.quiet_fake("nproc", f"[[ ${{1-}} == --all ]] && echo {processors} "
                                 f"|| echo {allowed or processors}")
        lines = "".join(f"{i % cores},0\\n" for i in range(processors))
        self.quiet_fake("lscpu", f"printf '# core,socket\\n{lines}'")

    def flags(self, ranks, **environment):
        code = self.run_script("launch/local.sh", str(ranks), "a.ini", "--optim.lr", "1",
                               BALLAST="/b/ballast", **environment)
        self.assertEqual(code, 0, self.output)
        self.assertEqual(self.calls[1:], ["threads 1"])
        begin, end = f"mpirun -n {ranks} ", " /b/ballast train --config a.ini --optim.lr 1"
        self.assertTrue(self.calls[0].startswith(begin) and self.calls[0].endswith(end), self.calls)
        return self.calls[0][len(begin):-len(end)].replace(
            " --mca btl_vader_single_copy_mechanism none", "")

    def test_a_rank_has_a_core(self):
        self.assertEqual(self.flags(4), "--map-by core --bind-to core")

    def test_then_a_hardware_thread(self):
        self.assertEqual(self.flags(5), "--use-hwthread-cpus --map-by hwthread --bind-to hwthread")

    def test_then_ranks_share(self):
        self.assertIn("--oversubscribe --bind-to none", self.flags(9))
        self.assertIn("9 ranks share 8 processors", self.output)

    def test_no_binding_to_processors_that_are_not_ours(self):
        self.machine(cores=4, processors=8, allowed=2)
        self.assertEqual(self.flags(2), "--oversubscribe --bind-to none")
        self.assertEqual(self.output, "")

    def test_root_is_allowed(self):
        self.quiet_fake("id", "echo 0")
        self.assertEqual(self.flags(1), "--map-by core --bind-to core --allow-run-as-root")

    def test_flags_of_the_caller(self):
        self.assertEqual(self.flags(1, MPIRUN_FLAGS="--tag-output -q"),
                         "--tag-output -q --map-by core --bind-to core")

    def test_the_exit_code_is_passed_on(self):
        self.assertEqual(self.run_script("launch/local.sh", "2", "a.ini", CODE="75"), 75)

    def test_usage(self):
        for arguments in [[], ["2"], ["0", "a.ini"], ["a.ini", "2"]]:
            self.assertEqual(self.run_script("launch/local.sh", *arguments), 2)
            self.assertEqual(self.calls, [])


class Hosts(ScriptTest):
    def test_a_rank_on_each_slot(self):
        self.fake("mpirun")
        self.assertEqual(self.run_script("launch/hosts.sh", "hosts", "a.ini", "--run.seed", "2",
                                         BALLAST="/b/ballast"), 0)
        self.assertEqual(self.calls, [
            "mpirun --hostfile hosts --map-by core --bind-to core -x OMP_NUM_THREADS "
            "/b/ballast train --config a.ini --run.seed 2"])

    def test_usage(self):
        self.assertEqual(self.run_script("launch/hosts.sh", "hosts"), 2)


class Stoppable(ScriptTest):
    """What run_stoppable does for all of them, tried on launch/local.sh."""

    def setUp(self):
        super().setUp()
        self.quiet_fake("nproc", "echo 2")
        self.quiet_fake("lscpu", "printf '0,0\\n1,0\\n'")

    def stop(self, *signals, when="listens"):
        script = self.begin("launch/local.sh", "2", "a.ini", BALLAST="/b/ballast")
        self.await_call(when)
        for number in signals:
            script.send_signal(number)
            time.sleep(0.05)  # so that they do not become one
        return self.end(script)

    def test_each_signal_saves(self):
        self.fake_launcher("mpirun")
        for number in [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
            self.assertEqual(self.stop(number), 75, self.output)

    def test_more_of_them_change_nothing(self):
        self.fake_launcher("mpirun")
        self.assertEqual(self.stop(signal.SIGINT, signal.SIGTERM, signal.SIGINT), 75, self.output)

    def test_one_that_comes_too_early_waits_for_the_ranks(self):
        self.fake_launcher("mpirun", unready_s=1)
        self.assertEqual(self.stop(signal.SIGUSR1, when="mpirun"), 75, self.output)
        self.assertEqual(self.output, "")

    def test_a_rank_that_died_of_it_before_it_began_is_run_again(self):
        self.fake("mpirun", "exit 138")
        self.assertEqual(self.run_script("launch/local.sh", "2", "a.ini"), 75)
        self.assertIn("from the last checkpoint", self.output)

    def test_codes_without_a_signal_are_passed_on(self):
        for code in [0, 1, 2, 3, 4, 70, 137]:
            self.fake("mpirun", f"exit {code}")
            self.assertEqual(self.run_script("launch/local.sh", "2", "a.ini"), code)


class Slurm(ScriptTest):
    SCRIPTS = {
        "launch/slurm.sbatch": "mpirun --map-by core --bind-to core",
        "launch/slurm-srun.sbatch": "srun --mpi=pmix --kill-on-bad-exit=0 --wait=60 "
                                    "--cpu-bind=cores",
    }

    def setUp(self):
        super().setUp()
        (self.folder / "launch").symlink_to(ROOT / "launch")
        self.fake("scontrol")

    def submit(self, script, *words, code=0, **environment):
        """Returns its exit code; `launched` is how the training was, `requeued` whether."""
        self.fake("mpirun", f"exit {code}")
        self.fake("srun", f"exit {code}")
        result = self.run_script(script, "a.ini", *words, SLURM_JOB_ID="77",
                                 SLURMD_NODENAME="node1", **environment)
        self.launched = [call for call in self.calls if "ballast train" in call]
        self.requeued = "scontrol requeue 77" in self.calls
        return result

    def test_a_job_that_ends_ends(self):
        for script, launcher in self.SCRIPTS.items():
            for code in [0, 3]:
                self.assertEqual(self.submit(script, "--run.seed", "2", code=code), code)
                self.assertEqual(self.launched, [
                    f"{launcher} build/release/ballast train --config a.ini --run.seed 2 "
                    "--checkpoint.resume true"])
                self.assertFalse(self.requeued)

    def test_a_job_that_saved_its_state_goes_on(self):
        for script in self.SCRIPTS:
            self.assertEqual(self.submit(script, code=75), 75)
            self.assertTrue(self.requeued)

    def test_a_job_that_was_canceled_does_not_come_back(self):
        for script, launcher in self.SCRIPTS.items():
            self.fake_launcher(launcher.split()[0])
            job = self.begin(script, "a.ini", SLURM_JOB_ID="77", SLURMD_NODENAME="node1")
            self.await_call("listens")
            job.send_signal(signal.SIGTERM)
            self.assertEqual(self.end(job), 75)
            self.assertNotIn("scontrol requeue 77", self.calls)

    def test_a_job_that_may_not_be_queued_again_keeps_its_code(self):
        self.fake("scontrol", "exit 1")
        self.assertEqual(self.submit("launch/slurm.sbatch", code=75), 75)
        self.assertIn("could not be queued again", self.output)

    def test_options_of_the_user_win(self):
        for given in [["--checkpoint.resume", "old/run"], ["--checkpoint.resume=old/run"]]:
            self.submit("launch/slurm.sbatch", *given)
            self.assertTrue(self.launched[0].endswith(" ".join(["a.ini", *given])), self.launched)

    def test_but_a_checkpoint_to_begin_with_is_begun_with_once(self):
        given = ["--checkpoint.resume", "old/run", "--run.seed", "2"]
        (self.folder / "a.ini").write_text('[model]\ndir = no\n[ run ]\n dir = "new run" # mine\n')
        for where in [["--run.dir", "new"], ["--run.dir=new"], []]:
            self.submit("launch/slurm.sbatch", *given, *where, SLURM_RESTART_COUNT="1")
            self.assertIn("--checkpoint.resume old/run", self.launched[0])
            saved = self.folder / ("new" if where else "new run") / "checkpoints/step-3"
            saved.mkdir(parents=True)
            (saved / "manifest.json").touch()
            self.submit("launch/slurm.sbatch", *given, *where, SLURM_RESTART_COUNT="1")
            self.assertTrue(self.launched[0].endswith(
                " ".join(["--config a.ini --run.seed 2", *where, "--checkpoint.resume true"])),
                self.launched)
            shutil.rmtree(saved.parents[1])

    def test_usage(self):
        for script in self.SCRIPTS:
            self.assertEqual(self.run_script(script), 2)


class Quickstart(ScriptTest):
    """On a copy of launch/ with a `ballast` that leaves files where a real one would."""

    BALLAST = r"""#!/bin/bash
echo "ballast $*" >> "$LOG"
while (($#)); do
  case $1 in
    --output) cat > "$2" ;;
    --run.dir) [[ ! -e $2 ]] && mkdir -p "$2" && echo "$RANDOM" > "$2/log.jsonl" ;;
    --checkpoint) [[ -e $2/log.jsonl ]] || exit 3 ;;
  esac
  shift
done
"""

    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        shutil.copytree(ROOT / "launch", self.home / "launch")
        self.quiet_fake("dpkg-query", "echo -n 'installed '")
        self.quiet_fake("nproc", "echo 2")
        self.quiet_fake("lscpu", "printf '0,0\\n1,0\\n'")
        self.quiet_fake("bible", 'echo "text of $*"')
        self.quiet_fake("mpirun", 'while [[ $1 != *ballast ]]; do shift; done; exec "$@"')
        stub = self.folder / "ballast"
        stub.write_text(self.BALLAST)
        stub.chmod(0o755)
        self.quiet_fake("cmake", f"mkdir -p build/release && cp {stub} build/release/ballast")

    def quickstart(self, *arguments):
        return self.run_script("launch/quickstart.sh", *arguments, root=self.home)

    def test_prepares_trains_evaluates_and_generates(self):
        self.assertEqual(self.quickstart(), 0, self.output)
        self.assertEqual([call.split()[1] for call in self.calls],
                         ["prepare", "train", "eval", "generate", "report", "export"])
        self.assertEqual((self.home / "data/bible-2048.h5").read_text(), "text of Gen1:1-Rev22:21\n")
        self.assertIn("The run lies in runs/quickstart:", self.output)

    def test_a_second_call_leaves_the_first_run_alone(self):
        self.quickstart()
        first = (self.home / "runs/quickstart/log.jsonl").read_text()
        for number in [2, 3]:
            self.assertEqual(self.quickstart(), 0, self.output)
            self.assertEqual([call.split()[1] for call in self.calls], ["train", "eval", "generate", "report", "export"])
            self.assertTrue((self.home / f"runs/quickstart-{number}/log.jsonl").exists())
        self.assertEqual((self.home / "runs/quickstart/log.jsonl").read_text(), first)

    def test_the_short_form_leaves_nothing_behind(self):
        before = {path.name for path in self.folder.iterdir()}
        self.assertEqual(self.quickstart("--short"), 0, self.output)
        self.assertIn("--run.steps", self.calls[1])
        self.assertEqual({path.name for path in self.folder.iterdir()}, before)
        self.assertEqual(sorted(os.listdir(self.home)), ["build", "launch"])

    def test_a_failing_stage_ends_it(self):
        self.quiet_fake("mpirun", "exit 70")
        self.assertEqual(self.quickstart(), 70)
        self.assertEqual([call.split()[1] for call in self.calls], ["prepare"])

    def test_usage(self):
        self.assertEqual(self.quickstart("--shorter"), 2)


if __name__ == "__main__":
    unittest.main()
