"""Where the laptop keeps what it makes: everything lies below one directory, which the variable file names."""

from pathlib import Path

from tasks.environment import REPOSITORY, Environment


def data_directory(environment: Environment) -> Path:
    """The absolute path of the environment's data directory.

    Raises:
        ValueError: the environment is not a laptop.
    """
    if environment.laptop is None:
        raise ValueError(f"environment {environment.name.value!r} has no laptop section, so it has no data directory")
    return REPOSITORY / environment.laptop.data_directory


def models_directory(environment: Environment) -> Path:
    """Where the model files lie, a directory each."""
    return data_directory(environment) / "models"


def copies_directory(environment: Environment) -> Path:
    """Where copies of the embedded store's generations lie, a directory each."""
    return data_directory(environment) / "knowledge-copies"


def agent_settings_file(environment: Environment) -> Path:
    """The JSON file that the agent service reads at its start."""
    return data_directory(environment) / "agents.json"


def agent_candidate_file(environment: Environment) -> Path:
    """The settings of an agent service that proves itself before it takes over."""
    return data_directory(environment) / "agents-candidate.json"


def agents_directory(environment: Environment) -> Path:
    """What the agent service keeps between its starts: its database, the copy of it, and the operator's key."""
    return data_directory(environment) / "agents"


def state_file(environment: Environment) -> Path:
    """The SQLite database of the agent service: keys, conversations, budgets."""
    return agents_directory(environment) / "state.db"


def state_copy_file(environment: Environment) -> Path:
    """The copy of it that the last restore drill made."""
    return agents_directory(environment) / "state-copy.db"


def operator_key_file(environment: Environment) -> Path:
    """The key with which flows and commands ask an agent service whose callers sign in."""
    return agents_directory(environment) / "operator-key"


def lifecycle_summary_file(environment: Environment) -> Path:
    """The JSON file in which `lifecycle` leaves what `make up` prints at the end."""
    return data_directory(environment) / "lifecycle.json"
