"""What a rehearsal does with each stage, and what it expects of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType

from rehearsal.aws import EmulatedAws
from rehearsal.aws.not_creatable import not_creatable
from rehearsal.clients import client_of
from rehearsal.deployment_runs import DeploymentRun, StageFailed, start_run
from rehearsal.prefect_server import run_console
from rehearsal.report import Report
from rehearsal.stand_in_outputs import complete_outputs
from rehearsal.supplied_secrets import supply_secrets
from rehearsal.variable_files import lift_protection
from tasks.environment import Environment
from tasks.resource_names import name_prefix

# Seconds; a busy machine takes four times what an idle one does.
PLANNED_WITHIN_SECONDS = 1800
APPLIED_WITHIN_SECONDS = 1800
REFUSED_WITHIN_SECONDS = 180
APPROVER = "rehearsal-approver"
REQUESTER = "rehearsal-requester"
# Every node pool gives nodes within a minute here; a release that does not come up holds its deadline.
ROLLED_OUT_WITHIN_SECONDS = 1800
SEARCH_DOMAIN = "aws_opensearch_domain"


class Stage(StrEnum):
    """The stages that can be rehearsed."""

    PROVISION = "provision"
    ADDONS = "addons"
    MODELS = "models"
    KNOWLEDGE = "knowledge"
    AGENTS = "agents"
    DRIFT = "drift"
    TEARDOWN = "teardown"


ROLLED_OUT = (Stage.ADDONS, Stage.MODELS, Stage.KNOWLEDGE, Stage.AGENTS)


@dataclass(frozen=True)
class Rehearsal:
    """One environment on an emulated AWS; `environment` is what the flows run in, `variable_file` the copy in use."""

    settings: Environment
    aws: EmulatedAws
    client: SyncPrefectClient
    api_url: str
    environment: Mapping[str, str]
    variable_file: Path
    report: Report

    def run(self, stage: Stage) -> None:
        """Rehearse one stage.

        Raises:
            StageFailed: it did not do what is expected of it.
        """
        stages: Mapping[Stage, Callable[[], None]] = {
            Stage.PROVISION: self._provision,
            **{each: partial(self._roll_out, each) for each in ROLLED_OUT},
            Stage.DRIFT: self._drift,
            Stage.TEARDOWN: self._teardown,
        }
        stages[stage]()

    def _provision(self) -> None:
        self._apply_approved_plan()
        self.report.add_resources(self.aws, self.settings)
        if supplied := supply_secrets(self.settings, self.aws):
            self.report.left_out(f"secrets {', '.join(supplied)}", "a value was made up, as nobody supplied one")
        if completed := complete_outputs(self.settings):
            self.report.left_out(f"outputs {', '.join(completed)}", "no emulator creates what they describe")

    def _apply_approved_plan(self) -> None:
        run = self._start(Stage.PROVISION, {"requested_by": REQUESTER})
        run.wait(StateType.PAUSED, PLANNED_WITHIN_SECONDS)
        self.report.show(str(run.table("plan")))
        approver = self._approver if self.settings.environment.protected else self.environment
        answered = run_console(
            ("approve", str(run.id), "--yes", "--approver", APPROVER, "--api-url", self.api_url), approver
        )
        if answered.returncode:
            raise StageFailed(f"{run.name} was not approved:\n{answered.stdout}{answered.stderr}")
        run.wait(StateType.COMPLETED, APPLIED_WITHIN_SECONDS)
        self.report.proved(run.name, "suspended with the plan, was approved, applied it and published the outputs")

    def _roll_out(self, stage: Stage) -> None:
        if stage is Stage.KNOWLEDGE and SEARCH_DOMAIN in {entry.type for entry in not_creatable()}:
            self.report.left_out(f"knowledge/{self.settings.name.value}", f"it writes to an {SEARCH_DOMAIN}")
            return
        run = self._start(stage, {})
        state = run.settled(ROLLED_OUT_WITHIN_SECONDS)
        if state.type is not StateType.COMPLETED:
            raise StageFailed(f"{run.name} is {state.name!r}: {state.message}")
        rows = json.loads(str(run.table("releases")))
        self.report.add_releases(rows)
        self.report.proved(run.name, f"rolled out {len(rows)} releases" if rows else "found no release to roll out")

    def _drift(self) -> None:
        run = self._start(Stage.DRIFT, {})
        run.wait(StateType.COMPLETED, PLANNED_WITHIN_SECONDS)
        self.report.proved(run.name, "found no difference after provision")
        bucket = self._knowledge_bucket
        self._set_versioning(bucket, "Suspended")
        try:
            run = self._start(Stage.DRIFT, {})
            state = run.wait(StateType.FAILED, PLANNED_WITHIN_SECONDS)
        finally:
            self._set_versioning(bucket, "Enabled")
        if "aws_s3_bucket_versioning" not in (state.message or ""):
            raise StageFailed(f"{run.name} failed, but not for the versioning that was suspended: {state.message}")
        self.report.proved(run.name, f"found that the versioning of {bucket!r} was suspended by hand, and failed")

    def _teardown(self) -> None:
        confirm = {"confirm": self.settings.name.value}
        if self.settings.environment.protected:
            run = self._start(Stage.TEARDOWN, confirm)
            state = run.wait(StateType.FAILED, REFUSED_WITHIN_SECONDS)
            if "is protected" not in (state.message or ""):
                raise StageFailed(f"{run.name} failed, but not because of the protection: {state.message}")
            self.report.proved(run.name, "refused, because the environment is protected")
            lift_protection(self.variable_file)
            self._apply_approved_plan()
            self.report.proved(f"provision/{self.settings.name}", "lifted the protection, as an operator would")
        # A bucket that was used does not go by itself.
        client_of(self.aws, "s3").put_object(Bucket=self._knowledge_bucket, Key="documents/any.md", Body=b"any")
        run = self._start(Stage.TEARDOWN, confirm)
        run.wait(StateType.COMPLETED, APPLIED_WITHIN_SECONDS)
        self.report.proved(run.name, "removed everything, and found nothing left by tag or by state")

    @property
    def _knowledge_bucket(self) -> str:
        return f"{name_prefix(self.settings.name)}-knowledge-{self.aws.account_id}"

    def _start(self, stage: Stage, parameters: Mapping[str, object]) -> DeploymentRun:
        self.report.step(f"{stage.value}/{self.settings.name.value}")
        return start_run(self.client, self.settings.name, stage.value, parameters)

    @cached_property
    def _approver(self) -> dict[str, str]:
        """What a second person's shell holds: an AWS identity other than the worker's."""
        iam = client_of(self.aws, "iam")
        iam.create_user(UserName=APPROVER)
        key = iam.create_access_key(UserName=APPROVER)["AccessKey"]
        return {
            **self.environment,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def _set_versioning(self, bucket: str, status: str) -> None:
        client_of(self.aws, "s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
