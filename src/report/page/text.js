// Elements and numbers as text.

const data = JSON.parse(document.getElementById("data").textContent);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

const whole = (value) => Math.round(value).toLocaleString("en-US");

/// Four digits: 12.34, 1,234, 1.2e-4; a dash for what is not there.
function plain(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value.toExponential(2).replace("e+", "e").replace(/\.?0+e/, "e");
  }
  if (size >= 1000) return whole(value);
  return String(Number(value.toPrecision(4)));
}

/// Short, for axes: 20k, 1.5M, 1e-5.
function short(value) {
  const size = Math.abs(value);
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= unit && size < unit * 1000) return Number((value / unit).toPrecision(4)) + name;
  }
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) {
    return value.toExponential(1).replace("e+", "e").replace(".0e", "e");
  }
  return String(Number(value.toPrecision(6)));
}

const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

/// Round numbers between low and high, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const sizes = [0.5, 1, 2, 5, 10].map((n) => n * power);
  const at = (step) => {
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
      found.push(Number((i * step).toPrecision(12)));
    }
    return found;
  };
  const fitting = sizes.findIndex((size) => size >= rough * (1 - 1e-9));
  const found = at(sizes[fitting]);
  return found.length > 2 || fitting === 0 ? found : at(sizes[fitting - 1]);
}

/// Powers of ten; where there are fewer than two, what lies between them as well.
function logTicks(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const apart = Math.max(1, Math.ceil((last - first + 1) / count));
  const found = [];
  for (let power = first; power <= last; power += apart) found.push(10 ** power);
  if (found.length > 1) return found;
  const between = [];
  for (let power = first - 1; power <= last; ++power) {
    for (const n of [1, 2, 5]) {
      const value = Number((n * 10 ** power).toPrecision(6));
      if (value >= low && value <= high) between.push(value);
    }
  }
  return between.length > 1 ? between : ticks(low, high, count).filter((value) => value > 0);
}

/// Where in a rising list the number next to `value` is; -1 in an empty one.
function nearest(list, value) {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - list[low - 1] <= list[low] - value ? low - 1 : low < list.length ? low : -1;
}
