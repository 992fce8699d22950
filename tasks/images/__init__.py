"""The project's images: built where the machine is of their architecture, pushed, indexed, recorded by digest."""
