// Predicted against true ratings: number of factors, penalty and biases.

const CELL = 16; // side of a cell, in the units of a drawing
const MIDDLE = 3; // the rating that is drawn without colour
const REACH = 2; // how far from it the colour is full
const CHART = { width: 320, height: 190, left: 40, right: 306, top: 26, bottom: 146 };
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// A letter is a rating in tenths of a star.
const decode = (letter) => LETTERS.indexOf(letter) / 10;

// The place of a setting among all: biases off come first, then by number of factors, then by penalty.
function settingOf({ ranks, penalties, rank, penalty, has_biases }) {
  return (ranks.indexOf(rank) + (has_biases ? ranks.length : 0)) * penalties.length + penalties.indexOf(penalty);
}

function nameOf(rank, penalty, hasBiases) {
  return `${rank} factor${rank > 1 ? "s" : ""}, penalty ${penalty}, ${hasBiases ? "with" : "without"} biases`;
}

// The name of the setting at that place.
function nameAt({ ranks, penalties }, place) {
  const half = ranks.length * penalties.length;
  const rest = place % half;
  return nameOf(ranks[Math.floor(rest / penalties.length)], penalties[rest % penalties.length], place >= half);
}

// As describe() of the Python class.
function describe(state) {
  const { users, items, truth, predictions, rated, seen_errors: seen, unseen_errors: unseen, user, item } = state;
  const place = settingOf(state);
  const cell = users.indexOf(user) * items.length + items.indexOf(item);
  const stars = rated.find(([where]) => where === cell);
  const more = unseen[place] - Math.min(...unseen);
  return (
    `${nameOf(state.rank, state.penalty, state.has_biases)}. Error on the ratings that the model saw: ` +
    `${seen[place].toFixed(2)} stars. On the true ratings of all other pairs: ${unseen[place].toFixed(2)}, ` +
    `${more > 0 ? `${more.toFixed(2)} more than with the best setting here` : "the least of all settings here"}. ` +
    `For ${user} and ${item}: truth ${decode(truth[cell]).toFixed(1)}, predicted ${decode(predictions[place][cell]).toFixed(1)}, ` +
    `${stars ? `rated ${stars[1]}` : "not rated"}.`
  );
}

// A drawing with a square for each pair, and a ring around the one that is picked.
function heatMap({ title, users, items, rated, onPick }) {
  const [width, height] = [items.length * CELL, users.length * CELL];
  const squares = users.flatMap((_, row) =>
    items.map((_, column) => s("rect", { x: column * CELL + 0.5, y: row * CELL + 0.5, width: CELL - 1, height: CELL - 1 })),
  );
  const dots = rated.map(([place]) =>
    s("circle", { cx: ((place % items.length) + 0.5) * CELL, cy: (Math.floor(place / items.length) + 0.5) * CELL, r: 2.2 }),
  );
  const ring = s("rect", { class: "bw-ring", width: CELL + 2, height: CELL + 2, rx: 2 });
  const drawing = s(
    "svg",
    { viewBox: `-2 -2 ${width + 4} ${height + 4}`, role: "img", "aria-label": `${title}: a square for each user and item` },
    s("g", {}, ...squares),
    s("g", { class: "bw-dots" }, ...dots),
    ring,
  );
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    const column = Math.floor((((event.clientX - box.left) / box.width) * (width + 4) - 2) / CELL);
    const row = Math.floor((((event.clientY - box.top) / box.height) * (height + 4) - 2) / CELL);
    if (users[row] !== undefined && items[column] !== undefined) onPick({ user: users[row], item: items[column] });
  });
  return {
    node: h("div", { class: "bw-heat" }, h("p", { class: "bw-title" }, title), drawing),
    show(letters) {
      squares.forEach((square, place) => {
        const away = Math.max(-1, Math.min(1, (decode(letters[place]) - MIDDLE) / REACH));
        square.setAttribute("class", away > 0 ? "bw-high" : "bw-low");
        square.setAttribute("fill-opacity", Math.abs(away).toFixed(2));
      });
    },
    pick(row, column) {
      ring.setAttribute("x", column * CELL - 1);
      ring.setAttribute("y", row * CELL - 1);
    },
  };
}

function picker({ label, options, onInput }) {
  const id = newId();
  const select = h("select", { id }, ...options.map((option) => h("option", { value: option }, option)));
  select.addEventListener("input", () => onInput(select.value));
  return { node: h("div", { class: "bw-picker" }, h("label", { for: id }, label), select), show: (value) => (select.value = value) };
}

function render({ model, el }) {
  const names = [
    ...["users", "items", "ranks", "penalties", "truth", "predictions", "rated", "seen_errors", "unseen_errors"],
    ...["baseline", "rank", "penalty", "has_biases", "user", "item"],
  ];
  const traits = ["rank", "penalty", "has_biases", "user", "item"];
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "matrix_factorization", label: "Predicted against true ratings", traits });
  const first = state();
  const [users, items] = [model.get("users"), model.get("items")];
  const [ranks, penalties] = [model.get("ranks"), model.get("penalties")];
  const [seen, unseen] = [model.get("seen_errors"), model.get("unseen_errors")];
  const most = ranks[ranks.length - 1];
  const least = penalties[0];

  // The question is about the corner with most factors and least penalty.
  const corner = settingOf({ ...first, rank: most, penalty: least, has_biases: true });
  const best = unseen.indexOf(Math.min(...unseen));
  const SMALLEST = "The smallest, too";
  const BETWEEN = "Larger than the smallest, but not the largest";
  const LARGEST = "The largest";
  const guess = prediction({
    question: `With ${most} factors and penalty ${least}, the error on the ratings that the model saw is ${seen[corner].toFixed(2)}, the smallest with biases. And the error on the pairs that it did not see?`,
    options: [SMALLEST, BETWEEN, LARGEST],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now move the sliders, and watch both lines of the chart.`),
  });
  function explain() {
    const answer = corner === best ? SMALLEST : unseen[corner] < Math.max(...unseen) ? BETWEEN : LARGEST;
    guess.reveal(
      `${guess.chosen ? (guess.chosen === answer ? "Right. " : "Look again. ") : ""}It is ${unseen[corner].toFixed(2)} stars there, ` +
        `and ${unseen[best].toFixed(2)} with ${nameAt(first, best)}.`,
    );
  }

  const turn = (change) => (view.change(change), explain());
  const rank = stops({ label: "Factors", values: ranks, onInput: (value) => turn({ rank: value }) });
  const penalty = stops({ label: "Penalty", values: penalties, onInput: (value) => turn({ penalty: value }) });
  const biases = checkbox({
    label: "Mean and biases",
    onInput: (isOn) => {
      view.change({ has_biases: isOn });
      explain();
    },
  });
  const userPicker = picker({ label: "Viewer", options: users, onInput: (user) => view.change({ user }) });
  const itemPicker = picker({ label: "Film", options: items, onInput: (item) => view.change({ item }) });

  const onPick = (pair) => view.change(pair);
  const truth = heatMap({ title: "Truth", users, items, rated: first.rated, onPick });
  const predicted = heatMap({ title: "Predicted", users, items, rated: first.rated, onPick });
  truth.show(first.truth);

  // Both errors by penalty, for the present number of factors and switch.
  const last = penalties.length - 1;
  const top = Math.ceil(10 * Math.max(...unseen, first.baseline)) / 10;
  const chartX = (stop) => CHART.left + (stop / last) * (CHART.right - CHART.left);
  const chartY = (error) => CHART.bottom - (error / top) * (CHART.bottom - CHART.top);
  const ticks = [0, 0.5, 1, 1.5, 2].filter((error) => error <= top);
  const lines = [seen, unseen].map((_, i) => s("polyline", { class: i ? "bw-unseen" : "bw-seen" }));
  const dots = lines.map((_, i) => s("circle", { class: i ? "bw-unseen" : "bw-seen", r: 5 }));
  const rule = s("line", { class: "bw-axis", y1: CHART.top, y2: CHART.bottom });
  const chart = s(
    "svg",
    { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": "Both errors, in stars, by penalty" },
    ...ticks.map((error) => s("line", { class: "bw-grid", x1: CHART.left, x2: CHART.right, y1: chartY(error), y2: chartY(error) })),
    ...ticks.map((error) => s("text", { x: CHART.left - 6, y: chartY(error) + 4, "text-anchor": "end" }, `${error}`)),
    s("line", { class: "bw-baseline", x1: CHART.left, x2: CHART.right, y1: chartY(first.baseline), y2: chartY(first.baseline) }),
    rule,
    ...lines,
    ...dots,
    ...penalties.map((value, stop) => s("text", { x: chartX(stop), y: CHART.bottom + 18, "text-anchor": "middle" }, `${value}`)),
    s("text", { x: (CHART.left + CHART.right) / 2, y: CHART.height - 6, "text-anchor": "middle" }, "penalty"),
    s("text", { x: 4, y: 14 }, "error, in stars"),
  );
  const key = h(
    "p",
    { class: "bw-key" },
    h("span", { class: "bw-seen" }, "ratings it saw"),
    " ",
    h("span", { class: "bw-unseen" }, "all other pairs"),
    " ",
    h("span", { class: "bw-baseline" }, "no vectors"),
  );

  view.body.classList.add("bw-factors");
  view.body.append(
    guess.node,
    h("div", { class: "bw-controls" }, rank.node, penalty.node, biases.node),
    truth.node,
    predicted.node,
    h(
      "p",
      { class: "bw-note" },
      h("span", { class: "bw-swatch bw-low" }),
      " 1 star ",
      h("span", { class: "bw-swatch" }),
      " 3 ",
      h("span", { class: "bw-swatch bw-high" }),
      " 5. A row is a viewer, a column a film, a dot a rating that the model saw.",
    ),
    h("div", { class: "bw-pair" }, userPicker.node, itemPicker.node),
    h("div", { class: "bw-chart" }, chart, key),
  );

  function draw() {
    const now = state();
    const place = settingOf(now);
    const stop = penalties.indexOf(now.penalty);
    const start = place - stop;
    predicted.show(now.predictions[place]);
    for (const map of [truth, predicted]) map.pick(users.indexOf(now.user), items.indexOf(now.item));
    [seen, unseen].forEach((errors, i) => {
      lines[i].setAttribute("points", penalties.map((_, k) => `${chartX(k)},${chartY(errors[start + k])}`).join(" "));
      dots[i].setAttribute("cx", chartX(stop));
      dots[i].setAttribute("cy", chartY(errors[place]));
    });
    rule.setAttribute("x1", chartX(stop));
    rule.setAttribute("x2", chartX(stop));
    rank.show(ranks.indexOf(now.rank), `${now.rank}`);
    penalty.show(stop, `${now.penalty}`);
    biases.show(now.has_biases);
    userPicker.show(now.user);
    itemPicker.show(now.item);
    view.say(describe(now));
  }

  return view.run(draw, { forget: guess.clear });
}

export default { render, decode, settingOf, describe };
