"""What AWS must grant before an environment is planned; everything here only reads."""

from tasks.preflight.finding import NotReady, PreflightFinding, findings_page, require_ready
from tasks.preflight.run import preflight

__all__ = ["NotReady", "PreflightFinding", "findings_page", "preflight", "require_ready"]
