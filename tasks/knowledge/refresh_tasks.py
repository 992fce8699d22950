"""The steps of a refresh as tasks of a flow."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.knowledge.sources import scan_sources
from tasks.refresh import building, examining, rollback
from tasks.refresh.steps import RefreshSteps

# No result is kept: the store itself remembers what was done.
plan = task(task_run_name="plan-refresh", cache_policy=NO_CACHE, persist_result=False)(building.plan)
build = task(task_run_name="build-generation", cache_policy=NO_CACHE, persist_result=False)(building.build)
examine = task(task_run_name="examine-generation", cache_policy=NO_CACHE, persist_result=False)(
    examining.examine_generation
)
promote = task(task_run_name="promote-{generation}", cache_policy=NO_CACHE, persist_result=False)(building.promote)
drop_old_generations = task(task_run_name="drop-old-generations", cache_policy=NO_CACHE, persist_result=False)(
    building.drop_old_generations
)

roll_back = task(task_run_name="roll-back-to-{generation}", cache_policy=NO_CACHE, persist_result=False)(
    rollback.roll_back
)

REFRESH_STEPS = RefreshSteps(scan_sources, plan, build, examine, promote, drop_old_generations)
