// What front ends share. It stands before each module, in the built page and in a notebook alike.

// An HTML element: h("button", { type: "button" }, "Reset").
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// An SVG element.
function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

let idCount = 0;
const newId = () => `bw-${++idCount}-${Math.random().toString(36).slice(2, 8)}`;

// The frame of a widget: an area to fill, one sentence that says the present result, and a reset of the named traits.
function frame({ model, el, slug, label, traits }) {
  const first = JSON.stringify(Object.fromEntries(traits.map((name) => [name, model.get(name)])));
  const body = h("div", { class: "bw-body" });
  const status = h("p", { class: "bw-status", role: "status" });
  const reset = h("button", { type: "button", class: "bw-reset" }, "Reset");
  el.classList.add("book-widget");
  el.dataset.widget = slug;
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", label);
  el.append(body, h("div", { class: "bw-foot" }, status, reset));
  // Keys belong to the controls here, not to the theme's "next page" or to the notebook. Notebook 7 acts on a key before
  // it gets here ("d" twice deletes the cell), unless the control that has the focus bears this attribute.
  el.addEventListener("keydown", (event) => event.stopPropagation());
  el.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));

  const view = {
    body,
    // Change traits, here and in Python.
    change(changes) {
      model.set(changes);
      model.save_changes();
    },
    say(sentence) {
      if (status.textContent !== sentence) status.textContent = sentence;
    },
    // Draw now, and whenever one of the traits changes. Reset also calls `forget`, for what no trait holds. Returns what
    // ends it all when the widget leaves the page.
    run(draw, { forget, others = [] }) {
      const events = [...traits, ...others].map((trait) => `change:${trait}`);
      for (const event of events) model.on(event, draw);
      reset.addEventListener("click", () => {
        view.change(JSON.parse(first));
        forget();
        draw();
      });
      draw();
      el.dataset.ready = "true";
      return () => events.forEach((event) => model.off(event, draw));
    },
  };
  return view;
}

// A labelled slider with its value in words: slider({ label, min, max, step, onInput }).
function slider({ label, min, max, step, onInput }) {
  const id = newId();
  const input = h("input", { type: "range", id, min, max, step });
  // Not an <output>, which is one more live region; a screen reader hears the value from the slider itself.
  const shown = h("span", { class: "bw-value", "aria-hidden": "true" });
  input.addEventListener("input", () => onInput(input.valueAsNumber));
  return {
    node: h("div", { class: "bw-slider" }, h("label", { for: id }, label), input, shown),
    show(value, text) {
      input.value = value;
      shown.textContent = text;
      input.setAttribute("aria-valuetext", text);
    },
  };
}

// A slider over a list, which need not be evenly spaced: stops({ label, values, onInput }) tells the value, not its place.
function stops({ label, values, onInput }) {
  return slider({ label, min: 0, max: values.length - 1, step: 1, onInput: (place) => onInput(values[place]) });
}

// A labelled checkbox.
function checkbox({ label, onInput }) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("input", () => onInput(input.checked));
  return { node: h("label", { class: "bw-check" }, input, h("span", {}, label)), show: (value) => (input.checked = value) };
}

// One of several: choice({ legend, options: [[value, label]], onInput }).
function choice({ legend, options, onInput }) {
  const name = newId();
  const inputs = options.map(([value]) => h("input", { type: "radio", name, value }));
  inputs.forEach((input) => input.addEventListener("input", () => onInput(input.value)));
  const labels = options.map(([, label], i) => h("label", { class: "bw-check" }, inputs[i], h("span", {}, label)));
  return {
    node: h("fieldset", { class: "bw-choice" }, h("legend", {}, legend), ...labels),
    show: (value) => inputs.forEach((input) => (input.checked = input.value === value)),
  };
}

// A question to answer before playing. It never blocks the widget: reveal() explains once the reader has tried. Until then
// the hint, if there is one, says what to do after an answer.
function prediction({ question, options, onChoose, hint = "" }) {
  const buttons = options.map((option) => h("button", { type: "button", "aria-pressed": "false" }, option));
  const outcome = h("p", { class: "bw-outcome" });
  const next = h("p", { class: "bw-hint" });
  let chosen = null;
  const press = (index) => {
    chosen = index;
    next.textContent = index === null || outcome.textContent ? "" : hint;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
    if (index !== null) onChoose(options[index]);
  };
  buttons.forEach((button, i) => button.addEventListener("click", () => press(i)));
  return {
    node: h(
      "div",
      { class: "bw-prediction" },
      h("p", {}, h("strong", {}, "Predict. "), question),
      h("div", { class: "bw-options", role: "group", "aria-label": "Your prediction" }, ...buttons),
      next,
      outcome,
    ),
    get chosen() {
      return chosen === null ? null : options[chosen];
    },
    reveal(text) {
      outcome.textContent = text;
      next.textContent = "";
    },
    clear() {
      outcome.textContent = "";
      press(null);
    },
  };
}
