// What all charts share: the steps shown, the step under the cursor, the block chosen.

const view = {
  full: allSteps(),
  range: allSteps(),
  cursor: null,
  /// Block 0 expands in every run: it says the least.
  block: 1,
  panels: [],
};

function allSteps() {
  const lists = [data.risk.step, data.alerts.map((alert) => alert.step)];
  for (const series of Object.values(data.series)) lists.push(series.step);
  for (const source of Object.values(data.probes)) lists.push(source.step);
  const ends = lists.filter((list) => list.length).flatMap((list) => [list[0], list[list.length - 1]]);
  if (!ends.length) return [0, 1];
  const low = Math.min(...ends);
  return [low, Math.max(low + 1, ...ends)];
}

let drawing = 0;

/// Takes over what changed; charts are drawn anew where it is more than the cursor.
function change(part) {
  Object.assign(view, part);
  if ("cursor" in part && Object.keys(part).length === 1) {
    for (const panel of view.panels) panel.move();
    return;
  }
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(drawAll);
}

function drawAll() {
  for (const panel of view.panels) {
    panel.draw();
    panel.move();
  }
}

function show(from, to) {
  const [low, high] = view.full;
  const first = Math.max(low, Math.min(from, high - 1));
  change({ range: [first, Math.min(high, Math.max(to, first + 1))] });
}

function zoom(factor, around) {
  const [from, to] = view.range;
  const middle = around ?? (from + to) / 2;
  show(Math.round(middle - (middle - from) * factor), Math.round(middle + (to - middle) * factor));
}

const isAll = () => view.range[0] === view.full[0] && view.range[1] === view.full[1];

/// Draws a panel now and whenever the view or its width changes.
function watch(panel, node) {
  view.panels.push(panel);
  new ResizeObserver(() => {
    panel.draw();
    panel.move();
  }).observe(node);
}

function setUpToolbar() {
  const from = document.getElementById("from");
  const to = document.getElementById("to");
  const all = document.getElementById("all");
  const read = () => show(Number(from.value), Number(to.value));
  from.addEventListener("change", read);
  to.addEventListener("change", read);
  all.addEventListener("click", () => change({ range: view.full }));
  document.getElementById("toolbar").addEventListener("submit", (event) => event.preventDefault());
  view.panels.push({
    move() {},
    draw() {
      [from.value, to.value] = view.range;
      all.disabled = isAll();
    },
  });
}
