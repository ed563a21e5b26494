// Eigenvalues of the blocks in the complex plane.

const CLASSES = [
  { look: "expanding", name: "expanding, |λ| > 1.05", holds: (size) => size > 1.05 },
  { look: "near", name: "near unit, 0.90 to 1.05", holds: (size) => size >= 0.9 },
  { look: "middle", name: "middle, 0.80 to 0.90", holds: (size) => size >= 0.8 },
  { look: "inner", name: "contracting, < 0.80", holds: () => true },
];
/// Up to here distances are drawn as they are; beyond, as logarithms, so that all have room.
const TRUE_TO = 1.2;
/// How much of the picture's half is left for what lies beyond.
const BEYOND = 0.42;

const classOf = (size) => CLASSES.find((one) => one.holds(size));

function* pairs(flat) {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i], flat[i + 1]];
}

const radiusOf = (flat) => [...pairs(flat ?? [])].reduce((most, z) => Math.max(most, Math.hypot(...z)), 0);

/// Where on a picture of a given half width a distance from 0 lies.
function ruler(half, farthest) {
  if (farthest <= TRUE_TO) return (size) => (size / TRUE_TO) * half;
  const near = half * (1 - BEYOND);
  const span = Math.log(farthest / TRUE_TO);
  return (size) => (size <= TRUE_TO ? (size / TRUE_TO) * near
    : near + half * BEYOND * (Math.log(size / TRUE_TO) / span));
}

/// A square picture of `flat`, with room up to `farthest`; `before` are the eigenvalues of another
/// step, drawn as rings; `names` writes the far distances beside their circles.
function plane(flat, { size, farthest, before = [], names = false }) {
  const middle = size / 2;
  const place = ruler(middle - 5, farthest);
  const at = (re, im) => {
    const distance = Math.hypot(re, im);
    const share = distance === 0 ? 0 : place(distance) / distance;
    return { cx: (middle + re * share).toFixed(1), cy: (middle - im * share).toFixed(1) };
  };
  const round = (look, distance) => svg("circle", { class: look, cx: middle, cy: middle, r: place(distance).toFixed(1) });
  const picture = svg("svg", { viewBox: `0 0 ${size} ${size}` });
  picture.append(
    ...[["near", 1.05], ["middle", 0.9], ["inner", 0.8]].flatMap(([look, edge]) =>
      [round("zone ground", edge), round(`zone ${look}`, edge)]),
    svg("line", { class: "round", x1: 0, x2: size, y1: middle, y2: middle }),
    svg("line", { class: "round", x1: middle, x2: middle, y1: 0, y2: size }),
    round("round unit", 1));
  for (const distance of names ? farRounds(farthest) : []) {
    picture.append(round("round far", distance), svg("text", {
      class: "round-name", x: middle - place(distance) * 0.6 - 3, y: middle - place(distance) * 0.8 - 3, "text-anchor": "end",
    }, short(distance)));
  }
  for (const z of pairs(before)) picture.append(svg("circle", { class: "was", r: 3.4, ...at(...z) }));
  for (const z of pairs(flat)) {
    picture.append(svg("circle", { class: `z ${classOf(Math.hypot(...z)).look}`, r: size > 200 ? 4 : 1.8, ...at(...z) }));
  }
  return picture;
}

/// Round distances beyond the near part that lie inside the picture.
function farRounds(farthest) {
  const all = farthest > 100 ? [10, 100, 1e3, 1e4, 1e5, 1e6] : [2, 5, 10, 20, 50];
  return all.filter((distance) => distance < farthest * 0.93);
}

class Spectra {
  constructor(node) {
    this.sources = Object.keys(data.probes).filter((name) => data.probes[name].spectra.length);
    this.sources.sort((a, b) => (a === "live" ? -1 : b === "live" ? 1 : 0));
    card(node, "Eigenvalues of the blocks", null);
    if (!this.sources.length) {
      node.append(html("p", { class: "soft" }, "No probe with eigenvalues so far."));
      return;
    }
    this.controls(node);
    this.large = html("div");
    this.blocks = html("div", { class: "blocks", role: "group", "aria-label": "Blocks" });
    this.note = html("p", { class: "caption" });
    const legend = html("div", { class: "legend" }, ...CLASSES.map(({ look, name }) => html("span", {},
      html("span", { class: `swatch dot ${look}`, "aria-hidden": true }), name)));
    node.append(html("div", { class: "circles" }, this.large, html("div", {}, this.blocks, legend, this.note)));
    view.panels.push(this);
    this.draw();
  }

  controls(node) {
    const [source, sourceLabel] = select("Tokens ", this.sources.map((name) => [name, SOURCES[name] ?? name]));
    this.slider = html("input", { type: "range", min: 0, step: 1, "aria-label": "step of the eigenvalues" });
    this.at = html("output");
    this.source = source;
    source.addEventListener("change", () => this.start());
    this.slider.addEventListener("input", () => this.draw());
    node.append(html("div", { class: "controls" }, sourceLabel,
      html("label", { class: "steps" }, "Step ", this.slider, this.at)));
    this.slider.max = this.records.length - 1;
    this.slider.value = this.records.length - 1;
  }

  get records() { return data.probes[this.source.value].spectra; }

  /// Of a block over all steps, so that the picture keeps its measure from step to step.
  farthest(block) {
    this.reach ??= new Map();
    const key = `${this.source.value} ${block}`;
    if (!this.reach.has(key)) this.reach.set(key, Math.max(...this.records.map((record) => radiusOf(record.blocks[block]))));
    return this.reach.get(key);
  }

  start() {
    this.slider.max = this.records.length - 1;
    this.draw();
  }

  draw() {
    if (view.picked != null) {
      this.slider.value = nearest(this.records.map((record) => record.step), view.picked);
      view.picked = null;
    }
    const record = this.records[Number(this.slider.value)];
    const block = Math.min(view.block, record.blocks.length - 1);
    const first = this.records[0];
    const flat = record.blocks[block] ?? [];
    this.at.textContent = whole(record.step);
    this.slider.setAttribute("aria-valuetext", `step ${record.step}`);
    const picture = plane(flat, {
      size: 400, farthest: this.farthest(block), before: first === record ? [] : first.blocks[block], names: true,
    });
    const told = tell(flat, record.status[block]);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Eigenvalues of block ${block} at step ${record.step}: ${told}`);
    this.large.replaceChildren(html("p", {}, html("b", {}, `Block ${block} at step ${whole(record.step)}`)),
      picture, html("p", { class: "soft" }, told));
    this.drawBlocks(record, block);
    this.explain(first, record);
  }

  drawBlocks(record, chosen) {
    const buttons = record.blocks.map((flat, block) => {
      const status = record.status[block];
      const picture = plane(flat, { size: 120, farthest: this.farthest(block) });
      picture.setAttribute("aria-hidden", true);
      const button = html("button", { type: "button", "aria-pressed": String(block === chosen), "data-block": block },
        picture, `Block ${block}`,
        html("small", {}, flat.length ? `ρ = ${plain(radiusOf(flat))}` : (status ?? "none").replaceAll("_", " ")));
      button.addEventListener("click", () => {
        change({ block, range: view.range });
        this.refocus = block;
      });
      return button;
    });
    const hadFocus = this.blocks.contains(document.activeElement);
    this.blocks.classList.toggle("many", buttons.length > 12);
    this.blocks.replaceChildren(...buttons);
    if (hadFocus && this.refocus != null) buttons[this.refocus]?.focus();
  }

  explain(first, record) {
    const of = data.probes[this.source.value].spectra_of;
    const { note } = this;
    note.replaceChildren("Colors end at the circles of radius 1.05, 0.90 and 0.80; the unit circle is drawn bold. ");
    if (this.records.some(({ blocks }) => blocks.some((flat) => radiusOf(flat) > TRUE_TO))) {
      note.append("Beyond 1.2 distances are drawn as logarithms. ");
    }
    if (first !== record) note.append(`Gray rings: the same block at step ${whole(first.step)}. `);
    if (of > this.records.length) {
      note.append(`${whole(this.records.length)} of ${whole(of)} recorded spectra are here, of each stretch of steps the one with the largest eigenvalue.`);
    }
  }

  move() {}
}

/// A block's eigenvalues in words.
function tell(flat, status) {
  const sizes = [...pairs(flat)].map((z) => Math.hypot(...z));
  if (!sizes.length) return `no spectrum (${(status ?? "none").replaceAll("_", " ")})`;
  const counts = CLASSES.map(({ look }) => sizes.filter((size) => classOf(size).look === look).length);
  const words = ["expanding", "near unit", "in the middle", "contracting"];
  const remark = status && status !== "ok" ? `; ${status.replaceAll("_", " ")}` : "";
  return `${counts.map((count, i) => `${count} ${words[i]}`).join(", ")}; radius ${plain(Math.max(...sizes))}${remark}`;
}
