// Plots over steps: the frame that line charts and the heat map share, and line charts.

const MARGIN = { left: 58, right: 14, bottom: 26 };

/// Axes, cursor, zooming and keys of a plot. `steps()` are those that the cursor may stand on;
/// `say(step)` is what a screen reader hears there; `keys` has what further keys do,
/// and hover(x, y) and pick(step, y) for pointers; a picked step is one whose eigenvalues are shown.
class Frame {
  constructor({ label, height, top = 10, steps, say, keys = {} }) {
    Object.assign(this, { height, top, steps, say, keys: { pick: (step) => change({ picked: step }), ...keys } });
    this.svg = svg("svg", {
      tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": view.full[0],
      "aria-valuemax": view.full[1], "aria-valuenow": view.full[1],
    });
    this.node = html("div", { class: "plot" }, this.svg);
    this.line = svg("line", { class: "cursor" });
    this.pointer = null;
    this.listen();
  }

  /// Takes the width that there is and clears the plot.
  begin() {
    this.width = Math.max(200, this.node.clientWidth);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute("height", this.height);
    this.right = this.width - MARGIN.right;
    this.bottom = this.height - MARGIN.bottom;
    this.axis = svg("g", { class: "axis" });
    this.svg.replaceChildren(this.axis);
    const [from, to] = view.range;
    this.x = (step) => MARGIN.left + ((step - from) / (to - from)) * (this.right - MARGIN.left);
    this.stepAt = (x) => from + ((x - MARGIN.left) / (this.right - MARGIN.left)) * (to - from);
    for (const step of ticks(from, to, Math.max(2, this.width / 110))) {
      if (step !== Math.round(step)) continue;
      this.axis.append(svg("text", { x: this.x(step), y: this.height - 8, "text-anchor": "middle" }, whole(step)));
    }
  }

  end() {
    this.axis.append(svg("line", { class: "base", x1: MARGIN.left, x2: this.right, y1: this.bottom, y2: this.bottom }));
    this.svg.append(this.line);
  }

  yTick(y, text) {
    this.axis.append(
      svg("line", { x1: MARGIN.left, x2: this.right, y1: y, y2: y }),
      svg("text", { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, text));
  }

  message(text) {
    this.svg.append(svg("text", {
      class: "empty", x: (MARGIN.left + this.right) / 2, y: this.height / 2, "text-anchor": "middle",
    }, text));
  }

  move() {
    const { cursor } = view;
    const isSeen = cursor != null && cursor >= view.range[0] && cursor <= view.range[1];
    this.line.style.display = isSeen ? "" : "none";
    if (cursor == null) return;
    const x = this.x(cursor);
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", this.top], ["y2", this.bottom]]) {
      this.line.setAttribute(name, value);
    }
    this.svg.setAttribute("aria-valuenow", cursor);
    this.svg.setAttribute("aria-valuetext", `step ${cursor}: ${this.say(cursor)}`);
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.width,
      ((event.clientY - box.top) / box.height) * this.height];
  }

  snapped(x) {
    const steps = this.steps();
    const at = nearest(steps, this.stepAt(x));
    return at < 0 ? null : steps[at];
  }

  listen() {
    const node = this.svg;
    node.addEventListener("pointermove", (event) => {
      const [x, y] = this.point(event);
      this.pointer = [x, y];
      this.keys.hover?.(x, y);
      if (this.from != null) this.select(x);
      change({ cursor: this.snapped(x) });
    });
    // A finger that is lifted leaves the cursor where it was.
    node.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "mouse") return;
      this.pointer = null;
      change({ cursor: null });
    });
    node.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      node.setPointerCapture(event.pointerId);
      [this.from] = this.point(event);
    });
    node.addEventListener("pointerup", (event) => this.release(this.point(event)));
    node.addEventListener("dblclick", () => change({ range: view.full }));
    node.addEventListener("blur", () => change({ cursor: null }));
    node.addEventListener("keydown", (event) => this.key(event));
  }

  /// Shows what a drag would zoom to.
  select(x) {
    this.selection ??= svg("rect", { class: "selection", y: this.top, height: this.bottom - this.top });
    const [left, right] = [Math.min(x, this.from), Math.max(x, this.from)];
    this.selection.setAttribute("x", left);
    this.selection.setAttribute("width", right - left);
    this.svg.append(this.selection);
  }

  release([x, y]) {
    const { from } = this;
    this.selection?.remove();
    this.from = null;
    if (from != null && Math.abs(x - from) > 8) {
      const [left, right] = [Math.min(x, from), Math.max(x, from)];
      show(Math.round(this.stepAt(left)), Math.round(this.stepAt(right)));
    } else {
      this.keys.pick(this.snapped(x), y);
    }
  }

  key(event) {
    const steps = this.steps();
    if (!steps.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = nearest(steps, view.cursor ?? view.range[1]);
    const go = (by) => change({ cursor: steps[Math.max(0, Math.min(steps.length - 1, now + by))] });
    const pace = event.shiftKey ? 10 : 1;
    const actions = {
      ArrowLeft: () => go(-pace),
      ArrowRight: () => go(pace),
      PageDown: () => go(-10),
      PageUp: () => go(10),
      Home: () => go(-Infinity),
      End: () => go(Infinity),
      Enter: () => change({ picked: steps[now] }),
      Escape: () => change({ cursor: null, range: view.full }),
      "+": () => zoom(0.5, view.cursor),
      "=": () => zoom(0.5, view.cursor),
      "-": () => zoom(2, view.cursor),
      ...this.keys,
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    this.pointer = null;
    actions[event.key](steps[now]);
  }
}

/// A title, what the cursor reads, and the plot below.
function card(node, title, keys, ...rest) {
  node.setAttribute("aria-label", title);
  node.append(html("div", { class: "head" }, html("h2", {}, title), keys), ...rest);
}

/// Curves: [{key: of data.series or a series, name, look: "first" or "second", points}], drawn over
/// steps. Options: log, floor and ceiling of the axis, threshold, marks, area, height, caption.
class LineChart {
  constructor(node, title, curves, options = {}) {
    this.options = { height: 210, text: plain, tick: short, ...options };
    this.curves = curves.filter((curve) => curve.series?.step.length);
    this.at = html("span", { class: "at" });
    const keys = html("div", { class: "keys" }, this.at);
    for (const curve of this.curves) {
      curve.value = html("b");
      keys.append(html("span", {}, html("span", {
        class: `swatch ${curve.look}${curve.points ? " dot" : ""}`, "aria-hidden": true,
      }), `${curve.name} `, curve.value));
    }
    this.frame = new Frame({
      label: `${title} over steps`, height: this.options.height, top: this.options.marks ? 30 : 10,
      steps: () => this.curves[0]?.series.step ?? [],
      say: (step) => this.curves.map((curve) => `${curve.name} ${this.read(curve, step)}`).join(", "),
    });
    card(node, title, keys, this.frame.node);
    if (this.options.caption) node.append(html("p", { class: "caption" }, this.options.caption));
    watch(this, this.frame.node);
  }

  read({ series }, step) {
    return this.options.text(series.value[nearest(series.step, step)]);
  }

  /// Low and high end of the axis, from what is in view.
  domain() {
    const { log, floor, ceiling, threshold } = this.options;
    const [from, to] = view.range;
    let low = Infinity;
    let high = -Infinity;
    for (const { series } of this.curves) {
      series.step.forEach((step, i) => {
        const value = series.value[i];
        if (step < from || step > to || value == null || (log && value <= 0)) return;
        low = Math.min(low, value);
        high = Math.max(high, value);
      });
    }
    if (low > high) return null;
    if (log) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
    if (threshold != null) [low, high] = [Math.min(low, threshold), Math.max(high, threshold)];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    return [floor ?? low - room, ceiling ?? high + room];
  }

  draw() {
    const { frame } = this;
    frame.begin();
    const domain = this.domain();
    if (!domain) {
      frame.message("no values in these steps");
      frame.end();
      this.y = null;
      return;
    }
    const bend = this.options.log ? Math.log10 : (value) => value;
    const [low, high] = domain.map(bend);
    this.y = (value) => frame.bottom - ((bend(value) - low) / (high - low)) * (frame.bottom - frame.top);
    const rows = Math.max(2, (frame.bottom - frame.top) / 42);
    for (const value of (this.options.log ? logTicks : ticks)(...domain, rows)) {
      frame.yTick(this.y(value), this.options.tick(value));
    }
    this.drawInside();
    frame.end();
  }

  drawInside() {
    const { frame } = this;
    const id = `clip-${view.panels.indexOf(this)}`;
    const inside = svg("g", { "clip-path": `url(#${id})` });
    frame.svg.append(svg("clipPath", { id }, svg("rect", {
      x: MARGIN.left, y: frame.top - 4, width: frame.right - MARGIN.left + 6, height: frame.bottom - frame.top + 8,
    })), inside);
    this.dots = this.curves.map((curve) => {
      this.drawCurve(curve, inside);
      return svg("circle", { r: 4, class: curve.look });
    });
    if (this.options.threshold != null) this.drawThreshold(inside);
    if (this.options.marks) drawMarks(frame, this.options.marks);
    frame.svg.append(...this.dots);
  }

  drawCurve({ series, look, points }, inside) {
    const { frame } = this;
    const [from, to] = view.range;
    const isDrawn = (value) => value != null && !(this.options.log && value <= 0);
    // One point beyond each edge, so that the line leaves the plot where it should.
    const first = Math.max(0, nearest(series.step, from) - 1);
    const last = Math.min(series.step.length - 1, nearest(series.step, to) + 1);
    let path = "";
    let isOpen = false;
    for (let i = first; i <= last; ++i) {
      const value = series.value[i];
      if (isDrawn(value)) {
        const place = `${frame.x(series.step[i]).toFixed(1)} ${this.y(value).toFixed(1)}`;
        path += `${isOpen ? "L" : "M"}${place}`;
        const isAlone = !isOpen && !isDrawn(series.value[i + 1]);
        if (points || isAlone) {
          const [cx, cy] = place.split(" ");
          inside.append(svg("circle", { cx, cy, r: points ? 4 : 2.5, class: look }));
        }
      }
      isOpen = isDrawn(value);
    }
    inside.prepend(svg("path", { class: `curve ${look}`, d: path }));
  }

  drawThreshold(inside) {
    const y = this.y(this.options.threshold);
    inside.append(
      svg("line", { class: "threshold", x1: MARGIN.left, x2: this.frame.right, y1: y, y2: y }),
      svg("text", { class: "threshold-name", x: MARGIN.left + 6, y: y - 5 },
        `alert from ${this.options.text(this.options.threshold)}`));
  }

  move() {
    const { cursor, range } = view;
    this.frame.move();
    this.at.textContent = cursor == null ? "" : `step ${whole(cursor)}`;
    this.curves.forEach((curve, i) => {
      const { series } = curve;
      const at = cursor == null ? lastWithValue(series) : nearest(series.step, cursor);
      curve.value.textContent = at < 0 ? "–" : this.options.text(series.value[at]);
      const dot = this.dots?.[i];
      if (!dot) return;
      const isSeen = cursor != null && this.y && series.value[at] != null &&
        series.step[at] >= range[0] && series.step[at] <= range[1];
      dot.style.display = isSeen ? "" : "none";
      if (!isSeen) return;
      dot.setAttribute("cx", this.frame.x(series.step[at]));
      dot.setAttribute("cy", this.y(series.value[at]));
    });
    if (this.options.marks) tellMarks(this.frame, this.options.marks);
  }
}

function lastWithValue(series) {
  let at = series.value.length - 1;
  while (at >= 0 && series.value[at] == null) --at;
  return at;
}
