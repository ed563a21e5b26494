"""What the page about initial spectra says around its figures."""

PAGE = """\
# The spectrum before the first step

Kim et al. 2026 ([arXiv:2602.22988](https://arxiv.org/abs/2602.22988)) look at a model once, before
it is trained, and say that the share of eigenvalues near 1 tells which runs will diverge. This page
sets what they print beside what comes out here. It shows whether the measurement can be repeated;
nothing is trained, so it says nothing about divergence. What signals are worth *during* a training
is in [the study](monitor-study.md).

## How it was made

    bible 'Gen1:1-Rev22:21' | build/dev/ballast prepare --input - --output kjv.h5
    python3 bench/monitor_study/norm_sweep.py --build build/dev --data kjv.h5 --docs docs

- **GPT**: learned positions, causal attention, GELU, no biases, every weight of spread 0.02, in
  double; 2,048 random tokens of a vocabulary of 256, in sequences of 64. Tests hold the mathematics
  against it. Six ways to normalise.
- **Ballast**: `ballast monitor profile`, blocks as they are trained: rotary positions, SwiGLU, 4
  heads, ffn 8/3 · dim; 2,048 tokens of held-out text in sequences of 64. It builds LayerNorm and
  RMSNorm, before or after each sublayer, or none; **DeepNorm and SubLN it does not build**. "As
  shipped": outputs of sublayers start at 0.02 / √(2 · layers), the King James Bible as bytes.
  Everywhere else all weights start at the same spread. "128×6": random bytes as text.
- "128×6" is dim × blocks. Masses and ρ (the spectral radius) are means over blocks, block 0
  included, as in the paper. Streams wider than 256 are looked at in 64 directions. Blocks that
  change nothing (‖Ỹ−X̃‖/‖X̃‖ below 0.001) are left out; – where that leaves none.

## Norm by norm: the paper's table 1

The paper names neither width nor depth nor initial scale of these runs, nor what they average over.

{table_1}
Against the paper, where a mass within {near_mass} and a ρ within {near_radius} agree:

{agreements}
What that comes to:

- **Norms before the sublayers** come out as printed in the GPT at 128×6, but for a smaller ρ.
- **Post-LN is block 0.** Near-unit masses by block in the GPT: {post_near}; ρ: {post_radius}. Block
  0 enlarges an embedding of 0.02 to 1, so all its eigenvalues expand; the other blocks change next
  to nothing. The means are 1 − 1/L and 1/L whatever the network is like inside, and ρ is
  the reciprocal of the initial scale, over L.
- **Without norms** the mass depends on the width (below); no one shape gives both the paper's 0.16
  and its 0.80.
- **DeepNorm** does not come out. A norm after each addition keeps the stream at one size, so that
  all eigenvalues above 1 in every block cannot be; an enlargement by α = (2L)^¼ twice a block
  *without* that norm would give ρ = √(2L), which is 4.0 at 8 blocks (the paper: 3.94). That is a
  guess.
- **SubLN** has the masses, and a larger ρ.
- **Ballast's own blocks** differ from the GPT's at the same spread: their feed-forward layer multiplies
  two small numbers, so its update is smaller, and as shipped smaller again.

## What moves it

### Initial scale

0.051 is the spread of PyTorch's nn.Linear at this width. Near-unit mass, 128×6:

{scales}
The order of the norms turns with it. Over all settings on this page, a model without norms has more
near-unit mass than one with RMSNorm before its sublayers in {above} of {of}. A rule with a fixed
threshold, or even a fixed direction, measures the initialisation first.

### Width and depth

{sizes}
### Tokens

Noise radius: how far what the linear operator leaves unexplained scatters eigenvalues. Above 0.05
the monitor calls a block unreliable; the paper's 2,048 tokens are too few for norms before the
sublayers at any width here.

{tokens}
### Seeds

{seeds}
## Near-unit mass and the size of the update

Spearman's rank correlation of a block's near-unit mass with its relative update, whitened and as it
is, over all settings above (blocks that change nothing included):

{correlations}
Near-unit mass is mostly another name for a small update, which costs one subtraction and needs no
eigenvalues. What is left of it between networks of equal update is small and has not been tied to
any outcome.

## What follows

- The measurement can be repeated for norms before the sublayers, SubLN's masses and the absence of
  norms; its use as a predictor was not tested here and does not follow from it.
- 81 of the 84 runs without norms diverged and none of the 130 others: in the paper's table "has no
  norms" alone separates nearly as well (AUROC 0.989) as near-unit mass (0.995).
- `ballast monitor profile` prints the paper's rule and says so. It is a picture, not an alarm.
"""
