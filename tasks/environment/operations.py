"""What looks after an environment on AWS by itself, and when."""

from tasks.environment.schedule import Schedule
from tasks.environment.section import Section


class Schedules(Section):
    """When drift is looked for, and when secrets are made and renewed; without a schedule, only when asked."""

    drift: Schedule | None = None
    secrets: Schedule | None = None


class Operations(Section):
    """The upkeep of an environment on AWS."""

    schedules: Schedules
