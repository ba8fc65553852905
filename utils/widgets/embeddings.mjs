// Map of items: a slider for the number of dimensions, and the nearest neighbours of the item that is picked.

const SIZE = 320; // of the map, in its own units
const EDGE = 18; // between the outermost point and the edge
const CHART = { width: 320, height: 150, left: 46, right: 312, top: 14, bottom: 122 };

const onMap = ([x, y]) => [SIZE / 2 + (x / 1000) * (SIZE / 2 - EDGE), SIZE / 2 - (y / 1000) * (SIZE / 2 - EDGE)];

// Index of the point that is nearest to a place, the first of equal ones.
function nearestPoint(points, [x, y]) {
  const distances = points.map((point) => Math.hypot(point[0] - x, point[1] - y));
  return distances.indexOf(Math.min(...distances));
}

// Where the numbers of some points stand: for each, how far its number is moved from it. Numbers cover neither each other
// nor these points nor the picked one, and the other points only where it would take them too far to keep clear. The
// shortest way that is free wins, and of equal ways the first one clockwise from the right.
function placeNumbers(points, picked, others = []) {
  const [WIDTH, HEIGHT, FAR] = [10, 13, 30]; // of a number; and too far
  const taken = [];
  const isClear = ([x, y], [otherX, otherY], across, down) => Math.abs(otherX - x) >= across || Math.abs(otherY - y) >= down;
  const isClearOf = (place, those, radius) => those.every((one) => isClear(place, one, WIDTH / 2 + radius, HEIGHT / 2 + radius - 1));
  const isFree = (place, isFar) =>
    place.every((value) => value > 12 && value < SIZE - 12) &&
    taken.every((other) => isClear(place, other, WIDTH, HEIGHT)) &&
    isClearOf(place, points, 5) && isClearOf(place, [picked], 9) && (isFar || isClearOf(place, others, 4));
  return points.map(([x, y]) => {
    for (const isFar of [false, true]) {
      for (let way = 12; way < (isFar ? SIZE : FAR); way += 3) {
        for (let turn = 0; turn < 16; turn += 1) {
          const move = [way * Math.cos((turn * Math.PI) / 8), way * Math.sin((turn * Math.PI) / 8)];
          const place = [x + move[0], y + move[1]];
          if (!isFree(place, isFar)) continue;
          taken.push(place);
          return move;
        }
      }
    }
    return [0, 0]; // no room at all
  });
}

// As describe() of the Python class.
function describe({ labels, dimensions, nearest, alike, lost, found, dimension, picked }) {
  const stop = dimensions.indexOf(dimension);
  const item = labels.indexOf(picked);
  const near = nearest[stop][item];
  const text =
    `${labels.length} items with ${dimension} numbers each. ${lost[stop]} % of the squares of the matrix are lost. ` +
    `Nearest to ${picked}: ${near.map((other) => labels[other]).join(", ")}.`;
  if (!found.length) return text;
  const hits = near.filter((other) => alike[item].includes(other)).length;
  return `${text} ${hits} of these ${near.length} are truly alike; the average over all items is ${found[stop].toFixed(1)}.`;
}

function render({ model, el }) {
  const names = ["labels", "dimensions", "maps", "shown", "nearest", "alike", "lost", "found", "dimension", "picked"];
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "embeddings", label: "Map of items", traits: ["dimension", "picked"] });
  const { labels, dimensions, maps, shown, nearest, alike, lost, found } = state();
  const hasTruth = found.length > 0;
  const last = dimensions.length - 1;

  const BETTER = "Better all the way";
  const PEAK = "Better, then worse";
  const WORSE = "Worse all the way";
  const guess = prediction({
    question: hasTruth
      ? `The reconstruction error falls with every dimension. From ${dimensions[0]} to ${dimensions[last]}, will the lists of neighbours become truer all the way?`
      : `From ${dimensions[0]} to ${dimensions[last]} dimensions, will the five neighbours of an item stay the same?`,
    options: hasTruth ? [BETTER, PEAK, WORSE] : ["All of them", "Some of them", "None of them"],
    hint: "Now move the slider from end to end.",
    onChoose: (option) => {
      view.say(`Your prediction: ${option}.`);
      unveil();
      if (hasTried) explain();
    },
  });
  let hasTried = false; // whether the slider has been moved
  function explain() {
    if (!hasTruth) return;
    const answer = best === last ? BETTER : best === 0 ? WORSE : PEAK;
    const means = ticks.map((stop) => `${found[stop].toFixed(1)} at ${dimensions[stop]}`);
    means[0] = `${found[0].toFixed(1)} are truly alike at ${dimensions[0]} dimensions`;
    guess.reveal(
      `${guess.chosen ? (guess.chosen === answer ? "Right. " : "Look again. ") : ""}The error falls from ${lost[0]} % to ` +
        `${lost[last]} %. Of five neighbours, ${means.slice(0, -1).join(", ")}, and ${means.at(-1)}.`,
    );
  }
  // The curve of what is found would give the answer away, so it shows when the reader has answered or moved the slider.
  const unveil = () => chart.classList.remove("bw-veiled");

  // Controls
  const pickerId = newId();
  const picker = h("select", { id: pickerId }, ...labels.map((label) => h("option", { value: label }, label)));
  picker.addEventListener("input", () => view.change({ picked: picker.value }));
  const dimension = slider({
    label: "Dimensions",
    min: 0,
    max: last,
    step: 1,
    onInput: (stop) => {
      view.change({ dimension: dimensions[stop] });
      hasTried = true;
      unveil();
      explain();
    },
  });

  // The map
  const points = labels.map((label) => {
    const [number, leader] = [s("text"), s("line", { class: "bw-leader", visibility: "hidden" })];
    return { number, leader, node: s("g", {}, s("title", {}, label), leader, s("circle", { r: 4 }), number) };
  });
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": "Map with a point for each item; the list names the nearest ones" },
    ...points.map((point) => point.node),
  );
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    const place = [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
    const stop = dimensions.indexOf(model.get("dimension"));
    view.change({ picked: labels[nearestPoint(maps[stop].map(onMap), place)] });
  });
  const note = h("p", { class: "bw-note" });

  // The chart: what is lost, and what is found, at each stop of the slider.
  const chartX = (stop) => CHART.left + (stop / last) * (CHART.right - CHART.left);
  const chartY = (percent) => CHART.bottom - (percent / 100) * (CHART.bottom - CHART.top);
  const line = (values, kind) =>
    s("polyline", { class: kind, points: values.map((value, stop) => `${chartX(stop)},${chartY(value)}`).join(" ") });
  const foundPercent = found.map((mean) => (mean / nearest[0][0].length) * 100);
  const marks = [[lost, "bw-lost"], [foundPercent, "bw-found"]].filter(([values]) => values.length);
  const best = hasTruth ? found.indexOf(Math.max(...found)) : 0;
  const ticks = [...new Set([0, best, last])];
  const rule = s("line", { class: "bw-axis", y1: CHART.top, y2: CHART.bottom });
  const dots = marks.map(([, kind]) => s("circle", { class: kind, r: 5 }));
  const chart = s(
    "svg",
    { viewBox: `0 0 ${CHART.width} ${CHART.height}`, class: "bw-veiled", role: "img", "aria-label": "Reconstruction error, and share of truly alike neighbours, by dimension" },
    ...[0, 50, 100].map((value) => s("line", { class: "bw-grid", x1: CHART.left, x2: CHART.right, y1: chartY(value), y2: chartY(value) })),
    ...marks.map(([values, kind]) => line(values, kind)),
    rule,
    ...dots,
    ...[["100 %", 100], ["0", 0]].map(([text, value]) => s("text", { x: CHART.left - 5, y: chartY(value) + 4, "text-anchor": "end" }, text)),
    s("text", { class: "bw-lost", x: chartX(0) + 2, y: chartY(lost[0]) - 6 }, "squares lost"),
    ...(hasTruth ? [s("text", { class: "bw-found", x: CHART.right, y: chartY(foundPercent[Math.max(0, last - 2)]) - 9, "text-anchor": "end" }, "truly alike")] : []),
    ...ticks.map((stop) =>
      s(
        "text",
        { class: stop === 0 || stop === last ? "" : "bw-best", x: chartX(stop), y: CHART.height - 8, "text-anchor": stop === last ? "end" : "middle" },
        `${dimensions[stop]}`,
      ),
    ),
    s("text", { x: chartX(last * 0.72), y: CHART.height - 8, "text-anchor": "middle" }, "dimensions"),
  );

  const heading = h("p", { class: "bw-title" });
  const list = h("ol");
  view.body.classList.add("bw-embeddings");
  view.body.append(
    guess.node,
    h("div", { class: "bw-controls" }, h("div", { class: "bw-picker" }, h("label", { for: pickerId }, "Item"), picker), dimension.node),
    h("div", { class: "bw-map" }, drawing, note),
    h("div", { class: "bw-near" }, heading, list),
    h("div", { class: "bw-chart" }, chart),
  );

  function draw() {
    const stop = dimensions.indexOf(model.get("dimension"));
    const item = labels.indexOf(model.get("picked"));
    const near = nearest[stop][item];
    const places = maps[stop].map(onMap);
    const others = places.filter((_, i) => i !== item && !near.includes(i));
    const moves = placeNumbers(near.map((i) => places[i]), places[item], others);
    points.forEach(({ node, number, leader }, i) => {
      const [x, y] = places[i];
      const place = near.indexOf(i);
      node.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      node.setAttribute("class", i === item ? "bw-picked" : place >= 0 ? "bw-neighbour" : "bw-other");
      number.textContent = place >= 0 ? place + 1 : "";
      const [right, down] = place >= 0 ? moves[place] : [0, 0];
      number.setAttribute("x", right.toFixed(1));
      number.setAttribute("y", (down + 4).toFixed(1)); // the middle of a digit is above its base line
      leader.setAttribute("x2", (right * 0.8).toFixed(1));
      leader.setAttribute("y2", (down * 0.8).toFixed(1));
      leader.setAttribute("visibility", Math.hypot(right, down) > 14 ? "visible" : "hidden");
    });
    heading.textContent = `Nearest to ${labels[item]}`;
    list.replaceChildren(
      ...near.map((other) =>
        h("li", {}, labels[other], ...(alike[item].includes(other) ? [" ", h("span", { class: "bw-true" }, "truly alike")] : [])),
      ),
    );
    note.textContent =
      `Every vector is scaled to length 1 and projected onto the plane in which they all spread most. The map shows ` +
      `${shown[stop]} % of that spread.`;
    rule.setAttribute("x1", chartX(stop));
    rule.setAttribute("x2", chartX(stop));
    marks.forEach(([values], i) => {
      dots[i].setAttribute("cx", chartX(stop));
      dots[i].setAttribute("cy", chartY(values[stop]));
    });
    picker.value = labels[item];
    dimension.show(stop, `${dimensions[stop]}`);
    view.say(describe(state()));
  }

  return view.run(draw, {
    forget() {
      hasTried = false;
      chart.classList.add("bw-veiled");
      guess.clear();
    },
  });
}

export default { render, nearestPoint, placeNumbers, describe };
