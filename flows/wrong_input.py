"""What a flow raises when it was asked for something that it cannot do, before anything is touched."""


class WrongInput(ValueError):
    """The parameters or the environment's files are wrong; as a command, a flow exits with 2."""
