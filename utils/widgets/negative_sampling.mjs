// Noise explorer: a slider for the power of popularity, what is then drawn, and how often that is a mistake.

const BARS = { width: 320, height: 210, left: 50, right: 314, top: 12, bottom: 172 };
const CURVE = { width: 320, height: 210, left: 67, right: 312, top: 12, bottom: 172 };
const LOW = -6; // the chart of false negatives begins at ten to this power

// As describe() of the Python class.
function describe({ catalogues, powers, watched, drawn, false_text, power, catalogue }) {
  const which = catalogues.indexOf(catalogue);
  const stop = powers.indexOf(power);
  return (
    `${catalogue}, power ${power.toFixed(1)}: the most popular tenth gets ${Math.round(drawn[which][stop][0])}% ` +
    `of the draws, and has ${Math.round(watched[which][0])}% of the viewings. Of all draws, ` +
    `${false_text[which][stop]} hit something that the viewer already has.`
  );
}

function render({ model, el }) {
  const names = ["catalogues", "powers", "watched", "drawn", "false_share", "false_text", "sample", "power", "catalogue"];
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const traits = ["power", "catalogue"];
  const view = frame({ model, el, slug: "negative_sampling", label: "Noise explorer", traits });
  const { catalogues, powers, watched, drawn, false_share, false_text, sample } = state();
  const last = powers.length - 1;
  const [even, raw] = [powers.indexOf(0), powers.indexOf(1)];

  const RISES = "It rises";
  const guess = prediction({
    question: "You raise α from 0 to 1. What happens to the share of draws that hit a film the viewer already has?",
    options: ["It falls", "It stays", RISES],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now move the slider from 0 to 1, in every catalogue.`),
  });
  function explain() {
    const which = catalogues.indexOf(model.get("catalogue"));
    const first = false_share[which][even];
    const answer = false_share[which][raw] > first * 1.05 ? RISES : false_share[which][raw] < first / 1.05 ? "It falls" : "It stays";
    guess.reveal(
      `${guess.chosen ? (guess.chosen === answer ? "Right. " : "Look again. ") : ""}With ${catalogues[which]} it goes from ` +
        `${false_text[which][even]} at α = 0 to ${false_text[which][raw]} at α = 1: what is drawn often is what people have.`,
    );
  }

  // Controls
  const power = slider({
    label: "Power α",
    min: 0,
    max: last,
    step: 1,
    onInput: (stop) => {
      view.change({ power: powers[stop] });
      explain();
    },
  });
  const size = choice({
    legend: "Catalogue",
    options: catalogues.map((name) => [name, name]),
    onInput: (name) => view.change({ catalogue: name }),
  });

  // Shares by tenth of the catalogue
  const n = watched[0].length;
  const highest = 100; // percent, the same for all catalogues
  const barX = (i) => BARS.left + (i / n) * (BARS.right - BARS.left);
  const barY = (percent) => BARS.bottom - (percent / highest) * (BARS.bottom - BARS.top);
  const wide = (BARS.right - BARS.left) / n;
  const bars = watched[0].map((_, i) => s("rect", { class: "bw-drawn", x: barX(i) + wide * 0.18, width: wide * 0.64 }));
  const marks = watched[0].map(() => s("line", { class: "bw-watched" }));
  const ticks = [0, highest / 2, highest];
  const shares = s(
    "svg",
    { viewBox: `0 0 ${BARS.width} ${BARS.height}`, role: "img", "aria-label": "Share of the draws and of the viewings of each tenth of the catalogue" },
    ...ticks.map((value) => s("line", { class: "bw-grid", x1: BARS.left, x2: BARS.right, y1: barY(value), y2: barY(value) })),
    ...ticks.map((value) => s("text", { x: BARS.left - 5, y: barY(value) + 4, "text-anchor": "end" }, `${value}%`)),
    ...bars,
    ...marks,
    s("text", { x: barX(0), y: BARS.bottom + 16 }, "most popular tenth"),
    s("text", { x: BARS.right, y: BARS.bottom + 16, "text-anchor": "end" }, "least popular"),
    s("rect", { class: "bw-drawn", x: barX(3.2), y: BARS.top + 4, width: 14, height: 10 }),
    s("text", { x: barX(3.2) + 20, y: BARS.top + 14 }, "draws"),
    s("line", { class: "bw-watched", x1: barX(6), x2: barX(6) + 18, y1: BARS.top + 9, y2: BARS.top + 9 }),
    s("text", { x: barX(6) + 24, y: BARS.top + 14 }, "viewings"),
  );

  // False negatives against the power, for all catalogues
  const curveX = (stop) => CURVE.left + ((powers[stop] - powers[0]) / (powers[last] - powers[0])) * (CURVE.right - CURVE.left);
  const curveY = (share) => {
    const height = (Math.log10(Math.max(share, 10 ** LOW)) - LOW) / -LOW;
    return CURVE.bottom - height * (CURVE.bottom - CURVE.top);
  };
  const lines = false_share.map((values) =>
    s("polyline", { points: values.map((share, stop) => `${curveX(stop).toFixed(1)},${curveY(share).toFixed(1)}`).join(" ") }),
  );
  // Lines rise to the right: below its line a name stays clear of it. The first stop with room below takes the name; the
  // topmost line, with nothing above it, has its name there.
  const topmost = Math.max(...false_share.map((values) => values[0]));
  const lineNames = catalogues.map((name, i) => {
    const isTop = false_share[i][0] === topmost;
    const hasRoom = (share) => curveY(share) + 13 < CURVE.bottom - 3;
    const stop = isTop ? 0 : Math.max(0, false_share[i].findIndex(hasRoom));
    const y = curveY(false_share[i][stop]) + (isTop ? -6 : 13);
    return s("text", { class: "bw-name", x: curveX(stop) + 4, y }, name);
  });
  const rule = s("line", { class: "bw-axis", y1: CURVE.top, y2: CURVE.bottom });
  const dot = s("circle", { class: "bw-now", r: 6 });
  const curve = s(
    "svg",
    { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: "img", "aria-label": "Share of false negatives against the power, a line for each catalogue" },
    ...[["100%", 1], ["10%", 0.1], ["1%", 0.01], ["0.1%", 0.001], ["0.01%", 1e-4], ["0.001%", 1e-5], ["0.0001%", 1e-6]].flatMap(([text, share]) => [
      s("line", { class: "bw-grid", x1: CURVE.left, x2: CURVE.right, y1: curveY(share), y2: curveY(share) }),
      s("text", { x: CURVE.left - 5, y: curveY(share) + 4, "text-anchor": "end" }, text),
    ]),
    ...[even, raw].map((stop) => s("text", { x: curveX(stop), y: CURVE.bottom + 16, "text-anchor": "middle" }, `${powers[stop]}`)),
    s("text", { x: curveX(last), y: CURVE.bottom + 16, "text-anchor": "end" }, "α"),
    rule,
    ...lines,
    ...lineNames,
    dot,
  );

  const draws = h("p", { class: "bw-draws" });
  view.body.classList.add("bw-negatives");
  view.body.append(
    guess.node,
    h("div", { class: "bw-controls" }, power.node, size.node),
    h("div", { class: "bw-panel" }, h("p", { class: "bw-title" }, "Who is drawn"), shares),
    h("div", { class: "bw-panel" }, h("p", { class: "bw-title" }, "Draws that the viewer already has"), curve),
    draws,
  );

  function draw() {
    const which = catalogues.indexOf(model.get("catalogue"));
    const stop = powers.indexOf(model.get("power"));
    bars.forEach((bar, i) => {
      const y = barY(drawn[which][stop][i]);
      bar.setAttribute("y", y.toFixed(1));
      bar.setAttribute("height", (BARS.bottom - y).toFixed(1));
    });
    marks.forEach((mark, i) => {
      const y = barY(watched[which][i]).toFixed(1);
      for (const [name, value] of [["x1", barX(i)], ["x2", barX(i + 1)], ["y1", y], ["y2", y]]) mark.setAttribute(name, value);
    });
    lines.forEach((line, i) => line.setAttribute("class", i === which ? "bw-this" : "bw-other"));
    lineNames.forEach((name, i) => name.setAttribute("class", i === which ? "bw-name bw-this" : "bw-name"));
    rule.setAttribute("x1", curveX(stop));
    rule.setAttribute("x2", curveX(stop));
    dot.setAttribute("cx", curveX(stop));
    dot.setAttribute("cy", curveY(false_share[which][stop]));
    draws.replaceChildren(h("strong", {}, "Eight draws: "), sample[which][stop].join(" · "));
    power.show(stop, powers[stop].toFixed(1));
    size.show(catalogues[which]);
    view.say(describe(state()));
  }

  return view.run(draw, { forget: guess.clear });
}

export default { render, describe };
