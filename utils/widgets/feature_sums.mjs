// A film built from features: its vector, its length, and its place in three rankings.

const MEASURES = [
  ["dot", "Inner product"],
  ["cosine", "Cosine"],
  ["euclidean", "Euclidean distance"],
];
const POOLINGS = [
  ["sum", "Sum"],
  ["mean", "Mean"],
  ["sqrt", "sqrtn"],
];
const SIZE = 320; // of the drawing, in its own units
const MINE = "Your film";
const MOST = 3; // times that a feature can be said

const length = (v) => Math.hypot(v[0], v[1]);

// The vector of a row of features, as utils.feature_sums.represent makes it.
function represent(counts, embeddings, pooling) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const divisor = pooling === "sum" || total === 0 ? 1 : pooling === "mean" ? total : Math.sqrt(total);
  return [0, 1].map((axis) => counts.reduce((sum, count, f) => sum + count * embeddings[f][axis], 0) / divisor);
}

// Higher is more similar, as in utils.similarity.scores; a film without a direction has no cosine.
function score(viewer, film, measure) {
  const dot = viewer[0] * film[0] + viewer[1] * film[1];
  if (measure === "dot") return dot;
  if (measure === "cosine") return length(film) === 0 ? -Infinity : dot / (length(viewer) * length(film));
  return -Math.hypot(viewer[0] - film[0], viewer[1] - film[1]);
}

// Indices of the films, the most similar first. Scores that differ by rounding alone are equal, and the first is first.
function rank(viewer, films, measure) {
  const scores = films.map((film) => Math.round(score(viewer, film, measure) * 1e9) / 1e9);
  return films.map((_, i) => i).sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b] - scores[a]));
}

// The vectors of the reader's film and of all others.
function filmVectors({ counts, is_twice, film_features, embeddings, pooling }) {
  const mine = counts.map((count) => count * (is_twice ? 2 : 1));
  return [mine, ...film_features].map((row) => represent(row, embeddings, pooling));
}

// As describe() of the Python class.
function describe(state) {
  const { names, counts, is_twice, pooling, viewer, viewers, viewer_labels, film_labels } = state;
  const films = filmVectors(state);
  const said = names.map((name, f) => (counts[f] > 1 ? `${name} ×${counts[f]}` : name)).filter((_, f) => counts[f]);
  const features = said.join(", ") + (is_twice && said.length ? ", all said twice" : "");
  const words = { dot: "inner product", cosine: "cosine", euclidean: "distance" };
  const places = MEASURES.map(([measure]) => `${words[measure]} ${rank(viewers[viewer], films, measure).indexOf(0) + 1}`);
  const kind = { sum: "sum", mean: "mean", sqrt: "sqrtn" }[pooling];
  return (
    `${MINE}: ${features || "no feature"}. The ${kind} has length ${length(films[0]).toFixed(2)}. For the ` +
    `${viewer_labels[viewer]}, its place of ${1 + film_labels.length} by ${places.join(", ")}.`
  );
}

function render({ model, el }) {
  const fixed = ["names", "embeddings", "film_labels", "film_features", "viewer_labels", "viewers"];
  const moving = ["counts", "is_twice", "pooling", "viewer"];
  const state = () => Object.fromEntries([...fixed, ...moving].map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "feature_sums", label: "A film built from features", traits: moving });
  const { names, embeddings, viewer_labels } = state();

  const guess = prediction({
    question: "Everything about your film is said twice, and vectors are sums. In which ranking can your film not move?",
    options: [...MEASURES.map(([, name]) => name), "None"],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now tick “Say everything twice”, for each viewer.`),
  });
  function explain() {
    const right = guess.chosen === "Cosine";
    guess.reveal(
      `${guess.chosen ? (right ? "Right. By" : "Look again. By") : "By"} cosine it cannot move: the direction stays. By inner ` +
        "product it climbs where its score is above 0, and sinks where it is below. The mean does not notice the repetition at all.",
    );
  }

  // Controls
  const counts = names.map((name, f) =>
    slider({
      label: name,
      min: 0,
      max: MOST,
      step: 1,
      onInput: (value) => view.change({ counts: model.get("counts").map((old, g) => (g === f ? value : old)) }),
    }),
  );
  const twice = checkbox({
    label: "Say everything twice",
    onInput: (checked) => {
      view.change({ is_twice: checked });
      explain();
    },
  });
  const pooling = choice({ legend: "All films are", options: POOLINGS, onInput: (value) => view.change({ pooling: value }) });
  const viewer = choice({
    legend: "Rank for",
    options: viewer_labels.map((label, v) => [String(v), label]),
    onInput: (value) => view.change({ viewer: Number(value) }),
  });

  // The plane
  const ground = s("g");
  const shapes = s("g");
  const plane = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": "Plane with the viewer, the films, and the way to your film; the lists say the same" },
    ground,
    shapes,
  );
  const lists = MEASURES.map(() => h("ol"));
  view.body.classList.add("bw-feature-sums");
  view.body.append(
    guess.node,
    h("div", { class: "bw-plane" }, plane, h("p", { class: "bw-note" }, "Thin lines: your film’s features, one after the other, scaled by the pooling.")),
    h(
      "div",
      { class: "bw-controls" },
      h("fieldset", { class: "bw-features" }, h("legend", {}, "Times that your film has"), ...counts.map((one) => one.node)),
      twice.node,
      pooling.node,
      viewer.node,
    ),
    h("div", { class: "bw-rankings" }, ...MEASURES.map(([, name], m) => h("div", {}, h("p", { class: "bw-title" }, name), lists[m]))),
  );

  // Corners of the way from the origin to the film: one step for each time a feature is said.
  function steps(now) {
    const total = now.counts.reduce((sum, count) => sum + count, 0) * (now.is_twice ? 2 : 1);
    const divisor = now.pooling === "sum" || total === 0 ? 1 : now.pooling === "mean" ? total : Math.sqrt(total);
    const corners = [[0, 0]];
    now.counts.forEach((count, f) => {
      for (let n = 0; n < count * (now.is_twice ? 2 : 1); n++) {
        const last = corners[corners.length - 1];
        corners.push([last[0] + embeddings[f][0] / divisor, last[1] + embeddings[f][1] / divisor]);
      }
    });
    return corners;
  }

  function draw() {
    const now = state();
    const films = filmVectors(now);
    const person = now.viewers[now.viewer];
    const way = steps(now);
    const reach = 1.25 * Math.max(0.1, ...[...films, ...way, person].map(length));
    const x = (value) => SIZE / 2 + (value / reach) * (SIZE / 2);
    const y = (value) => SIZE / 2 - (value / reach) * (SIZE / 2);
    const step = 10 ** Math.floor(Math.log10(reach)) * (reach / 10 ** Math.floor(Math.log10(reach)) > 4 ? 2 : 1);
    ground.replaceChildren();
    for (let tick = -Math.floor(reach / step); tick <= reach / step; tick++) {
      const kind = tick === 0 ? "bw-axis" : "bw-grid";
      ground.append(s("line", { x1: x(tick * step), x2: x(tick * step), y1: 0, y2: SIZE, class: kind }));
      ground.append(s("line", { x1: 0, x2: SIZE, y1: y(tick * step), y2: y(tick * step), class: kind }));
    }

    // A name stands beside its point, within the drawing, at the first place where it covers no other name and no point,
    // and, if there is one, is not struck through by an axis.
    const boxes = [];
    const points = [...films, person].map((point) => [x(point[0]), y(point[1])]);
    function name(text, place, kind) {
      const width = 6.9 * text.length;
      const spots = [0, -13, 13, -26, 26, -39, 39].flatMap((shift) =>
        [x(place[0]) + 10, x(place[0]) - 10 - width].map((left) => ({
          left: Math.min(Math.max(left, 4), SIZE - width - 4),
          top: Math.min(Math.max(y(place[1]) + 4 + shift, 14), SIZE - 8),
          isMoved: left < 4 || left > SIZE - width - 4,
        })),
      );
      const covers = (spot, [px, py], margin) =>
        px > spot.left - margin && px < spot.left + width + margin && py > spot.top - 9 - margin && py < spot.top + margin;
      const isFree = (spot) =>
        boxes.every((box) => Math.abs(box.top - spot.top) >= 13 || spot.left > box.right || box.left > spot.left + width) &&
        !points.some((point) => covers(spot, point, 5));
      const isOffAxes = (spot) => !covers(spot, [spot.left, SIZE / 2], 1) && !covers(spot, [SIZE / 2, spot.top], 1);
      const free = spots.filter(isFree);
      const unmoved = free.filter((spot) => !spot.isMoved);
      const { left, top } = unmoved.find(isOffAxes) ?? unmoved[0] ?? free[0] ?? spots[0];
      boxes.push({ top, left, right: left + width });
      return s("text", { x: left, y: top, class: kind }, text);
    }
    shapes.replaceChildren(
      s("line", { class: "bw-viewer", x1: x(0), y1: y(0), x2: x(person[0]), y2: y(person[1]) }),
      s("rect", { class: "bw-viewer", x: x(person[0]) - 5, y: y(person[1]) - 5, width: 10, height: 10 }),
      s("polyline", { class: "bw-way", points: way.map((corner) => `${x(corner[0])},${y(corner[1])}`).join(" ") }),
      s("line", { class: "bw-mine", x1: x(0), y1: y(0), x2: x(films[0][0]), y2: y(films[0][1]) }),
      s("circle", { class: "bw-mine", cx: x(films[0][0]), cy: y(films[0][1]), r: 7 }),
      // after the reader's film, and smaller: where two points fall together, both show
      ...films.slice(1).map((film) => s("circle", { class: "bw-other", cx: x(film[0]), cy: y(film[1]), r: 5 })),
      name(MINE, films[0], "bw-mine"),
      name(viewer_labels[now.viewer], person, "bw-viewer"),
      ...films.slice(1).map((film, i) => name(now.film_labels[i], film, "bw-other")),
    );

    now.counts.forEach((count, f) => counts[f].show(count, String(count)));
    twice.show(now.is_twice);
    pooling.show(now.pooling);
    viewer.show(String(now.viewer));
    MEASURES.forEach(([measure], m) => {
      lists[m].replaceChildren(
        ...rank(person, films, measure).map((i) => {
          const value = score(person, films[i], measure);
          const shown = measure === "euclidean" ? (-value).toFixed(2) : value === -Infinity ? "none" : value.toFixed(2).replace("-", "−");
          const entry = h("li", {}, h("span", {}, i === 0 ? MINE : now.film_labels[i - 1]), h("span", {}, shown));
          if (i === 0) entry.classList.add("bw-mine");
          return entry;
        }),
      );
    });
    view.say(describe(now));
  }

  return view.run(draw, { forget: guess.clear });
}

export default { render, represent, score, rank, describe };
