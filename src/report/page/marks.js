// Alerts as marks over a plot, and the tip that tells them.

const GRAVITY = { info: 0, warning: 1, critical: 2 };
/// Shapes as well as colors.
const SHAPE = {
  info: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  warning: "M0 -6L6.5 5.5L-6.5 5.5z",
  critical: "M0 -7L7 0L0 7L-7 0z",
};
const severityOf = (alert) => (alert.severity in GRAVITY ? alert.severity : "info");
/// Closer than this, in pixels, marks are one.
const APART = 15;
/// More of them, and their lines would hide the curves.
const MOST_LINES = 24;

function groups(frame, alerts) {
  const found = [];
  for (const alert of alerts) {
    if (alert.step < view.range[0] || alert.step > view.range[1]) continue;
    const x = frame.x(alert.step);
    const last = found[found.length - 1];
    if (last && x - last.x < APART) last.alerts.push(alert);
    else found.push({ x, alerts: [alert] });
  }
  return found;
}

function drawMarks(frame, alerts) {
  frame.groups = groups(frame, alerts);
  for (const group of frame.groups) {
    const severity = group.alerts.map(severityOf).reduce((a, b) => (GRAVITY[a] >= GRAVITY[b] ? a : b));
    // A group stands where its gravest alert is.
    group.x = frame.x(group.alerts.find((alert) => severityOf(alert) === severity).step);
    const end = frame.groups.length > MOST_LINES ? 27 : frame.bottom;
    frame.svg.append(svg("g", { class: `mark ${severity}` },
      svg("line", { x1: group.x, x2: group.x, y1: 22, y2: end }),
      svg("path", { d: SHAPE[severity], transform: `translate(${group.x} 13)` })));
  }
}

/// Shows the tip where the pointer is on a mark, or the cursor, moved by keys, next to one.
function tellMarks(frame, alerts) {
  const tip = document.getElementById("tip");
  const byKey = frame.pointer == null && document.activeElement === frame.svg && view.cursor != null;
  const x = byKey ? frame.x(view.cursor) : frame.pointer?.[0];
  const isNear = x != null && (byKey || frame.pointer[1] < 26);
  const group = isNear && frame.groups?.find((one) => Math.abs(one.x - x) <= APART / 2 + 1);
  if (!group) {
    if (tip.owner === frame) tip.hidden = true;
    return;
  }
  tip.owner = frame;
  tip.replaceChildren(...group.alerts.slice(0, 3).map((alert) => html("p", {},
    html("b", { class: severityOf(alert) }, `${severityOf(alert)} at step ${whole(alert.step)}: `),
    alert.message)));
  if (group.alerts.length > 3) tip.append(html("p", { class: "soft" }, `and ${group.alerts.length - 3} more`));
  tip.hidden = false;
  const box = frame.svg.getBoundingClientRect();
  // Beside the mark, on the side that has more room.
  const isLeft = group.x < frame.width / 2;
  const left = box.left + group.x + (isLeft ? 14 : -14 - tip.offsetWidth);
  tip.style.left = `${Math.max(12, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 12))}px`;
  tip.style.top = `${box.top + 28}px`;
}

addEventListener("scroll", () => { document.getElementById("tip").hidden = true; }, { passive: true });

const badge = (severity) => html("span", { class: `badge ${severity}` }, severity);

const FIRST_ROWS = 12;

function alertTable(node) {
  const { alerts, alert_counts: counts } = data;
  const total = counts.info + counts.warning + counts.critical;
  const summary = html("span", { class: "keys" }, total === 0 ? "" : plural(total, "alert"));
  card(node, "Alerts", summary);
  if (!total) {
    node.append(html("p", { class: "soft" }, "None so far."));
    return;
  }
  const row = (alert, i) => html("tr", { class: i >= FIRST_ROWS ? "late" : null, hidden: i >= FIRST_ROWS },
    html("td", { class: "step" }, stepButton(alert.step)),
    html("td", { class: "narrow" }, badge(severityOf(alert))),
    html("td", { class: "narrow" }, alert.layer == null ? "" : `block ${alert.layer}`),
    html("td", { class: "text" }, alert.message),
    html("td", { class: "text soft" }, alert.action));
  const body = html("tbody", {}, ...alerts.map(row));
  node.append(html("table", { class: "alerts" },
    html("thead", {}, html("tr", {}, html("th", { class: "step", scope: "col" }, "step"),
      ...["severity", "where", "what", "done"].map((name) => html("th", { scope: "col" }, name)))), body));
  if (alerts.length > FIRST_ROWS) node.append(moreButton(body, alerts.length));
  if (total > alerts.length) {
    node.append(html("p", { class: "caption" },
      `The ${whole(alerts.length)} gravest of ${plural(total, "alert")} are listed; all are in alerts.jsonl.`));
  }
}

function stepButton(step) {
  const button = html("button", { type: "button", "aria-label": `show step ${step} in the charts` }, whole(step));
  button.addEventListener("click", () => {
    const span = Math.max(20, (view.full[1] - view.full[0]) / 10);
    show(Math.round(step - span / 2), Math.round(step + span / 2));
    change({ cursor: step });
    document.getElementById("loss").scrollIntoView({ block: "center" });
  });
  return button;
}

function moreButton(body, count) {
  const button = html("button", { type: "button", class: "more" }, `Show all ${whole(count)}`);
  button.addEventListener("click", () => {
    for (const row of body.rows) row.hidden = false;
    button.remove();
  });
  return button;
}
