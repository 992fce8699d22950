"""What must go from a cluster before Terraform destroys it: only what runs inside can take it back from AWS.

The order is that of the dependencies: a controller goes after everything whose finalizers only it can take away.
"""

# A pod may take minutes to end, and AWS minutes to delete a load balancer; nothing moves for so long only when stuck.
PATIENCE_SECONDS = 900
