// What the pages do by themselves, apart from widgets: folds that open when something leads into them, and one switch
// that shows all code of the book. Everything works without this script, by hand.
(() => {
  const KEY = "book-show-code";
  const recall = () => { try { return localStorage.getItem(KEY) === "yes"; } catch { return false; } };
  const remember = (isOn) => { try { localStorage.setItem(KEY, isOn ? "yes" : "no"); } catch { /* no storage: this page only */ } };
  const folds = () => document.querySelectorAll("details.book-fold:not(.book-solution)");

  // The switch
  function showCode(isOn) {
    for (const fold of folds()) fold.open = isOn;
    const button = document.querySelector(".book-show-code");
    button?.setAttribute("aria-pressed", String(isOn));
  }
  const button = document.querySelector(".book-show-code");
  if (button && folds().length) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      remember(isOn);
      showCode(isOn);
    });
    if (recall()) showCode(true);
  }
  // Another page of the book, in another tab, has moved the switch.
  addEventListener("storage", (event) => { if (event.key === KEY) showCode(event.newValue === "yes"); });

  // A link or a search leads into a fold: to something inside, or to the section that the fold fills.
  function openTarget() {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { /* no id */ }
    if (!target) return;
    let isOpened = false;
    const own = target.matches("section.deeper") ? target.querySelector(":scope > details.deeper") : null;
    for (let fold = own ?? target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      isOpened ||= !fold.open;
      fold.open = true;
    }
    if (isOpened) target.scrollIntoView();
  }
  addEventListener("hashchange", openTarget);
  // The same link a second time changes no hash.
  addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href*="#"]');
    if (link && link.hash === location.hash && link.pathname === location.pathname) openTarget();
  });
  // A formula that is wider than the page scrolls, and needs a key to do so; the others are no stops of the Tab key.
  const seen = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const watchFormulas = () => {
    for (const formula of document.querySelectorAll('mjx-container[display="true"]')) seen.observe(formula);
  };
  addEventListener("load", () => window.MathJax?.startup?.promise?.then(watchFormulas));

  openTarget();
  if (recall() && location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
})();
