"""The guard of the stages that, in this version, know only the laptop."""

from flows.wrong_input import WrongInput
from tasks.environment import EnvironmentName


class EnvironmentNotSupported(WrongInput):
    """The stage cannot take this environment in this version."""


def require_local(stage: str, environment: EnvironmentName) -> None:
    """Refuse every environment but `local`, before anything is touched.

    Raises:
        EnvironmentNotSupported: `environment` is another one.
    """
    if environment is not EnvironmentName.LOCAL:
        raise EnvironmentNotSupported(
            f"{stage} supports environment 'local' only in this version, got {environment.value!r}; nothing was changed"
        )
