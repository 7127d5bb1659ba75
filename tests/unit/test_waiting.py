"""A training step asks for no number that a GPU would have to be waited for: none is read, none is made from Python's.

Tests need no GPU: the operations that would wait for one are looked for in a step on the processor. Copies between
devices are not seen that way, nor what Lightning does around a step.
"""

from collections import Counter

import lightning.pytorch as lightning
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ferbook.core import constants
from ferbook.learning import configs, task_base, training
from ferbook.learning.tasks import TASKS
from ferbook.vision import appended

# Reading a value, counting what is true, and copying numbers of Python's to the device.
WAITING = {f"aten::{name}" for name in ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "lift_fresh")}
FACES = 32
SMALL = {"model": {"name": "compact", "options": {"width": 0.25}}, "batch": 16}
AUGMENTATION = [
    {"name": "flip"},
    {"name": "affine", "degrees": 8, "translate": 0.05, "scale": 0.08},
    {"name": "crop", "size": 44, "pad": 2},
    {"name": "warp", "strength": 0.02},
    {"name": "contrast", "limit": 0.1},
    {"name": "brightness", "limit": 0.1},
    {"name": "noise", "deviation": 0.1},
    {"name": "erase"},
]


class Watch(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.name()
        masks = name == "aten::index.Tensor" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if name in WAITING or masks:
            self.found[name] += 1
        return operation(*args, **(kwargs or {}))


def waits(asked, copies=False, steps=3):
    """For each step, the operations that would wait, and how often."""
    config = configs.parse(asked)
    drawn = torch.Generator().manual_seed(0)
    images = torch.randint(256, (FACES, 1, 48, 48), dtype=torch.uint8, generator=drawn)
    target = torch.rand(FACES, 8, generator=drawn).softmax(1)
    if config.task == "vad":
        target = torch.cat([target, torch.rand(FACES, 3, generator=drawn)], 1)
    index = appended.Appended.full(FACES, appended.ordinary(20)) if copies else None
    task = TASKS[config.task](config, {"train": (images, target)}, total_steps=steps, copies=index)
    found = []

    class Looking(lightning.Callback):
        def on_train_batch_start(self, *_):
            self.watch = Watch()
            self.watch.__enter__()

        def on_train_batch_end(self, *_):
            self.watch.__exit__(None, None, None)
            found.append(dict(self.watch.found))

    with training.quiet():
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_steps=steps,
            callbacks=[Looking()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(task, task_base.Batches(FACES if index is None else len(index), config.batch, task))
    return found


@pytest.fixture
def elsewhere(monkeypatch):
    """As if the processor were a GPU."""
    monkeypatch.setattr(constants, "_is_elsewhere", lambda device: True)
    monkeypatch.setattr(task_base.Task, "_is_on_gpu", lambda self: True)


@pytest.mark.parametrize(
    ("asked", "copies"),
    [
        (SMALL | {"augmentation": AUGMENTATION, "ema": 0.99, "schedule": {"name": "one_cycle"}}, False),
        (SMALL | {"loss": "mse", "early": {"side": 32, "share": 0.5}}, True),
        (SMALL | {"loss": "label_draw", "optimiser": {"name": "sgd", "lr": 0.1}}, False),
        (SMALL | {"task": "multilabel", "loss": "binary_cross_entropy"}, False),
        (SMALL | {"task": "vad", "vad": {"consistency": "table"}}, False),
        (SMALL | {"task": "vad", "vad": {"consistency": "equations", "orthogonality": 0.5}}, False),
        ({"model": {"name": "mten"}, "batch": 8}, False),
        ({"model": {"name": "ran"}, "batch": 8}, False),
        ({"model": {"name": "dan"}, "batch": 8}, False),
    ],
)
def test_a_step_waits_for_nothing(asked, copies, elsewhere):
    first, *others = waits(asked, copies)
    # Constants are made in the first step, and nothing is ever read.
    assert not first.keys() - {"aten::lift_fresh"}
    assert others == [{}, {}]


def test_the_watch_sees_what_would_wait(monkeypatch):
    """On the processor the loss of each step is read, at once, and constants are made anew."""
    found = waits(SMALL | {"augmentation": AUGMENTATION})
    assert all(step["aten::lift_fresh"] >= 3 and any("scalar" in name for name in step) for step in found)


def test_a_loss_that_is_read_late_stops_the_run_all_the_same(elsewhere, tmp_path):
    config = configs.parse(
        SMALL | {"data": {"options": {"count": 80}}, "epochs": 2, "optimiser": {"name": "sgd", "lr": 1e30}}
    )
    with pytest.raises(task_base.TrainingError, match=r"the mean loss is (nan|inf) in epoch 1"):
        training.train(config, tmp_path)


def test_constants_elsewhere_are_made_once():
    place = torch.empty(0, device="meta")
    assert constants.constant((1.0, 2.0), place) is constants.constant((1.0, 2.0), place)
    with torch.inference_mode():
        kept = constants.constant((5.0,), torch.empty(0, device="meta", dtype=torch.float64))
    assert not kept.is_inference() and kept.dtype == torch.float64
    here = torch.empty(0)
    assert constants.constant((1.0, 2.0), here).tolist() == [1, 2]
