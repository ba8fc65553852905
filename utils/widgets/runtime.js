// The built page has no kernel: this stands in for the part of anywidget's model that front ends use.

class Model {
  constructor(state) {
    this.state = state;
    this.handlers = {};
  }
  // Python would answer `undefined` for a name that no trait has; here the widget does not start, and its tests fail.
  check(name) {
    if (!(name in this.state)) throw new Error(`expected a trait among ${Object.keys(this.state)}, received ${name}`);
  }
  get(name) {
    this.check(name);
    return this.state[name];
  }
  set(name, value) {
    const changes = typeof name === "object" ? name : { [name]: value };
    for (const key of Object.keys(changes)) this.check(key);
    const changed = Object.keys(changes).filter((key) => JSON.stringify(this.state[key]) !== JSON.stringify(changes[key]));
    for (const key of changed) this.state[key] = changes[key];
    for (const key of changed) this.emit(`change:${key}`, changes[key]);
    if (changed.length) this.emit("change");
  }
  save_changes() {} // nobody listens
  on(event, handler) {
    if (event.startsWith("change:")) this.check(event.slice(7));
    (this.handlers[event] ||= []).push(handler);
  }
  off(event, handler) {
    this.handlers[event] = (this.handlers[event] || []).filter((one) => handler && one !== handler);
  }
  emit(event, value) {
    for (const handler of this.handlers[event] || []) handler(this, value);
  }
}

function mount(root) {
  const still = [...root.childNodes];
  try {
    const model = new Model(JSON.parse(root.querySelector('script[type="application/json"]').textContent));
    modules[root.dataset.widget].render({ model, el: root });
    root.bookModel = model;
    for (const node of still) node.remove();
  } catch (error) {
    // The still picture and its text stay.
    for (const node of [...root.childNodes]) if (!still.includes(node)) node.remove();
    console.error(`widget ${root.dataset.widget}:`, error);
  }
}

window.bookWidgets = { modules, mount };
