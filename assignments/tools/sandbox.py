"""Run a student's notebook where it can harm nothing: under bubblewrap.

Student code runs as the person who grades. Without a sandbox it can read the hidden tests, rewrite every mark in the
gradebook, and send files away. With it:

- the notebook's kernel sees Python, its packages and `utils`, all read-only, and an empty ``/tmp`` in memory; no home,
  no course, no gradebook, no other submission, not its own notebook file either;
- it has no network, and no other process in sight. It talks to nbgrader, which runs outside with the gradebook, through
  sockets in one folder that is made for this one kernel (transport ``ipc``);
- it dies when nbgrader dies.

What no sandbox can stop: code that changes what the tests of *its own* notebook see, in its own kernel. See
`assignments.tools.submissions.find_flags`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

import utils

MEMORY = 4 * 2**30  # bytes of address space for a kernel
SCRATCH = 256 * 2**20  # bytes in its /tmp

PACKAGE = Path(utils.__file__).resolve().parent

# One thread: a machine that marks a class has other things to do, and each thread takes address space.
ENVIRONMENT = {
    "HOME": "/tmp",
    "IPYTHONDIR": "/tmp/ipython",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": str(PACKAGE.parent),
}


def bwrap_command(folder):
    """Return the beginning of a command line: what follows it runs in the sandbox.

    Parameters
    ----------
    folder : path_like
        The one folder that the sandbox may write to and that outlives it.

    Returns
    -------
    list of str
    """
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    # The system's libraries, wherever it keeps them, and Python with its packages. Later ones may stand inside /tmp.
    for path in ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"):
        command += ["--ro-bind-try", path, path]
    for path in map(str, (sys.base_prefix, sys.prefix, PACKAGE)):
        real = str(Path(path).resolve())
        for place in dict.fromkeys([real, path]):  # Python is started by a name that may lead through a link
            if not place.startswith("/usr/") and place != "/usr":
                command += ["--ro-bind", real, place]
    command += ["--bind", str(folder), str(folder)]
    return [*command, "--dir", "/answers", "--remount-ro", "/", "--chdir", "/answers"]


def why_no_sandbox():
    """Return why no sandbox can be made on this machine, in words that help, or None if one can."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt install bubblewrap; it needs Linux)"
    with tempfile.TemporaryDirectory() as folder:
        trial = [*bwrap_command(folder), sys.executable, "-c", "import ipykernel, utils"]
        try:
            run = subprocess.run(trial, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return "bubblewrap did not answer within a minute"
    if run.returncode == 0:
        return None
    return (
        f"bubblewrap does not work here ({(run.stderr.strip().splitlines() or ['no message'])[-1]}); it needs user "
        "namespaces, which containers and Ubuntu's AppArmor may forbid "
        "(sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)"
    )


class KernelManager(AsyncKernelManager):
    """Starts this Python's kernel, with sockets and connection file in a folder of its own."""

    def __init__(self, **kwargs):
        kwargs.pop("kernel_name", None)  # a kernelspec of that name on this machine could start something else
        super().__init__(**kwargs)
        self._folder = tempfile.mkdtemp(prefix="book-")  # short: the path of a socket has at most 107 characters
        self.transport, self.ip = "ipc", os.path.join(self._folder, "kernel")
        self.connection_file = os.path.join(self._folder, "kernel.json")
        self._kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            interrupt_mode="message",  # a signal would reach bubblewrap, and not the kernel behind it
        )

    async def cleanup_resources(self, restart=False):
        """Remove the folder with everything else."""
        await super().cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)


class SandboxedKernelManager(KernelManager):
    """Starts the kernel under bubblewrap."""

    def format_kernel_cmd(self, extra_arguments=None):
        """Return the kernel's command line, behind that of the sandbox."""
        return [*bwrap_command(self._folder), *super().format_kernel_cmd(extra_arguments)]


class UnprotectedExecute(Execute):
    """Runs a notebook as the person who grades."""

    kernel_manager = KernelManager

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "kernel_manager_class": self.kernel_manager})


class SandboxedExecute(UnprotectedExecute):
    """Runs a notebook in the sandbox, or not at all."""

    kernel_manager = SandboxedKernelManager


class ErrorsAlone(NbGraderPreprocessor):
    """Lets errors cost marks, and nothing else that a tested function prints.

    nbgrader takes anything on stderr for a failure, so a warning of NumPy's would cost the points of a right answer,
    and takes a displayed number for a part of the points.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        """Turn warnings of a code cell into plain output, and what it displays, too."""
        outputs = []
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                output = nbformat.v4.new_output("stream", name="stdout", text=output.text)
            elif output.output_type == "execute_result":
                output = nbformat.v4.new_output("display_data", data=output.data, metadata=output.metadata)
            outputs.append(output)
        if cell.cell_type == "code":
            cell.outputs = outputs
        return cell, resources
