// Curves over steps.

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
    const hasDots = points && last - first <= 80;
    let path = "";
    let isOpen = false;
    for (let i = first; i <= last; ++i) {
      const value = series.value[i];
      if (isDrawn(value)) {
        const place = `${frame.x(series.step[i]).toFixed(1)} ${this.y(value).toFixed(1)}`;
        path += `${isOpen ? "L" : "M"}${place}`;
        const isAlone = !isOpen && !isDrawn(series.value[i + 1]);
        if (hasDots || isAlone) {
          const [cx, cy] = place.split(" ");
          inside.append(svg("circle", { cx, cy, r: hasDots ? 4 : 2.5, class: look }));
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
      svg("text", { class: "threshold-name", x: this.frame.right - 6, y: y - 6, "text-anchor": "end" },
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
