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
  // Cards: what a term means, or what is cited, when its link is pointed at or reached by the keyboard.
  const terms = JSON.parse(document.getElementById("book-terms")?.textContent ?? "{}");
  const card = document.createElement("div");
  Object.assign(card, { className: "book-card", id: "book-card", hidden: true });
  card.setAttribute("role", "tooltip");
  let owner = null, timer = 0;
  function hideCard() {
    clearTimeout(timer);
    owner?.removeAttribute("aria-describedby");
    owner = null;
    card.hidden = true;
  }
  function showCard(link, fill) {
    hideCard();
    owner = link;
    fill();
    if (!card.isConnected) document.body.append(card);
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    const place = () => {
      const box = link.getClientRects()[0] ?? link.getBoundingClientRect();
      const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - card.offsetWidth - 8));
      const fitsBelow = box.bottom + card.offsetHeight + 10 < innerHeight;
      card.style.left = `${left + scrollX}px`;
      card.style.top = `${scrollY + (fitsBelow ? box.bottom + 4 : box.top - card.offsetHeight - 4)}px`;
    };
    place();
    if (card.querySelector(".math") && window.MathJax?.typesetPromise) MathJax.typesetPromise([card]).then(place);
  }
  for (const link of document.querySelectorAll("article a.reference.internal")) {
    const term = terms[decodeURIComponent(link.hash.slice(1))];
    const cited = link.pathname.endsWith("/bibliography.html") && link.title;
    if (!term && !cited) continue;
    if (cited) link.removeAttribute("title"); // or the browser shows it a second time
    const fill = () => { if (term) card.innerHTML = term; else card.textContent = cited; };
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "touch") return; // a tap follows the link
      clearTimeout(timer);
      timer = setTimeout(showCard, 250, link, fill);
    });
    link.addEventListener("focus", () => { if (link.matches(":focus-visible")) showCard(link, fill); });
    link.addEventListener("blur", hideCard);
    link.addEventListener("pointerleave", () => { clearTimeout(timer); timer = setTimeout(hideCard, 250); });
  }
  // The pointer may move onto the card, to read it in peace.
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", () => { timer = setTimeout(hideCard, 250); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hideCard(); });

  // The page's contents scroll with the page: the entry that is being read stays in sight.
  const contents = document.querySelector(".bd-sidebar-secondary");
  if (contents)
    new MutationObserver(() => {
      const active = [...contents.querySelectorAll(".nav-link.active")].pop();
      if (!active) return;
      const box = active.getBoundingClientRect(), around = contents.getBoundingClientRect();
      if (box.top < around.top + 40) contents.scrollTop -= around.top + 40 - box.top;
      else if (box.bottom > Math.min(around.bottom, innerHeight) - 40)
        contents.scrollTop += box.bottom - Math.min(around.bottom, innerHeight) + 40;
    }).observe(contents, { attributes: true, attributeFilter: ["class"], subtree: true });

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
