// Consistency laboratory: curves against k that are looked up, and a small picture of the scores behind one point.

const NAMES = { normal: "normal", uniform: "uniform", signs: "+1 or −1", heavy: "heavy tails" };
const KURTOSIS = { normal: 3, uniform: 1.8, signs: 1, heavy: 9 };
const CHART = { width: 340, height: 230, left: 44, right: 330, top: 12, bottom: 192 };
const SCORES = { width: 340, height: 200, left: 10, right: 330, top: 26, bottom: 168 };

// Shares as pack_shares of the Python module writes them; NaN for "--".
const unpack = (text) => (text.match(/../g) || []).map((pair) => (pair === "--" ? NaN : parseInt(pair, 36) / 1000));

const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

// Logarithm of the chance that a standard normal number is above x: a series near 0, a continued fraction far out.
function logUpperTail(x) {
  if (x < 0) return Math.log1p(-Math.exp(logUpperTail(-x)));
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 3; n < 90; n += 2) sum += term *= (x * x) / n;
    return Math.log(0.5 - density(x) * sum);
  }
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / fraction;
  return (-x * x) / 2 - Math.log(fraction * Math.sqrt(2 * Math.PI));
}

// As picture() of the Python module: where the members' scores lie, and the score above which k items are expected.
function picture(d, nItems, k, kurtosis) {
  const gap = Math.sqrt(d / k);
  const ratio = Math.sqrt((kurtosis + k - 2) / k);
  if (ratio === 0) return { gap, ratio, end: gap };
  let [low, high] = [-10, Math.max(10, gap + 10 * ratio)];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const surplus = Math.log((nItems - k) / k) + logUpperTail(middle) - logUpperTail((gap - middle) / ratio);
    if (surplus > 0) low = middle;
    else high = middle;
  }
  return { gap, ratio, end: (low + high) / 2 };
}

// As _percent() of the Python module.
function percent(share) {
  const thousandths = Math.floor(1000 * share + 0.5);
  if (thousandths === 0) return "less than 0.1%";
  return thousandths % 10 ? `${(thousandths / 10).toFixed(1)}%` : `${thousandths / 10}%`;
}

// As _whole_percent() of the Python module: for shares that were sampled.
function wholePercent(share) {
  const thousandths = Math.floor(1000 * share + 0.5);
  if (thousandths < 5) return "less than 1%";
  return thousandths >= 995 && thousandths < 1000 ? "more than 99%" : `${Math.floor((thousandths + 5) / 10)}%`;
}

const withCommas = (number) => number.toLocaleString("en-GB");

// Large numbers as powers of ten, so that they fit beside a slider.
function short(number) {
  if (number < 10000) return withCommas(number);
  const power = Math.floor(Math.log10(number) + 1e-9);
  const first = Math.round(number / 10 ** power);
  return (first > 1 ? `${first}·` : "") + "10" + [...`${power}`].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
}

// The rows of both tables of shares that belong to a state, along all k.
function shares({ dimensions, catalogues, subsets, formula, sampled, dimension, n_items, distribution }) {
  const start = (dimensions.indexOf(dimension) * catalogues.length + catalogues.indexOf(n_items)) * subsets.length;
  return [formula, sampled].map((table) => unpack(table[distribution].slice(2 * start, 2 * (start + subsets.length))));
}

// As describe() of the Python class.
function describe(state) {
  const { dimension, n_items: nItems, k, distribution, overlays, overlay } = state;
  const [formula, sampled] = shares(state).map((values) => values[state.subsets.indexOf(k)]);
  const ways = [
    `by the formula ${percent(formula)} of these come back`,
    ...(Number.isNaN(sampled) ? [] : [`by ${distribution === "normal" ? "the exact law" : "simulation"} ${wholePercent(sampled)}`]),
    `by chance ${percent(k / nItems)}`,
  ];
  const text = `${withCommas(nItems)} items of ${withCommas(dimension)} numbers (${NAMES[distribution]}), ${withCommas(k)} averaged: ${ways.join(", ")}.`;
  const one = overlays.find(({ name }) => name === overlay);
  if (!one) return text;
  const distances = one.k.map((value) => Math.abs(value - k));
  const place = distances.indexOf(Math.min(...distances));
  return `${text} Measured, ${one.name}: ${percent(one.value[place])} at k = ${one.k[place]}.`;
}

function render({ model, el }) {
  const names = ["dimensions", "catalogues", "subsets", "formula", "sampled", "overlays", "dimension", "n_items", "k", "distribution", "overlay"];
  const traits = names.slice(6);
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "averaging", label: "Consistency laboratory", traits });
  const { dimensions, catalogues, subsets, overlays } = state();
  const lastK = subsets[subsets.length - 1];

  const DOWN = "Fall all the way";
  const TURN = "Fall, then rise";
  let isWhole = false; // the curve ends at k until a slider moves: it would give the answer away
  const guess = prediction({
    question: "The list is always as long as the subset. As you average more and more items, up to the whole catalogue, the share that comes back will …",
    options: [DOWN, TURN, "Rise all the way"],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now move the slider of k from end to end.`),
  });
  function explain() {
    if (model.get("n_items") > lastK) {
      guess.reveal(`Here the slider ends at k = ${withCommas(lastK)}, long before the catalogue does. Choose at most ${withCommas(lastK)} items to see the whole way.`);
      return;
    }
    const values = shares(state())[0].filter((value) => !Number.isNaN(value));
    const lowest = values.indexOf(Math.min(...values));
    const answer = lowest === values.length - 1 ? DOWN : lowest === 0 ? "Rise all the way" : TURN;
    guess.reveal(
      `${guess.chosen ? (guess.chosen === answer ? "Right, for these items. " : "Look again. ") : ""}By the formula it is lowest at ` +
        `k = ${subsets[lowest]}, with ${percent(values[lowest])}. Where all items are averaged, all of them are in the list.`,
    );
  }

  // Controls
  const stopsOf = (label, values, name, after = () => {}) => {
    const control = stops({
      label,
      values,
      onInput: (value) => {
        isWhole = true;
        if (name === "n_items") view.change({ n_items: value, k: subsets.filter((k) => k <= Math.min(value, model.get("k"))).pop() });
        else if (name === "k") view.change({ k: subsets.filter((k) => k <= Math.min(value, model.get("n_items"))).pop() });
        else view.change({ [name]: value });
        for (const one of sliders) one.show(); // k may have stayed where it was, below the place of the handle
        after();
      },
    });
    return { node: control.node, show: () => control.show(values.indexOf(model.get(name)), short(model.get(name))) };
  };
  const sliders = [
    stopsOf("Average k =", subsets, "k", explain),
    stopsOf("of N items", catalogues, "n_items"),
    stopsOf("with d =", dimensions, "dimension"),
  ];
  const distribution = choice({
    legend: "Numbers in a vector",
    options: Object.entries(NAMES),
    onInput: (name) => {
      isWhole = true;
      view.change({ distribution: name });
    },
  });
  const pickerId = newId();
  const picker = h("select", { id: pickerId }, h("option", { value: "" }, "none"), ...overlays.map(({ name }) => h("option", { value: name }, name)));
  // Real vectors are set beside ideal ones of like number and size.
  const nearest = (values, value) => values.reduce((a, b) => (Math.abs(Math.log(b / value)) < Math.abs(Math.log(a / value)) ? b : a));
  picker.addEventListener("input", () => {
    isWhole = true;
    const one = overlays.find(({ name }) => name === picker.value);
    const size = one && { dimension: nearest(dimensions, one.d), n_items: nearest(catalogues, one.n_items) };
    const k = one && Math.min(model.get("k"), ...subsets.filter((stop) => stop <= size.n_items).slice(-1));
    view.change({ overlay: picker.value, ...(one ? { ...size, k } : {}) });
  });

  // The chart
  const chartX = (k) => CHART.left + (Math.log(k) / Math.log(lastK)) * (CHART.right - CHART.left);
  const chartY = (share) => CHART.bottom - share * (CHART.bottom - CHART.top);
  const path = (values, y) => values.map((value, i) => (Number.isNaN(value) ? "" : `${chartX(subsets[i]).toFixed(1)},${y(value).toFixed(1)}`)).join(" ").trim();
  const lines = ["bw-chance", "bw-sampled", "bw-formula"].map((kind) => s("polyline", { class: kind }));
  const rule = s("line", { class: "bw-rule", y1: CHART.top, y2: CHART.bottom });
  const dots = ["bw-sampled", "bw-formula"].map((kind) => s("circle", { class: kind, r: 5 }));
  const measured = s("g", { class: "bw-measured" });
  const decades = [1, 10, 100, 1000].filter((k) => k <= lastK);
  const chart = s(
    "svg",
    { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": "Share of the averaged items that come back, against k" },
    ...[0, 0.5, 1].map((share) => s("line", { class: "bw-grid", x1: CHART.left, x2: CHART.right, y1: chartY(share), y2: chartY(share) })),
    ...[0, 0.5, 1].map((share) => s("text", { x: CHART.left - 6, y: chartY(share) + 4, "text-anchor": "end" }, `${100 * share}%`)),
    ...decades.map((k) => s("text", { x: chartX(k), y: CHART.bottom + 17, "text-anchor": k === lastK ? "end" : "middle" }, withCommas(k))),
    s("text", { x: (CHART.left + CHART.right) / 2, y: CHART.height - 4, "text-anchor": "middle" }, "k, items averaged and listed"),
    rule,
    ...lines,
    measured,
    ...dots,
  );
  const sample = (kind) => h("span", { class: `bw-sample ${kind}`, "aria-hidden": "true" });
  const sampledName = h("span");
  const measuredName = h("span");
  const measuredKey = h("span", {}, sample("bw-measured"), measuredName);
  const key = h("p", { class: "bw-key" }, h("span", {}, sample("bw-formula"), "formula"), h("span", {}, sample("bw-sampled"), sampledName), h("span", {}, sample("bw-chance"), "chance"), measuredKey);

  // The picture of the scores
  const areas = ["bw-others", "bw-members"].map((kind) => s("path", { class: kind }));
  const tails = ["bw-others", "bw-members"].map((kind) => s("path", { class: `${kind} bw-listed` }));
  const end = s("line", { class: "bw-end", y1: SCORES.top - 6, y2: SCORES.bottom });
  const [othersText, membersText, endText] = [s("text", { y: SCORES.bottom + 16 }), s("text", { y: SCORES.bottom + 16 }), s("text", { y: 12 })];
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${SCORES.width} ${SCORES.height}`, role: "img", "aria-label": "Distributions of the scores of members and of other items, and the end of the list" },
    s("line", { class: "bw-axis", x1: SCORES.left, x2: SCORES.right, y1: SCORES.bottom, y2: SCORES.bottom }),
    ...areas,
    ...tails,
    end,
    othersText,
    membersText,
    endText,
  );
  const note = h("p", { class: "bw-note" });

  function drawScores({ dimension, n_items: nItems, k, distribution: name }) {
    const { gap, ratio, end: score } = picture(dimension, nItems, k, KURTOSIS[name]);
    const isAll = k === nItems;
    const width = Math.max(ratio, 0.02);
    const [from, to] = [-3.6, Math.max(3.6, gap + 3.6 * width, isAll ? 0 : score + 0.5)];
    const x = (value) => SCORES.left + ((value - from) / (to - from)) * (SCORES.right - SCORES.left);
    const area = (middle, spread, start) => {
      const left = Math.min(Math.max(start, middle - 4 * spread, from), to);
      const right = Math.max(Math.min(to, middle + 4 * spread), left);
      const points = Array.from({ length: 61 }, (_, i) => left + ((right - left) * i) / 60);
      const peak = density(0) * Math.max(1, 1 / Math.max(width, 0.5));
      const y = (value) => SCORES.bottom - (Math.min(density((value - middle) / spread) / spread, peak) / peak) * (SCORES.bottom - SCORES.top - 4);
      return `M${x(left).toFixed(1)},${SCORES.bottom}` + points.map((value) => `L${x(value).toFixed(1)},${y(value).toFixed(1)}`).join("") + `L${x(right).toFixed(1)},${SCORES.bottom}Z`;
    };
    const start = isAll ? -Infinity : score;
    [[0, 1], [gap, width]].forEach(([middle, spread], i) => {
      areas[i].setAttribute("d", area(middle, spread, -Infinity));
      tails[i].setAttribute("d", area(middle, spread, start));
    });
    const isNear = x(gap) - x(0) < 110;
    const place = (text, value, anchor, words) => {
      text.setAttribute("x", Math.min(Math.max(value, 4), SCORES.width - 4).toFixed(1));
      text.setAttribute("text-anchor", anchor);
      text.textContent = words;
    };
    place(othersText, isNear ? x(0) - 4 : x(0), isNear ? "end" : "middle", isAll ? "" : "others");
    place(membersText, isNear ? x(gap) + 4 : Math.min(x(gap), SCORES.width - 34), isNear ? "start" : "middle", "members");
    end.style.display = isAll ? "none" : "";
    end.setAttribute("x1", x(score));
    end.setAttribute("x2", x(score));
    place(endText, isAll ? SCORES.width / 2 : x(score), isAll ? "middle" : x(score) > SCORES.width / 2 ? "end" : "start", isAll ? "no other items are left" : "the list ends here");
    note.textContent = isAll
      ? "Every item is a member, so every item is in the list."
      : `Scores as the formula sees them. Filled: what is in the list. For each member there are ${short(Number(((nItems - k) / k).toPrecision(nItems >= 1e4 * k ? 1 : 2)))} others.`;
  }

  view.body.classList.add("bw-averaging");
  view.body.append(
    guess.node,
    h(
      "div",
      { class: "bw-controls" },
      ...sliders.map((one) => one.node),
      distribution.node,
      ...(overlays.length ? [h("div", { class: "bw-picker" }, h("label", { for: pickerId }, "Real vectors"), picker)] : []),
    ),
    h("div", { class: "bw-chart" }, chart, key),
    h("div", { class: "bw-scores" }, drawing, note),
  );

  function draw() {
    const now = state();
    const [formula, sampled] = shares(now);
    const place = subsets.indexOf(now.k);
    const chance = subsets.map((k) => (k <= now.n_items ? k / now.n_items : NaN));
    [chance, sampled, formula].forEach((values, i) => {
      lines[i].setAttribute("points", path(values.map((value, at) => (isWhole || at <= place ? value : NaN)), chartY));
    });
    rule.setAttribute("x1", chartX(now.k));
    rule.setAttribute("x2", chartX(now.k));
    [sampled, formula].forEach((values, i) => {
      dots[i].style.display = Number.isNaN(values[place]) ? "none" : "";
      dots[i].setAttribute("cx", chartX(now.k));
      dots[i].setAttribute("cy", chartY(values[place] || 0));
    });
    const one = overlays.find(({ name }) => name === now.overlay);
    measured.replaceChildren(
      ...(one ? one.k : []).flatMap((k, i) => {
        const [x, value, error] = [chartX(k), one.value[i], 2 * one.error[i]];
        return [
          s("line", { x1: x, x2: x, y1: chartY(Math.min(1, value + error)), y2: chartY(Math.max(0, value - error)) }),
          s("rect", { x: x - 4, y: chartY(value) - 4, width: 8, height: 8 }),
        ];
      }),
    );
    sampledName.textContent = now.distribution === "normal" ? "exact law" : sampled.every(Number.isNaN) ? "too large to simulate" : "simulation";
    measuredName.textContent = one ? one.name : "";
    measuredKey.style.display = one ? "" : "none";
    drawScores(now);
    for (const control of sliders) control.show();
    distribution.show(now.distribution);
    picker.value = now.overlay;
    view.say(describe(now));
  }

  const forget = () => {
    isWhole = false;
    guess.clear();
  };
  return view.run(draw, { forget });
}

export default { render, unpack, logUpperTail, picture, percent, short, shares, describe };
