"""An emulated AWS: two emulators behind one address that says which answers, and corrects what they get wrong."""

from rehearsal.aws.emulated import EmulatedAws, running_emulated_aws

__all__ = ["EmulatedAws", "running_emulated_aws"]
