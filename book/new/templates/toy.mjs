// Toy: a slider picks one of the numbers.

const BOX = { width: 320, height: 160, bottom: 140, top: 12 };

// As describe() of the Python class.
function describe({ values, picked }) {
  return `Number ${picked + 1} of ${values.length} is ${values[picked].toFixed(1)}.`;
}

function render({ model, el }) {
  const traits = ["picked"];
  const view = frame({ model, el, slug: "toy", label: "Toy", traits });
  const values = model.get("values");

  const pick = slider({
    label: "Number",
    min: 0,
    max: values.length - 1,
    step: 1,
    onInput: (picked) => view.change({ picked }),
  });

  const wide = BOX.width / values.length;
  const tall = (value) => (value / Math.max(...values)) * (BOX.bottom - BOX.top);
  const bars = values.map((value, i) =>
    s("rect", { x: i * wide + wide * 0.2, width: wide * 0.6, y: BOX.bottom - tall(value), height: tall(value) }),
  );
  const drawing = s("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": "The numbers as bars" }, ...bars);
  view.body.append(pick.node, drawing);

  function draw() {
    const picked = model.get("picked");
    const sentence = describe({ values, picked });
    bars.forEach((bar, i) => bar.setAttribute("fill", i === picked ? "var(--book-orange)" : "var(--book-blue)"));
    pick.show(picked, sentence);
    view.say(sentence);
  }
  return view.run(draw, { forget() {} });
}

export default { render, describe };
