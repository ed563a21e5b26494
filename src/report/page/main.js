// The page, from top to bottom.

const curve = (key, name, look = "first", points = false) => ({ series: data.series[key], name, look, points });

function drawRisk(node) {
  const isThere = data.risk.value.some((value) => value != null);
  if (isThere) {
    new LineChart(node, "Risk", [{ series: data.risk, name: "probability of breaking", look: "first" }], {
      height: 180, floor: 0, ceiling: 1, text: percent, tick: percent, threshold: data.threshold, marks: data.alerts.filter((alert) => alert.kind === "risk"),
      caption: data.about.monitor ? `Monitor: ${data.about.monitor}.` : null,
    });
    return;
  }
  card(node, "Risk", null);
  const why = /not calibrated[^;]*/.exec(data.about.monitor ?? "")?.[0];
  node.append(html("p", { class: "soft" }, !data.risk.value.length
    ? "No probes of training steps so far, so there is no risk to show."
    : `Not calibrated: the monitor has no probability for this run${why ? ` (its risk is ${why})` : ""}. Its detectors and features below work all the same.`));
}

/// In GiB where it is that much.
function memoryCurve() {
  const series = data.series.mem_peak_mib;
  const isMuch = series?.value.some((value) => value >= 1024);
  const value = series?.value.map((mib) => (isMuch && mib != null ? mib / 1024 : mib));
  return { series: series && { ...series, value }, name: `largest rank, ${isMuch ? "GiB" : "MiB"}`, look: "first" };
}

function drawSmall(parent) {
  const chart = (title, curves, options) => {
    if (!curves.some(({ series }) => series?.value.some((value) => value != null))) return;
    new LineChart(parent.appendChild(html("section", { class: "card" })), title, curves, { height: 180, ...options });
  };
  chart("Gradient norm", [curve("grad_norm", "before clipping")], { log: true });
  chart("Learning rate", [curve("lr", "rate")], { floor: 0 });
  chart("Throughput", [curve("tokens_per_s", "tokens/s")], { floor: 0, text: (value) => (value == null ? "–" : whole(value)) });
  chart("Memory", [memoryCurve()], { floor: 0 });
  chart("Held-out bits per byte", [curve("val_bits_per_byte", "bits/byte", "second", true)]);
  chart("Model FLOP utilization", [curve("mfu", "of the measured ceiling")], { floor: 0, text: percent, tick: percent });
  if (new Set(data.series.loss_scale?.value).size > 1) chart("Loss scale", [curve("loss_scale", "scale")], { log: true });
}

document.getElementById("model").textContent = data.about.model ?? "";
tiles();
notes();
new LineChart(document.getElementById("loss"), "Loss",
  [curve("loss", "training"), curve("val_loss", "held out", "second", true)], { height: 320, marks: data.alerts });
drawRisk(document.getElementById("risk"));
new HeatMap(document.getElementById("layers"));
new Spectra(document.getElementById("spectrum"));
drawSmall(document.getElementById("small"));
alertTable(document.getElementById("alerts"));
about(document.getElementById("about"));
setUpToolbar();
drawAll();
