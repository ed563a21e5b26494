// The frame that all plots over steps share: axes, cursor, zooming, keys.

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
      const text = whole(step);
      // The last one stays inside the picture.
      const x = Math.min(this.x(step), this.width - text.length * 3.4 - 1);
      this.axis.append(svg("text", { x, y: this.height - 8, "text-anchor": "middle" }, text));
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
