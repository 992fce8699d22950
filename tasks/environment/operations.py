"""What looks after an environment on AWS by itself, and when."""

from tasks.environment.schedule import Schedule
from tasks.environment.section import Section


class Schedules(Section):
    """When drift is looked for, secrets are made and renewed, and the bill is read; without a schedule, when asked."""

    cost: Schedule | None = None
    drift: Schedule | None = None
    secrets: Schedule | None = None


class Operations(Section):
    """The upkeep of an environment on AWS."""

    schedules: Schedules
