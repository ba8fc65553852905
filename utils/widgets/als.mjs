// ALS half-step by half-step: one side's vectors move at a time, and the loss falls. All paths come from Python.

const SIZE = 320; // of the plane, in its own units
const EDGE = 26; // between the outermost vector and the edge, with room for a name
const CHART = { width: 270, height: 180, left: 34, right: 262, top: 12, bottom: 146 };
const PAUSE = 800; // milliseconds between two half-steps while playing
const START_NAMES = { usual: "Usual", another: "Another", tiny: "Tiny" };

// How often [users, items] have moved after so many half-steps: users move first.
const moves = (step) => [Math.floor((step + 1) / 2), Math.floor(step / 2)];

// Indices of the places whose names can be written without covering the name of an earlier one.
function readable(places) {
  const kept = [];
  places.forEach(([x, y], i) => {
    if (kept.every((j) => Math.abs(places[j][0] - x) > 27 || Math.abs(places[j][1] - y) > 13)) kept.push(i);
  });
  return kept;
}

// As describe() of the Python class.
function describe({ paths, start, penalties, penalty, step, n_steps, user_name, item_name }) {
  const { losses, penalised, user_norms, item_norms } = paths[start][penalties.indexOf(penalty)];
  const [userMoves, itemMoves] = moves(step);
  const now = `Loss ${losses[step].toFixed(2)}, of which the penalty is ${penalised[step].toFixed(2)}.`;
  const norms =
    `‖X‖ (${user_name}) is ${user_norms[userMoves].toFixed(2)}, ` +
    `‖Y‖ (${item_name}) is ${item_norms[itemMoves].toFixed(2)}.`;
  if (step === 0) return `The start, drawn at random. ${now} No half-step has been made yet. ${norms}`;
  const [moved, held] = step % 2 ? [user_name, item_name] : [item_name, user_name];
  return (
    `Half-step ${step} of ${n_steps} moved the ${moved} and held the ${held}. ${now} ` +
    `It fell by ${(losses[step - 1] - losses[step]).toFixed(2)}, and it has never risen. ${norms}`
  );
}

function render({ model, el }) {
  const traits = ["start", "penalty", "step"];
  const names = ["labels", "penalties", "paths", "n_steps", "user_name", "item_name", ...traits];
  const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const view = frame({ model, el, slug: "als", label: "ALS, half-step by half-step", traits });
  const { labels, penalties, paths, n_steps, user_name, item_name } = state();

  const FALLS = "Fall, or stay";
  const guess = prediction({
    question: `The next half-step moves the ${user_name} and holds the ${item_name}. What can the loss do?`,
    options: [FALLS, "Rise", "It depends on the start"],
    onChoose: (option) => view.say(`Your prediction: ${option}. Now make half-steps, and try the other starts.`),
  });
  function explain() {
    guess.reveal(
      `${guess.chosen ? (guess.chosen === FALLS ? "Right: it" : "Look again: it") : "It"} can only fall or stay, from every ` +
        `start. Each half-step finds the lowest point that is left for the side that moves.`,
    );
  }

  // Going on by itself, until the end or until the reader does something.
  let timer = null;
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function forward() {
    view.change({ step: Math.min(n_steps, model.get("step") + 1) });
    explain();
    if (model.get("step") === n_steps) stop();
  }
  const next = h("button", { type: "button" }, "Half-step");
  const play = h("button", { type: "button" }, "Play");
  next.addEventListener("click", () => {
    stop();
    forward();
  });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (model.get("step") === n_steps) view.change({ step: 0 });
    play.textContent = "Pause";
    timer = setInterval(() => (el.isConnected ? forward() : stop()), PAUSE);
  });

  const manual = (changes) => {
    stop();
    view.change(changes);
  };
  const stepper = slider({
    label: "Half-steps",
    min: 0,
    max: n_steps,
    step: 1,
    onInput: (step) => {
      manual({ step });
      if (step) explain();
    },
  });
  const startChoice = choice({
    legend: "Start",
    options: Object.keys(paths).map((name) => [name, START_NAMES[name] ?? name]),
    onInput: (start) => manual({ start }),
  });
  const penaltyChoice = choice({
    legend: "Penalty",
    options: penalties.map((penalty) => [String(penalty), String(penalty)]),
    onInput: (penalty) => manual({ penalty: Number(penalty) }),
  });

  // The plane
  const dots = (n, r, kind) => Array.from({ length: n }, () => s("circle", { r, class: kind }));
  const { users: userPath, items: itemPath } = paths.usual[0];
  const userDots = dots(userPath[0].length, 3.5, "bw-user");
  const itemDots = dots(itemPath[0].length, 4.5, "bw-one");
  const spokes = itemPath[0].map(() => s("line", { class: "bw-spoke" }));
  const texts = labels.map((label) => s("text", { "aria-hidden": "true" }, label));
  const plane = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": `Plane with the vectors of the ${user_name} and of the ${item_name}` },
    s("line", { class: "bw-grid", x1: 0, x2: SIZE, y1: SIZE / 2, y2: SIZE / 2 }),
    s("line", { class: "bw-grid", y1: 0, y2: SIZE, x1: SIZE / 2, x2: SIZE / 2 }),
    ...spokes,
    ...userDots,
    ...itemDots,
    ...texts,
  );
  const userKey = h("span", { class: "bw-key bw-key-users" }, user_name);
  const itemKey = h("span", { class: "bw-key bw-key-items" }, item_name);

  // The chart: the loss of this path, and faintly those of the other starts with the same penalty.
  const all = Object.values(paths).flatMap((group) => group.flatMap((path) => path.losses));
  const [low, high] = [Math.log(Math.min(...all) * 0.9), Math.log(Math.max(...all) * 1.1)];
  const chartX = (step) => CHART.left + (step / n_steps) * (CHART.right - CHART.left);
  const chartY = (loss) => CHART.bottom - ((Math.log(loss) - low) / (high - low)) * (CHART.bottom - CHART.top);
  const polyline = (losses) => losses.map((loss, step) => `${chartX(step).toFixed(1)},${chartY(loss).toFixed(1)}`).join(" ");
  const ticks = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000, 10000].map((power) => digit * power));
  const shownTicks = ticks.filter((tick) => Math.log(tick) > low && Math.log(tick) < high);
  const others = s("g", { class: "bw-others" });
  const path = s("polyline", { class: "bw-path" });
  const marks = s("g");
  const chart = s(
    "svg",
    { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": "The loss after each half-step, on a logarithmic axis" },
    ...shownTicks.flatMap((tick) => [
      s("line", { class: "bw-grid", x1: CHART.left, x2: CHART.right, y1: chartY(tick), y2: chartY(tick) }),
      s("text", { x: CHART.left - 5, y: chartY(tick) + 4, "text-anchor": "end" }, `${tick}`),
    ]),
    others,
    path,
    marks,
    ...[0, Math.floor(n_steps / 2), n_steps].map((step) =>
      s("text", { x: chartX(step), y: CHART.bottom + 15, "text-anchor": step === n_steps ? "end" : "middle" }, `${step}`),
    ),
    s("text", { x: (CHART.left + CHART.right) / 2, y: CHART.height - 4, "text-anchor": "middle" }, "half-steps"),
    s("text", { x: CHART.right, y: CHART.top + 8, "text-anchor": "end" }, "loss"),
  );

  view.body.classList.add("bw-als");
  view.body.append(
    guess.node,
    h("div", { class: "bw-controls" }, h("div", { class: "bw-buttons" }, next, play), stepper.node, startChoice.node, penaltyChoice.node),
    h("div", { class: "bw-plane" }, plane, h("p", { class: "bw-keys" }, userKey, itemKey)),
    h("div", { class: "bw-chart" }, chart),
  );

  function draw() {
    const { start, penalty, step } = state();
    const which = penalties.indexOf(penalty);
    const { users, items, losses } = paths[start][which];
    const reach = Math.max(...[...users, ...items].flat(2).map(Math.abs));
    const place = ([x, y]) => [SIZE / 2 + (x / reach) * (SIZE / 2 - EDGE), SIZE / 2 - (y / reach) * (SIZE / 2 - EDGE)];
    const [userMoves, itemMoves] = moves(step);
    const userPlaces = users[userMoves].map(place);
    const itemPlaces = items[itemMoves].map(place);
    const put = (node, [x, y]) => (node.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`);
    userDots.forEach((dot, u) => put(dot, userPlaces[u]));
    itemDots.forEach((dot, i) => put(dot, itemPlaces[i]));
    spokes.forEach((spoke, i) => {
      const [x2, y2] = itemPlaces[i];
      for (const [name, value] of Object.entries({ x1: SIZE / 2, y1: SIZE / 2, x2, y2 })) spoke.setAttribute(name, value.toFixed(1));
    });
    const isNamed = new Set(readable(itemPlaces));
    texts.forEach((text, i) => {
      const [x, y] = itemPlaces[i];
      const isLeft = x < SIZE / 2;
      put(text, [x + (isLeft ? -7 : 7), y + 4]);
      text.setAttribute("text-anchor", isLeft ? "end" : "start");
      text.style.display = isNamed.has(i) ? "" : "none";
    });
    const moved = step === 0 ? null : step % 2 ? "users" : "items";
    userKey.textContent = moved === "users" ? `${user_name}, just moved` : user_name;
    itemKey.textContent = moved === "items" ? `${item_name}, just moved` : item_name;

    others.replaceChildren(
      ...Object.entries(paths)
        .filter(([name]) => name !== start)
        .map(([, group]) => s("polyline", { points: polyline(group[which].losses) })),
    );
    path.setAttribute("points", polyline(losses.slice(0, step + 1)));
    marks.replaceChildren(
      ...losses
        .slice(0, step + 1)
        .map((loss, at) =>
          s("circle", {
            cx: chartX(at).toFixed(1),
            cy: chartY(loss).toFixed(1),
            r: at === step ? 6 : 3,
            class: at === 0 ? "bw-begin" : at % 2 ? "bw-user" : "bw-one",
          }),
        ),
    );
    stepper.show(step, `${step}`);
    startChoice.show(start);
    penaltyChoice.show(String(penalty));
    view.say(describe(state()));
  }

  const end = view.run(draw, {
    forget() {
      stop();
      guess.clear();
    },
  });
  return () => {
    stop();
    end();
  };
}

export default { render, describe, readable, moves };
