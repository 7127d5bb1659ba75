"""Operations that a network takes, as the field counts them: a multiply-add is two, forward as well as backward."""


def of_training(multiply_adds: float) -> float:
    """Operations of one picture's part in a training step.

    The way back takes twice the way forward: once for what came in, once for the weights.

    Parameters
    ----------
    multiply_adds: of its way forward.
    """
    return 2 * multiply_adds * (1 + 2)
