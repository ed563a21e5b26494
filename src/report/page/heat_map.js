// Any feature of the blocks over steps, as colors.

/// Viridis: even steps of lightness, safe for most kinds of color blindness.
const COLORS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59",
  "#b4de2c", "#fde725"].map((code) => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16)));

function color(share) {
  const place = Math.max(0, Math.min(1, share)) * (COLORS.length - 1);
  const at = Math.min(COLORS.length - 2, Math.floor(place));
  const mixed = COLORS[at].map((from, i) => Math.round(from + (COLORS[at + 1][i] - from) * (place - at)));
  return `rgb(${mixed.join(" ")})`;
}

const FEATURES = {
  attention_logit: "largest attention logit",
  update: "relative update of the residual stream",
  rms: "RMS of the residual stream",
  kurtosis: "kurtosis of the residual stream",
  expanding: "expanding mass (|λ| > 1.05)",
  near_unit: "near-unit mass (0.90 ≤ |λ| ≤ 1.05)",
  middle: "middle mass (0.80 ≤ |λ| < 0.90)",
  contracting: "contracting mass (|λ| < 0.80)",
  radius: "spectral radius",
  gain: "largest singular value",
  departure: "departure from normality (Henrici)",
  condition: "condition of the eigenvectors",
  nonlinearity: "nonlinearity η",
  residual: "mean ResDMD residual",
  kept_share: "share of well-resolved modes",
  noise_radius: "noise radius",
};
const OF_STREAM = ["attention_logit", "update", "rms", "kurtosis"];
const ON_LOG_SCALE = ["attention_logit", "condition"];
const SOURCES = { live: "live: the tokens of the step", held_out: "held out: always the same tokens" };

const featureName = (name) => FEATURES[name] ?? name.replaceAll("_", " ");

function select(label, options, groups = null) {
  const option = ([value, text]) => html("option", { value }, text);
  const node = html("select", {}, ...(groups
    ? groups.map(([name, members]) => html("optgroup", { label: name }, ...members.map(option)))
    : options.map(option)));
  return [node, html("label", {}, label, node)];
}

class HeatMap {
  constructor(node) {
    this.sources = Object.keys(data.probes).filter((name) => data.probes[name].step.length);
    this.value = html("b");
    this.where = html("span");
    card(node, "Blocks over steps", html("div", { class: "keys" }, this.where, this.value));
    if (!this.sources.length) {
      node.append(html("p", { class: "soft" }, "No probes: monitor.jsonl is empty or not there (monitor.every = 0)."));
      return;
    }
    this.sources.sort((a, b) => (a === "live" ? -1 : b === "live" ? 1 : 0));
    this.controls(node);
    this.canvas = html("canvas", { "aria-hidden": true });
    this.frame = new Frame({
      label: "Feature of the blocks over steps", height: 100,
      steps: () => this.probes.step,
      say: (step) => this.reading(nearest(this.probes.step, step)),
      keys: {
        ArrowUp: () => this.choose(view.block + 1),
        ArrowDown: () => this.choose(view.block - 1),
        hover: (x, y) => this.hover(y),
        pick: (step, y) => this.pick(step, y),
      },
    });
    this.frame.node.prepend(this.canvas);
    this.scale = html("div", { class: "scale" });
    this.note = html("p", { class: "caption" });
    node.append(this.frame.node, this.scale, this.note);
    watch(this, this.frame.node);
  }

  controls(node) {
    const names = new Set(this.sources.flatMap((source) => Object.keys(data.probes[source].features)));
    const known = Object.keys(FEATURES).filter((name) => names.has(name));
    const all = [...known, ...[...names].filter((name) => !known.includes(name))];
    const entry = (name) => [name, featureName(name)];
    const [feature, featureLabel] = select("Feature ", [], [
      ["Residual stream and attention", all.filter((name) => OF_STREAM.includes(name)).map(entry)],
      ["Spectrum of the block", all.filter((name) => !OF_STREAM.includes(name)).map(entry)]]);
    const [source, sourceLabel] = select("Tokens ", this.sources.map((name) => [name, SOURCES[name] ?? name]));
    const log = html("input", { type: "checkbox" });
    log.checked = ON_LOG_SCALE.includes(feature.value);
    feature.addEventListener("change", () => {
      log.checked = ON_LOG_SCALE.includes(feature.value);
      change({ feature: feature.value });
    });
    for (const control of [source, log]) control.addEventListener("change", () => change({ range: view.range }));
    this.control = { feature, source, log };
    node.append(html("div", { class: "controls" }, featureLabel, sourceLabel, html("label", {}, log, " log scale")));
  }

  get probes() { return data.probes[this.control.source.value]; }
  get rows() { return this.probes.features[this.control.feature.value] ?? []; }
  /// Where the stream is looked at between blocks there is one row more.
  get rowName() { return ["rms", "kurtosis"].includes(this.control.feature.value) ? "depth" : "block"; }

  draw() {
    const { frame, rows, probes } = this;
    this.rowHeight = Math.floor(Math.max(7, Math.min(30, 420 / Math.max(1, rows.length))));
    frame.height = frame.top + this.rowHeight * Math.max(1, rows.length) + MARGIN.bottom;
    frame.begin();
    frame.svg.setAttribute("aria-label", `${featureName(this.control.feature.value)} of the blocks over steps`);
    this.bend = this.control.log.checked ? Math.log10 : (value) => value;
    const numbers = rows.flat().filter((value) => this.isDrawn(value)).map(this.bend);
    this.low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
    this.high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
    this.edges = columnEdges(probes.step);
    this.paint();
    this.nameRows();
    if (!numbers.length) frame.message("no values");
    this.drawRings();
    this.edge = svg("rect", { class: "cell-edge" });
    this.cell = svg("rect", { class: "cell" });
    frame.svg.append(this.edge, this.cell);
    frame.end();
    this.drawScale(numbers.length < rows.flat().length);
  }

  isDrawn(value) { return value != null && !(this.control.log.checked && value <= 0); }

  y(block) { return this.frame.bottom - (block + 1) * this.rowHeight; }

  paint() {
    const { frame, canvas, rows } = this;
    const left = MARGIN.left;
    const size = [frame.right - left, frame.bottom - frame.top];
    const fine = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = size.map((length) => Math.round(length * fine));
    Object.assign(canvas.style, {
      left: `${left}px`, top: `${frame.top}px`, width: `${size[0]}px`, height: `${size[1]}px`,
    });
    canvas.className = "hatched";
    const pen = canvas.getContext("2d");
    pen.scale(fine, fine);
    rows.forEach((row, block) => row.forEach((value, i) => {
      if (!this.isDrawn(value)) return;
      const from = frame.x(this.edges[i]) - left;
      const to = frame.x(this.edges[i + 1]) - left;
      if (to < 0 || from > size[0]) return;
      pen.fillStyle = color((this.bend(value) - this.low) / (this.high - this.low || 1));
      // A little wider, so that no seams are seen.
      pen.fillRect(from, this.y(block) - frame.top, to - from + 0.6, this.rowHeight);
    }));
  }

  nameRows() {
    const apart = Math.ceil(15 / this.rowHeight);
    this.rows.forEach((_, block) => {
      if (block % apart) return;
      this.frame.axis.append(svg("text", {
        x: MARGIN.left - 8, y: this.y(block) + this.rowHeight / 2 + 4, "text-anchor": "end",
      }, `${this.rowHeight > 12 && this.rows.length < 17 ? `${this.rowName} ` : ""}${block}`));
    });
  }

  /// Alerts about one block; where they are many, not each has a ring.
  drawRings() {
    if (this.rowName !== "block") return;
    const last = [];
    for (const alert of data.alerts) {
      if (alert.layer == null || alert.layer >= this.rows.length) continue;
      if (alert.step < view.range[0] || alert.step > view.range[1]) continue;
      const cx = this.frame.x(alert.step);
      if (cx - last[alert.layer] < 12) continue;
      last[alert.layer] = cx;
      const place = { cx, cy: this.y(alert.layer) + this.rowHeight / 2, r: Math.min(6, this.rowHeight / 2) };
      this.frame.svg.append(svg("circle", { class: "ring-edge", ...place }), svg("circle", { class: "ring", ...place }));
    }
  }

  drawScale(hasGaps) {
    const { scale, low, high } = this;
    scale.replaceChildren();
    this.note.textContent = this.explain();
    if (!(low <= high)) return;
    const back = (value) => plain(this.control.log.checked ? 10 ** value : value);
    const bar = html("div", { class: "bar", "aria-hidden": true });
    bar.style.background = `linear-gradient(90deg, ${COLORS.map((rgb) => `rgb(${rgb.join(" ")})`).join(", ")})`;
    const ends = [low, (low + high) / 2, high].map((value) => html("span", {}, back(value)));
    scale.append(html("div", {}, bar, html("div", { class: "ends" }, ...ends)));
    if (hasGaps) scale.append(html("span", {}, html("span", { class: "hatched" }), " no value"));
  }

  explain() {
    const { of, step } = this.probes;
    const rings = this.rowName === "block" && data.alerts.some((alert) => alert.layer != null)
      ? " Rings mark alerts about one block." : "";
    const depth = this.rowName === "depth" ? " Depth n is what enters block n; the topmost row is what leaves the last block." : "";
    const thin = of > step.length
      ? ` ${whole(of)} probes share ${whole(step.length)} columns; a cell shows the largest value of its probes.` : "";
    return `Click a cell to see that block's eigenvalues below.${rings}${depth}${thin}`;
  }

  choose(block) { change({ block: Math.max(0, Math.min(this.rows.length - 1, block)), range: view.range }); }

  rowAt(y) { return Math.max(0, Math.min(this.rows.length - 1, Math.floor((this.frame.bottom - y) / this.rowHeight))); }

  hover(y) { this.hovered = this.rowAt(y); }

  pick(step, y) { change({ block: this.rowAt(y), picked: step }); }

  reading(at) {
    const block = Math.min(this.frame.pointer ? this.hovered : view.block, this.rows.length - 1);
    return at < 0 || block < 0 ? "" : `${this.rowName} ${block}: ${plain(this.rows[block][at])}`;
  }

  move() {
    const { frame, probes } = this;
    frame.move();
    const at = view.cursor == null ? -1 : nearest(probes.step, view.cursor);
    const block = Math.min(frame.pointer ? this.hovered : view.block, this.rows.length - 1);
    this.where.textContent = at < 0 ? "" : `step ${whole(probes.step[at])}, ${this.rowName} ${block} `;
    this.value.textContent = at < 0 || block < 0 ? "" : plain(this.rows[block][at]);
    const from = at < 0 ? 0 : Math.max(MARGIN.left, frame.x(this.edges[at]));
    const to = at < 0 ? 0 : Math.min(frame.right, frame.x(this.edges[at + 1]));
    for (const box of [this.edge, this.cell]) {
      box.style.display = to > from && block >= 0 ? "" : "none";
      for (const [name, value] of [["x", from], ["y", this.y(block)], ["width", Math.max(0, to - from)], ["height", this.rowHeight]]) {
        box.setAttribute(name, value);
      }
    }
  }
}

/// Columns meet half way between their steps; the outer ones are as wide as inwards.
function columnEdges(steps) {
  const last = steps.length - 1;
  if (last < 1) return [steps[0] - 0.5, steps[0] + 0.5];
  const edges = [Math.max(view.full[0], steps[0] - (steps[1] - steps[0]) / 2)];
  for (let i = 0; i < last; ++i) edges.push((steps[i] + steps[i + 1]) / 2);
  return [...edges, steps[last] + (steps[last] - steps[last - 1]) / 2];
}
