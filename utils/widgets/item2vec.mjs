// Pairs of a session: sliders for the window and the power of the noise, and what they do to an item's neighbours.

const ROW = 25; // height of a title, in units of the drawing
const LEFT = 96; // where the titles begin; the arcs lie to the left of them
const WIDTH = 320;
const CHART = { height: 150, left: 40, right: 312, top: 14, bottom: 112 };

// Positions of the session that are contexts of a centre; a window of 0 is the whole session.
function contextsOf(centre, window, n) {
  const reach = window || n;
  return [...Array(n).keys()].filter((at) => at !== centre && Math.abs(at - centre) <= reach);
}

// As describe() of the Python class.
function describe({ titles, session, windows, powers, n_pairs, shares, nearest, alike, found, window, power, centre }) {
  const stop = windows.indexOf(window);
  const p = powers.indexOf(power);
  const near = nearest[stop][p][centre];
  const reach = window ? `Window ${window}` : "The whole session as the window";
  const text =
    `${reach}: ${n_pairs[stop]} pairs, ${contextsOf(centre, window, session.length).length} of them with ` +
    `${titles[session[centre]]} as the centre. Power ${power}: ${shares[p][0]}% of the negatives are from the most ` +
    `popular tenth. Nearest: ${near.map((other) => titles[other]).join(", ")}.`;
  if (!found.length) return text;
  const hits = near.filter((other) => alike[centre].includes(other)).length;
  return (
    `${text} ${hits} of these ${near.length} are truly alike; the average over all items is ` +
    `${found[stop][p].toFixed(2)}.`
  );
}

function render({ model, el }) {
  const names = [
    ...["titles", "session", "breaks", "windows", "powers", "n_pairs", "shares", "event_shares", "drawn", "nearest"],
    ...["alike", "found", "window", "power", "centre"],
  ];
  const traits = ["window", "power", "centre"];
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "item2vec", label: "Pairs of a session", traits });
  const { titles, session, breaks, windows, powers, shares, event_shares, drawn, nearest, alike, found } = state();
  const n = session.length;
  const hasTruth = found.length > 0;
  const inWords = (window) => (window ? `${window}` : "whole");

  const [MORE, SAME, LESS] = ["Truer", "The same", "Less true"];
  const guess = prediction({
    question: hasTruth
      ? "Widen the window from one end to the other. Will the nearest items become truer, stay as they are, or become less true?"
      : "Widen the window from one end to the other. Will the five nearest items stay the same?",
    options: hasTruth ? [MORE, SAME, LESS] : ["All of them", "Some of them", "None of them"],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now move the first slider from end to end.`),
  });
  function explain() {
    if (!hasTruth) return;
    const p = powers.indexOf(model.get("power"));
    const [from, to] = [found[0][p], found.at(-1)[p]];
    const answer = Math.abs(to - from) < 0.1 ? SAME : to > from ? MORE : LESS;
    const byPower = found[windows.indexOf(model.get("window"))];
    const [low, high] = [Math.min(...byPower), Math.max(...byPower)];
    guess.reveal(
      `${guess.chosen ? (guess.chosen === answer ? "Right. " : "Look again. ") : ""}Of five neighbours, ${from.toFixed(2)} ` +
        `are truly alike with the shortest window and ${to.toFixed(2)} with the widest, averaged over all items. The power ` +
        `draws quite other negatives, and the average stays between ${low.toFixed(2)} and ${high.toFixed(2)}.`,
    );
  }

  // Controls
  const pickerId = newId();
  const picker = h("select", { id: pickerId }, ...session.map((item, at) => h("option", { value: at }, titles[item])));
  picker.addEventListener("input", () => view.change({ centre: Number(picker.value) }));
  const turn = (change) => (view.change(change), explain());
  const window_ = stops({ label: "Window", values: windows, onInput: (window) => turn({ window }) });
  const power_ = stops({ label: "Noise power", values: powers, onInput: (power) => turn({ power }) });

  // The session, with an arc for each pair
  const y = (at) => at * ROW + ROW / 2 + 4;
  const arcs = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const bulge = LEFT - 14 - Math.min(LEFT - 22, 8 + (j - i) * 12);
      const d = `M ${LEFT - 12} ${y(i)} C ${bulge} ${y(i)}, ${bulge} ${y(j)}, ${LEFT - 12} ${y(j)}`;
      arcs.push({ i, j, node: s("path", { d }) });
    }
  }
  const rows = session.map((item, at) => {
    const node = s(
      "g",
      {},
      s("rect", { x: LEFT - 4, y: y(at) - ROW / 2, width: WIDTH - LEFT + 4, height: ROW, rx: 4 }),
      s("circle", { cx: LEFT - 10, cy: y(at), r: 4 }),
      s("text", { x: LEFT + 4, y: y(at) + 4 }, titles[item]),
    );
    node.addEventListener("click", () => view.change({ centre: at }));
    return node;
  });
  const nights = breaks.map((at) =>
    s("line", { class: "bw-night", x1: LEFT, x2: WIDTH, y1: y(at) - ROW / 2, y2: y(at) - ROW / 2 }),
  );
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${n * ROW + 8}`, role: "img", "aria-label": "The session from first to last, with an arc for each pair in the window" },
    ...arcs.map((arc) => arc.node),
    ...rows,
    ...nights,
  );
  const note = h("p", { class: "bw-note" });

  // The chart: where negatives come from
  const top = Math.max(...shares.flat(), ...event_shares);
  const slot = (CHART.right - CHART.left) / event_shares.length;
  const barX = (part) => CHART.left + part * slot + 3;
  const barY = (percent) => CHART.bottom - (percent / top) * (CHART.bottom - CHART.top);
  const bars = event_shares.map((_, part) => s("rect", { class: "bw-bar", x: barX(part), width: slot - 6 }));
  const marks = event_shares.map((share, part) =>
    s("line", { class: "bw-mark", x1: barX(part) - 2, x2: barX(part) + slot - 4, y1: barY(share), y2: barY(share) }),
  );
  const chart = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${CHART.height}`, role: "img", "aria-label": "Share of the negatives from each tenth of the items by popularity, beside the share of the events" },
    s("line", { class: "bw-axis", x1: CHART.left, x2: CHART.right, y1: CHART.bottom, y2: CHART.bottom }),
    ...bars,
    ...marks,
    s("text", { x: CHART.left - 5, y: barY(top) + 5, "text-anchor": "end" }, `${top}%`),
    s("text", { x: CHART.left - 5, y: CHART.bottom + 4, "text-anchor": "end" }, "0"),
    s("text", { x: CHART.left, y: CHART.bottom + 16 }, "most popular tenth"),
    s("text", { x: CHART.right, y: CHART.bottom + 16, "text-anchor": "end" }, "rarest tenth"),
    s("rect", { class: "bw-bar", x: CHART.left, y: CHART.bottom + 24, width: 12, height: 9 }),
    s("text", { x: CHART.left + 17, y: CHART.bottom + 33 }, "negatives"),
    s("line", { class: "bw-mark", x1: CHART.left + 95, x2: CHART.left + 111, y1: CHART.bottom + 29, y2: CHART.bottom + 29 }),
    s("text", { x: CHART.left + 116, y: CHART.bottom + 33 }, "events in the log"),
  );

  const heading = h("p", { class: "bw-title" });
  const list = h("ol");
  const lots = h("ul");
  view.body.classList.add("bw-item2vec");
  view.body.append(
    guess.node,
    h("div", { class: "bw-controls" }, window_.node, power_.node, h("div", { class: "bw-picker" }, h("label", { for: pickerId }, "Centre"), picker)),
    h("div", { class: "bw-session" }, drawing, note),
    h("div", { class: "bw-near" }, heading, list),
    h("div", { class: "bw-noise" }, h("p", { class: "bw-title" }, "Where the negatives come from"), chart, h("p", { class: "bw-title" }, `${drawn[0].length} that were drawn`), lots),
  );

  function draw() {
    const window = model.get("window");
    const centre = model.get("centre");
    const stop = windows.indexOf(window);
    const p = powers.indexOf(model.get("power"));
    const contexts = contextsOf(centre, window, n);
    const reach = window || n;
    arcs.forEach(({ i, j, node }) => {
      const isCentres = (i === centre || j === centre) && j - i <= reach;
      node.setAttribute("class", isCentres ? "bw-pair bw-own" : j - i <= reach ? "bw-pair" : "bw-no-pair");
      if (isCentres) rows[0].before(node); // on top of the other arcs
    });
    rows.forEach((node, at) => node.setAttribute("class", at === centre ? "bw-centre" : contexts.includes(at) ? "bw-context" : "bw-other"));
    note.textContent = breaks.length
      ? "From first to last. A dotted line is a night between two evenings. Choose another centre by a click."
      : "From first to last. Choose another centre by a click.";
    heading.textContent = `Nearest to ${titles[session[centre]]}`;
    list.replaceChildren(
      ...nearest[stop][p][centre].map((other) =>
        h("li", {}, titles[other], ...(alike[centre].includes(other) ? [" ", h("span", { class: "bw-true" }, "truly alike")] : [])),
      ),
    );
    bars.forEach((bar, part) => {
      bar.setAttribute("y", barY(shares[p][part]));
      bar.setAttribute("height", CHART.bottom - barY(shares[p][part]));
    });
    lots.replaceChildren(
      ...drawn[p].map((item) =>
        h("li", {}, titles[item], ...(session.includes(item) ? [" ", h("span", { class: "bw-watched" }, "in this session")] : [])),
      ),
    );
    picker.value = centre;
    window_.show(stop, inWords(window));
    power_.show(p, `${powers[p]}`);
    view.say(describe(state()));
  }

  return view.run(draw, { forget: guess.clear });
}

export default { render, contextsOf, describe };
