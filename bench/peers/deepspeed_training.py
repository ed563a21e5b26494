"""DeepSpeed ZeRO-3 on gloo, as a peer: the same model, its own engine and CPU Adam."""

from pathlib import Path

import deepspeed
import torch
from torch import nn

from draw import weights_by_name
from points import Point
from shapes import OPTIMIZER, Case
from torch_model import Transformer, canonical_name, mean_loss


def engine_config(case: Case, point: Point) -> dict:
    return {
        "train_micro_batch_size_per_gpu": case.sequences // point.ranks,
        "gradient_clipping": OPTIMIZER["clip"],
        "zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 0},
        "bf16": {"enabled": case.precision == "bf16"},
        "zero_allow_untested_optimizer": True,
    }


def parameter_groups(model: nn.Module) -> list[dict]:
    matrices = [p for name, p in model.named_parameters() if "norm" not in name]
    gains = [p for name, p in model.named_parameters() if "norm" in name]
    return [
        {"params": matrices, "weight_decay": OPTIMIZER["weight_decay"]},
        {"params": gains, "weight_decay": 0.0},
    ]


class DeepSpeedTraining:
    def __init__(self, case: Case, point: Point, weights: Path):
        deepspeed.init_distributed("gloo")
        model = Transformer(case.shape)
        stored = weights_by_name(case.shape, weights)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(stored[canonical_name(name)]))
        optimizer = torch.optim.AdamW(
            parameter_groups(model),
            lr=OPTIMIZER["lr"],
            betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
            eps=OPTIMIZER["epsilon"],
            fused=point.fused,
        )
        self.engine, *_ = deepspeed.initialize(
            model=model, optimizer=optimizer, config=engine_config(case, point)
        )

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = mean_loss(self.engine(inputs), labels)
        self.engine.backward(loss)
        self.engine.step()
        return loss.detach()
