// What stands above and below the charts.

const setting = (key) => data.settings.find(([name]) => name === key)?.[1];

function newest(key) {
  const series = data.series[key];
  const at = series ? lastWithValue(series) : -1;
  return at < 0 ? null : { step: series.step[at], value: series.value[at] };
}

function tile(name, figure, unit = "", ...more) {
  return html("div", { class: "tile" }, html("div", { class: "name" }, name),
    html("div", { class: "figure" }, figure, " ", html("span", { class: "unit" }, unit)),
    ...more.map((line) => (typeof line === "string" ? html("div", { class: "more" }, line) : line)));
}

function stepTile() {
  const step = data.last?.step;
  if (step == null) return tile("Step", "–", "", "no record yet");
  const last = Number(setting("run.stop_at") || setting("run.steps"));
  if (!last) return tile("Step", whole(step));
  const bar = html("progress", { max: last, value: step, "aria-label": "steps done" });
  return tile("Step", whole(step), `of ${whole(last)}`, bar, step >= last ? "finished" : `${Math.floor((100 * step) / last)}% done`);
}

function lossTile() {
  const loss = newest("loss");
  if (!loss) return tile("Training loss", "–");
  const stale = data.last.loss == null;
  return tile("Training loss", stale ? "not finite" : plain(loss.value), stale ? "" : "nats",
    stale ? `last ${plain(loss.value)} at step ${whole(loss.step)}` : `at step ${whole(loss.step)}`);
}

function heldOutTile() {
  // A dataset of token ids does not know bytes of text.
  const [key, unit] = newest("val_bits_per_byte") ? ["val_bits_per_byte", "bits/byte"] : ["val_loss", "nats/token"];
  const found = newest(key);
  if (!found) return tile("Held-out text", "–", "", "not evaluated yet");
  const best = data.series[key].value.reduce((a, b) => (b == null || a <= b ? a : b), Infinity);
  return tile("Held-out text", plain(found.value), unit,
    best < found.value ? `at step ${whole(found.step)}; best ${plain(best)}` : `at step ${whole(found.step)}`);
}

function alertTile() {
  const counts = data.alert_counts;
  const total = counts.info + counts.warning + counts.critical;
  const badges = ["critical", "warning", "info"].filter((name) => counts[name])
    .flatMap((name) => [html("span", { class: `badge ${name}` }, `${counts[name]} ${name}`), " "]);
  return tile("Alerts", whole(total), "", total ? html("div", {}, ...badges) : "all quiet");
}

function tiles() {
  const speed = newest("tokens_per_s");
  const memory = newest("mem_peak_mib");
  document.getElementById("tiles").append(stepTile(), lossTile(), heldOutTile(), alertTile(),
    tile("Tokens per second", speed ? whole(speed.value) : "–", "",
      data.last?.tokens ? `${short(data.last.tokens)} so far` : ""),
    tile("Memory", memory ? mebibytes(memory.value) : "–", "", "of the largest rank"));
}

const percent = (value) => (value == null ? "–" : `${Number((100 * value).toPrecision(3))}%`);
const mebibytes = (value) => (value == null ? "–" : value >= 1024 ? `${plain(value / 1024)} GiB` : `${plain(value)} MiB`);

function notes() {
  const said = [...data.notes];
  const thinned = Object.values(data.series).filter((series) => series.of > series.step.length);
  if (thinned.length) {
    const most = Math.max(...thinned.map((series) => series.of));
    said.push(`This is a long run: curves are drawn with at most 2,000 of their ${whole(most)} points; of each stretch, the smallest and the largest are kept.`);
  }
  if (!data.last) said.push("log.jsonl holds no record yet: make this page again once some steps are done.");
  const list = document.getElementById("notes");
  list.hidden = !said.length;
  list.append(...said.map((text) => html("li", {}, text)));
}

function about(node) {
  card(node, "Configuration", null);
  const facts = ["model", "job", "mode", "precision", "monitor"].filter((name) => data.about[name]);
  if (facts.length) {
    node.append(html("dl", { class: "facts" }, ...facts.flatMap((name) =>
      [html("dt", {}, name), html("dd", {}, data.about[name])])));
  }
  if (!data.settings.length) {
    node.append(html("p", { class: "soft" }, "There is no config.resolved.ini in the run's folder."));
    return;
  }
  const sections = new Map();
  for (const [key, value] of data.settings) {
    const [section, name] = key.includes(".") ? [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)] : ["", key];
    if (!sections.has(section)) sections.set(section, []);
    sections.get(section).push(html("dt", {}, name), html("dd", {}, value));
  }
  node.append(html("details", {}, html("summary", {}, "All keys (config.resolved.ini)"),
    html("div", { class: "sections" }, ...[...sections].map(([name, rows]) =>
      html("section", {}, html("h3", {}, name), html("dl", {}, ...rows))))));
}
