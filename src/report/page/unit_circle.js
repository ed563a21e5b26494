// Eigenvalues of the blocks in the complex plane.

const CLASSES = [
  { look: "expanding", name: "expanding, |λ| > 1.05", holds: (size) => size > 1.05 },
  { look: "near", name: "near unit, 0.90 to 1.05", holds: (size) => size >= 0.9 },
  { look: "middle", name: "middle, 0.80 to 0.90", holds: (size) => size >= 0.8 },
  { look: "inner", name: "contracting, < 0.80", holds: () => true },
];
const ROUNDS = [1.05, 0.9, 0.8];
/// Farther out, eigenvalues are drawn as triangles at the rim.
const FARTHEST = 2.4;

const classOf = (size) => CLASSES.find((one) => one.holds(size));

function* pairs(flat) {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i], flat[i + 1]];
}

const radiusOf = (flat) => [...pairs(flat ?? [])].reduce((most, z) => Math.max(most, Math.hypot(...z)), 0);

/// A square picture of `flat`; `before` are the eigenvalues of another step, drawn as rings.
function plane(flat, { size, before = [], names = false }) {
  const reach = Math.min(FARTHEST, Math.max(1.2, radiusOf(flat) * 1.06, radiusOf(before) * 1.06));
  const scale = (size / 2 - 4) / reach;
  const x = (re) => size / 2 + re * scale;
  const y = (im) => size / 2 - im * scale;
  const picture = svg("svg", { viewBox: `0 0 ${size} ${size}` });
  picture.append(
    svg("line", { class: "round", x1: 0, x2: size, y1: y(0), y2: y(0) }),
    svg("line", { class: "round", x1: x(0), x2: x(0), y1: 0, y2: size }));
  const middle = size / 2;
  for (const r of names ? ROUNDS : []) picture.append(svg("circle", { class: "round", cx: middle, cy: middle, r: r * scale }));
  picture.append(svg("circle", { class: "round unit", cx: middle, cy: middle, r: scale }));
  for (const [re, im] of pairs(before)) {
    if (Math.hypot(re, im) <= reach) picture.append(svg("circle", { class: "was", cx: x(re), cy: y(im), r: 3.2 }));
  }
  for (const [re, im] of pairs(flat)) picture.append(dot(re, im, { x, y, reach, r: size / 100 + 0.2 }));
  if (names) nameRounds(picture, x, y);
  return picture;
}

function dot(re, im, { x, y, reach, r }) {
  const distance = Math.hypot(re, im);
  const { look } = classOf(distance);
  if (distance <= reach) return svg("circle", { class: `z ${look}`, cx: x(re), cy: y(im), r });
  const share = (reach * 0.985) / distance;
  const turn = 90 - (Math.atan2(im, re) * 180) / Math.PI;
  return svg("path", {
    class: `z out ${look}`, d: SHAPE.warning,
    transform: `translate(${x(re * share)} ${y(im * share)}) rotate(${turn}) scale(${r / 4.4})`,
  });
}

function nameRounds(picture, x, y) {
  const gap = Math.cos((58 * Math.PI) / 180);
  const up = Math.sin((58 * Math.PI) / 180);
  ROUNDS.forEach((r, i) => picture.append(svg("text", {
    class: "round-name", x: x(-r * gap) + (i ? 4 : -2), y: y(-r * up) + (i ? -2 : 11), "text-anchor": i ? "start" : "end",
  }, r.toFixed(2))));
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
    node.append(html("div", { class: "circles" }, this.large, html("div", {}, this.blocks, this.note)));
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
    const picture = plane(flat, { size: 400, before: first === record ? [] : first.blocks[block], names: true });
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
      const button = html("button", { type: "button", "aria-pressed": String(block === chosen), "data-block": block },
        plane(flat, { size: 120 }), `Block ${block}`,
        html("small", {}, flat.length ? `ρ = ${plain(radiusOf(flat))}` : (status ?? "none").replaceAll("_", " ")));
      button.addEventListener("click", () => {
        change({ block, range: view.range });
        this.refocus = block;
      });
      return button;
    });
    const hadFocus = this.blocks.contains(document.activeElement);
    this.blocks.replaceChildren(...buttons);
    if (hadFocus && this.refocus != null) buttons[this.refocus]?.focus();
  }

  explain(first, record) {
    const of = data.probes[this.source.value].spectra_of;
    const { note } = this;
    note.replaceChildren();
    for (const { look, name } of CLASSES) {
      note.append(html("span", { class: `swatch dot ${look}`, "aria-hidden": true }), `${name}   `);
    }
    note.append(html("br"), "Circles at 1.05, 1 (bold), 0.90 and 0.80; triangles at the rim lie farther out. ");
    if (first !== record) note.append(`Grey rings: the same block at step ${whole(first.step)}. `);
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
