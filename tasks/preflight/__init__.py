"""What AWS must grant before an environment is planned; everything here only reads."""

from tasks.preflight.finding import NotReady, PreflightFinding, require_ready, rows
from tasks.preflight.run import preflight

__all__ = ["NotReady", "PreflightFinding", "preflight", "require_ready", "rows"]
