// Similarity explorer: a query that can be dragged, and three rankings of the same items.

const MEASURES = [
  ["dot", "Inner product"],
  ["cosine", "Cosine"],
  ["euclidean", "Euclidean distance"],
];
const SIZE = 320; // of the drawing, in its own units

const length = (v) => Math.hypot(v[0], v[1]);
const unit = (v) => v.map((x) => x / length(v));

// Higher is more similar, as in utils.similarity.scores.
function score(query, item, measure) {
  const dot = query[0] * item[0] + query[1] * item[1];
  if (measure === "dot") return dot;
  if (measure === "cosine") return dot / (length(query) * length(item));
  return -Math.hypot(query[0] - item[0], query[1] - item[1]);
}

// Indices of the items, the most similar first, ties to the lower index, as in utils.similarity.top_k.
function rank(query, items, measure) {
  const scores = items.map((item) => score(query, item, measure));
  return items.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
}

// The region of all places that score higher than the first item: no item lies in it. It ends `far` from the origin,
// which has to be beyond every edge of the drawing.
function levelRegion(query, items, measure, far = 8 * Math.max(1, ...[query, ...items].map(length))) {
  const first = items[rank(query, items, measure)[0]];
  const toward = Math.atan2(query[1], query[0]);
  const at = (angle, radius) => [radius * Math.cos(angle), radius * Math.sin(angle)];
  if (measure === "euclidean") return { centre: query, radius: length([query[0] - first[0], query[1] - first[1]]) };
  if (measure === "cosine") {
    const half = Math.acos(Math.min(1, Math.max(-1, score(query, first, "cosine"))));
    const steps = 24; // an arc of straight pieces
    const arc = Array.from({ length: steps + 1 }, (_, i) => at(toward - half + (2 * half * i) / steps, far));
    return { corners: [[0, 0], ...arc] };
  }
  const foot = at(toward, score(query, first, "dot") / length(query)); // where the line crosses the query's direction
  const move = (from, angle, by) => from.map((x, i) => x + at(angle, by)[i]);
  const near = [move(foot, toward + Math.PI / 2, far), move(foot, toward - Math.PI / 2, far)];
  return { corners: [...near, ...near.reverse().map((corner) => move(corner, toward, far))] };
}

// How many different rankings the three measures give: 1, 2 or 3.
function countRankings(query, items) {
  return new Set(MEASURES.map(([measure]) => String(rank(query, items, measure)))).size;
}

function describe(query, items, labels) {
  const orders = MEASURES.map(([measure]) => rank(query, items, measure));
  const distinct = countRankings(query, items);
  const verdict = ["All three rankings agree.", "Two rankings agree, one differs.", "All three rankings differ."][distinct - 1];
  const lists = MEASURES.map(([, name], m) => `${name}: ${orders[m].map((i) => labels[i]).join(", ")}`);
  return `${verdict} ${lists.join(". ")}.`;
}

function render({ model, el }) {
  const view = frame({
    model,
    el,
    slug: "similarity",
    label: "Similarity explorer",
    traits: ["query", "unit_items", "level"],
  });
  const shownItems = () => (model.get("unit_items") ? model.get("items").map(unit) : model.get("items"));
  const reach = 1.18 * Math.max(1.2, ...model.get("items").map(length), length(model.get("query")));
  const x = (value) => SIZE / 2 + (value / reach) * (SIZE / 2);
  const y = (value) => SIZE / 2 - (value / reach) * (SIZE / 2);
  const round = (value) => Math.round(value * 1000) / 1000;
  const directionOf = (v) => (Math.atan2(v[1], v[0]) * 180) / Math.PI;
  const maxLength = Math.floor(reach * 10) / 10;

  // A query needs a direction, so it never gets shorter than a tenth.
  function moveTo(vector) {
    const direction = unit(length(vector) ? vector : model.get("query"));
    const fitted = Math.min(maxLength, Math.max(0.1, length(vector)));
    view.change({ query: direction.map((value) => round(value * fitted)) });
  }
  function turnTo(degrees, size) {
    const angle = (degrees * Math.PI) / 180;
    view.change({ query: [round(size * Math.cos(angle)), round(size * Math.sin(angle))] });
  }

  const guess = prediction({
    question: "You make the query twice as long and do not turn it. Which ranking can change?",
    options: [...MEASURES.map(([, name]) => name), "None"],
    hint: "Now move the slider for length, and watch the rankings.",
    onChoose: (option) => {
      view.say(`Your prediction: ${option}.`);
      if (hasTried) explain();
    },
  });
  let hasTried = false; // whether the length has been moved
  function explain() {
    const right = guess.chosen === "Euclidean distance";
    guess.reveal(
      `${guess.chosen ? (right ? "Right: only" : "Look again: only") : "Only"} the Euclidean ranking can change. ` +
        "A longer query multiplies all inner products by one number and leaves every angle alone.",
    );
  }

  // The plane
  const label = h("span", { id: newId(), hidden: "" }, "Query: drag it, or move it with the arrow keys");
  const levelShape = s("g", { class: "bw-level" });
  const itemShapes = s("g", { class: "bw-item" });
  const queryLine = s("line", { x1: x(0), y1: y(0) });
  const handle = s("circle", { class: "bw-handle", r: 13, tabindex: 0, role: "slider", "aria-labelledby": label.id });
  handle.setAttribute("aria-valuemin", -180);
  handle.setAttribute("aria-valuemax", 180);
  const grid = s("g");
  const unitStep = 10 ** Math.ceil(Math.log10(reach / 10)); // at most twenty lines each way
  for (let tick = Math.ceil(-reach / unitStep) * unitStep; tick <= reach; tick += unitStep) {
    const kind = tick === 0 ? "bw-axis" : "bw-grid";
    grid.append(s("line", { x1: x(tick), x2: x(tick), y1: 0, y2: SIZE, class: kind }));
    grid.append(s("line", { x1: 0, x2: SIZE, y1: y(tick), y2: y(tick), class: kind }));
  }
  const plane = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group", "aria-label": "Plane with the items and the query" },
    grid,
    levelShape,
    itemShapes,
    s("g", { class: "bw-query" }, queryLine, handle),
  );
  const goal = h("p", { class: "bw-goal" }); // the live region says the same, so it is silent

  // Controls and rankings
  const direction = slider({
    label: "Direction",
    min: -180,
    max: 180,
    step: 5,
    onInput: (degrees) => turnTo(degrees, length(model.get("query"))),
  });
  const size = slider({
    label: "Length",
    min: 0.1,
    max: maxLength,
    step: 0.1,
    onInput: (value) => {
      turnTo(directionOf(model.get("query")), value);
      hasTried = true;
      explain();
    },
  });
  const unitItems = checkbox({
    label: "Give every item length 1",
    onInput: (checked) => view.change({ unit_items: checked }),
  });
  const level = choice({
    legend: "Shade where a new item would come first",
    options: MEASURES,
    onInput: (measure) => view.change({ level: measure }),
  });
  const lists = MEASURES.map(() => h("ol"));
  const rankings = h(
    "div",
    { class: "bw-rankings" },
    ...MEASURES.map(([, name], m) => h("div", {}, h("p", { class: "bw-title" }, name), lists[m])),
  );
  view.body.classList.add("bw-similarity");
  view.body.append(
    guess.node,
    h("div", { class: "bw-plane" }, label, plane, goal),
    rankings,
    h("div", { class: "bw-controls" }, direction.node, size.node, unitItems.node, level.node),
  );

  // A name stands on the side of its item that is turned away from where the query began, unless it would be cut off.
  const start = model.get("query");
  function placeLabel(text, item) {
    const isLeft = start[0] * item[1] - start[1] * item[0] > 0;
    const fits = isLeft ? x(item[0]) > 7 * text.length : x(item[0]) + 7 * text.length < SIZE;
    const below = fits ? 4 : isLeft ? -10 : 36;
    return s(
      "text",
      { x: x(item[0]) + (fits ? (isLeft ? -8 : 8) : 0), y: y(item[1]) + below, "text-anchor": isLeft === fits ? "end" : "start" },
      text,
    );
  }

  function draw() {
    const query = model.get("query");
    const items = shownItems();
    const labels = model.get("items").map((_, i) => model.get("labels")[i] ?? `item ${i}`);
    itemShapes.replaceChildren();
    if (model.get("unit_items")) itemShapes.append(s("circle", { cx: x(0), cy: y(0), r: x(1) - x(0), class: "bw-circle", style: "fill:none" }));
    items.forEach((item, i) => {
      itemShapes.append(
        s("line", { x1: x(0), y1: y(0), x2: x(item[0]), y2: y(item[1]) }),
        s("circle", { cx: x(item[0]), cy: y(item[1]), r: 4 }),
        placeLabel(labels[i], item),
      );
    });
    const region = levelRegion(query, items, model.get("level"), 5 * reach);
    levelShape.replaceChildren(
      region.corners
        ? s("polygon", { points: region.corners.map((corner) => `${x(corner[0])},${y(corner[1])}`).join(" ") })
        : s("circle", { cx: x(region.centre[0]), cy: y(region.centre[1]), r: x(region.radius) - x(0) }),
    );
    const degrees = Math.round(directionOf(query));
    queryLine.setAttribute("x2", x(query[0]));
    queryLine.setAttribute("y2", y(query[1]));
    handle.setAttribute("cx", x(query[0]));
    handle.setAttribute("cy", y(query[1]));
    handle.setAttribute("aria-valuenow", degrees);
    handle.setAttribute("aria-valuetext", `x ${query[0].toFixed(1)}, y ${query[1].toFixed(1)}`);
    direction.show(degrees, `${degrees}°`);
    size.show(length(query), length(query).toFixed(1));
    unitItems.show(model.get("unit_items"));
    level.show(model.get("level"));
    MEASURES.forEach(([measure], m) => {
      lists[m].replaceChildren(
        ...rank(query, items, measure).map((i) => {
          const value = Math.abs(score(query, items[i], measure)); // a distance is shown as one
          const sign = measure !== "euclidean" && score(query, items[i], measure) < -0.005 ? "−" : "";
          return h("li", {}, h("span", {}, labels[i]), h("span", {}, sign + value.toFixed(2)));
        }),
      );
    });
    const distinct = countRankings(query, items);
    goal.textContent = ["All three agree: goal reached.", "Goal: all three agree. Two do.", "Goal: all three agree. None do."][distinct - 1];
    view.body.toggleAttribute("data-reached", distinct === 1);
    view.say(describe(query, items, labels));
  }

  // Moving the query
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  let isDragged = false;
  function follow(event) {
    const box = plane.getBoundingClientRect();
    moveTo([((event.clientX - box.left) / box.width * 2 - 1) * reach, (1 - (event.clientY - box.top) / box.height * 2) * reach]);
  }
  handle.addEventListener("keydown", (event) => {
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.5 : 0.1;
    moveTo(model.get("query").map((value, i) => value + STEPS[event.key][i] * step));
  });
  handle.addEventListener("pointerdown", (event) => {
    isDragged = true;
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => isDragged && follow(event));
  for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => (isDragged = false));
  // `touch-action: none` on a part of a drawing is not enough in Chromium; a swipe beside the handle still scrolls.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

  return view.run(draw, {
    forget() {
      hasTried = false;
      guess.clear();
    },
    others: ["items", "labels"],
  });
}

export default { render, score, rank, levelRegion };
