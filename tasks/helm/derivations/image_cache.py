"""Where images of public registries are pulled from: the environment's pull-through cache, where it has one."""

from tasks.helm.derivations.derivation import Outputs


def cached_registry(outputs: Outputs, registry: str) -> str:
    """What a repository of `registry` starts with when it is pulled; the registry itself where nothing caches it."""
    caches: dict[str, str] = outputs["data"]["pull_through"]
    return caches.get(upstream_of(registry), registry)


def upstream_of(registry: str) -> str:
    """A registry as ECR calls it: Docker Hub is known under another name to people."""
    return "registry-1.docker.io" if registry == "docker.io" else registry


def cached_image(outputs: Outputs, repository: str) -> str:
    """A repository such as `quay.io/kuberay/operator` as it is to be pulled from."""
    registry, _, name = repository.partition("/")
    return f"{cached_registry(outputs, registry)}/{name}"
