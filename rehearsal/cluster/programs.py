"""The programs of a rehearsed cluster: which Go modules they come from, and in which version.

Each directory below `programs/` is a Go module that pins what is built from it, with all dependencies, by go.sum.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_MODULES = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Correction:
    """A line of a module's source that would do harm on a person's machine, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Source:
    """What is built from one of our Go modules.

    `directory` is where its go.mod and go.sum lie; `packages` are Go packages by the name of their program; `module` is
    the one whose version counts; `stamps` are the Go variables to which the version is written ({version}, {major},
    {minor}); `manifests` are files of `module` that the cluster needs beside the programs.
    """

    name: str
    directory: Path
    module: str
    packages: dict[str, str]
    stamps: dict[str, str]
    manifests: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def version(self) -> str:
        """The version that go.mod pins, such as "v1.35.4".

        Raises:
            ValueError: go.mod does not require the module.
        """
        return required_version(self.directory / "go.mod", self.module)


CONTROL_PLANE = Source(
    name="control-plane",
    directory=_MODULES / "control-plane",
    module="k8s.io/kubernetes",
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    },
    stamps={
        "k8s.io/component-base/version.gitVersion": "{version}",
        "k8s.io/component-base/version.gitMajor": "{major}",
        "k8s.io/component-base/version.gitMinor": "{minor}",
    },
)
KWOK = Source(
    name="kwok",
    directory=_MODULES / "kwok",
    module="sigs.k8s.io/kwok",
    packages={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    stamps={},
)
KARPENTER = Source(
    name="karpenter",
    directory=_MODULES / "karpenter",
    module="sigs.k8s.io/karpenter",
    packages={"karpenter": "sigs.k8s.io/karpenter/kwok"},
    stamps={"sigs.k8s.io/karpenter/pkg/operator.Version": "{version}"},
    manifests=("kwok/charts/crds/*.yaml", "kwok/apis/crds/*.yaml"),
    corrections=(
        # Its options name ports only, and it would listen on every interface of the machine.
        Correction("pkg/operator/operator.go", 'fmt.Sprintf(":%d"', 'fmt.Sprintf("127.0.0.1:%d"'),
    ),
)
# Nothing is built of it: it speaks to AWS only. Its definitions refuse what the real one would refuse.
KARPENTER_AWS = Source(
    name="karpenter-aws",
    directory=_MODULES / "karpenter-aws",
    module="github.com/aws/karpenter-provider-aws",
    packages={},
    stamps={},
    manifests=("pkg/apis/crds/karpenter.k8s.aws_*.yaml",),
)
RAY_OPERATOR = Source(
    name="ray-operator",
    directory=_MODULES / "ray-operator",
    module="github.com/ray-project/kuberay/ray-operator",
    packages={"ray-operator": "github.com/ray-project/kuberay/ray-operator"},
    stamps={},
    manifests=("config/crd/bases/*.yaml",),
)
SOURCES = (CONTROL_PLANE, KWOK, KARPENTER, KARPENTER_AWS, RAY_OPERATOR)


def required_version(go_mod: Path, module: str) -> str:
    """The version in which `go_mod` requires `module`.

    Raises:
        ValueError: it does not.
    """
    required = re.search(
        rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod.read_text(encoding="utf-8"), re.MULTILINE
    )
    if required is None:
        raise ValueError(f"{go_mod} does not require {module!r}: run `go get {module}@<version>` there")
    return required[1]
