"""What the page about initial spectra says around its figures."""

PAGE = """\
# The spectrum before the first step

Kim et al. 2026 ([arXiv:2602.22988](https://arxiv.org/abs/2602.22988)) look at a model once, before
it is trained, and say that the share of eigenvalues near 1 tells which runs will diverge. This page
sets what they print beside what comes out here. It shows how far the measurement can be repeated;
nothing is trained, so it says nothing about divergence. What signals are worth *during* a training
is in [the study](monitor-study.md).

## How it was made

    bible 'Gen1:1-Rev22:21' | build/dev/ballast prepare --input - --output kjv.h5
    python3 bench/monitor_study/norm_sweep.py --build build/dev --data kjv.h5 --docs docs

- **GPT**: learned positions, causal attention, GELU, no biases, every weight of spread 0.02, in
  double; 2,048 random tokens of a vocabulary of 256, in sequences of 64. Six ways to normalize.
  Tests hold the monitor's mathematics against it (tests/monitor/initial_gpt.hpp).
- **Ballast**: `ballast monitor profile`: rotary positions, SwiGLU, 4 heads, ffn 8/3 · dim; 2,048
  tokens of held-out text in sequences of 64. It builds LayerNorm and RMSNorm, before each sublayer
  or after it, or no norms; **DeepNorm and SubLN it does not build**. *128×6*: every weight of
  spread 0.02, random bytes as text, as near to the GPT as these blocks come. *As shipped*: outputs
  of sublayers start at 0.02 / √(2 · blocks), the King James Bible as bytes. The tables after the
  first two: the Bible, all weights of one spread.
- "128×6" is dim × blocks. Masses and ρ (the spectral radius) are means over blocks, block 0
  included. Streams wider than 256 are looked at in 64 directions. All with one seed, but for the
  table of seeds.

## Norm by norm: the paper's table 1

The paper names neither width nor depth nor initial scale of these runs, nor how it averages.

{table_1}
Against the paper, where a mass within {near_mass} and a ρ within {near_radius} agree:

{agreements}
- **Norms before the sublayers** have the paper's masses in the GPT at 128×6; ρ lies below the
  paper's there and above it at 256×4.
- **No norms** have all three of the paper's figures at 256×4, and not at 128×6. Neither shape
  has both rows.
- **Post-LN is block 0**, which enlarges an embedding of 0.02 to 1, so that all its eigenvalues
  expand. Every other block has the spectrum of a network *without* norms, and yet none of the
  paper's 69 post-norm runs diverged, and 81 of its 84 without norms did. In the GPT, by block:
  near-unit mass {post_near};
  ρ {post_radius}.
- **DeepNorm** does not come out. A norm after each addition keeps the stream at one size, so all
  eigenvalues above 1 in every block cannot be. An enlargement by α = (2L)^¼ twice a block *without*
  that norm would give √(2L), 4.0 at 8 blocks, for the paper's 3.94; that is a guess.
- **SubLN** has the masses at 128×6; ρ is larger, because of block 0 again.
- **Ballast's blocks** come in the same order, but do not have the paper's masses: their feed-forward
  layer multiplies two small numbers, so that it adds less than a GELU's.

## What moves it

### Text

Near-unit mass at 128×6. Text without order lets the embedding fill all directions. Of the Bible's
few letters it fills some fifty, and the others hold only what attention put there, which later
blocks change by large factors. Nothing about the network differs.

{texts}
### Initial scale

0.051 is the spread of PyTorch's nn.Linear at this width. At 128×6:

{scales}
Over all settings on this page, no norms have more near-unit mass than RMSNorm before the sublayers
in {above} of {of}: the order mostly holds, and turns at the largest scale. The level does not hold:
RMSNorm before the sublayers goes from {span},
through all three answers of the paper's rule (below 0.3, between, above 0.5).

### Width and depth

{sizes}
### Tokens

Noise radius: how far what the linear operator leaves unexplained scatters eigenvalues. Above 0.05
the monitor calls a block unreliable. For norms before the sublayers no number of tokens tried here
is enough, and the paper's 2,048 are far from it.

{tokens}
### Seeds

{seeds}
## Near-unit mass and the size of the update

Spearman's rank correlation of a block's near-unit mass with its relative update, of whitened states
and of states as they are, over all settings above:

{correlations}
In the GPT near-unit mass is another name for a small update, which costs a subtraction and needs no
eigenvalues. In Ballast's blocks it follows the update less closely, and each kind of norm has a
different update that it follows; whether what is left over says anything about training is not
known.

## What follows

- The measurement repeats for norms before the sublayers and for none, each at a shape of its own;
  not for DeepNorm, and for post-norm only as what block 0 does.
- Its thresholds don't carry over: text, scale, width and number of tokens move the mass across them.
- In the paper's table 81 of 84 runs without norms diverged and none of the 130 others: "has no
  norms" alone separates these nearly as well (AUROC 0.989) as near-unit mass does (0.995).
- So `ballast monitor profile` prints the paper's rule with its doubts. It is a picture, no alarm.
"""
