"""A refresh as a RayJob of KubeRay: what it is made of, how it is followed, and how it is taken up again or removed."""
