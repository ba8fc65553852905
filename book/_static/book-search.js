// The search: ranks the sections in book-sections.js, and shows each with a piece of its text.
(() => {
  const WEIGHT = { chapter: 1, glossary: 0.45, page: 0.7, api: 0.4 };
  const DEEPER = 0.8; // the main path of a chapter comes first
  // "vectors" finds "vector". Short words stay as they are: ALS is no plural.
  const stem = (word) => (word.length > 4 ? word.replace(/ies$/, "y").replace(/([^s])s$/, "$1") : word);
  const split = (text) => text.toLowerCase().normalize("NFKD").match(/[\p{L}\p{N}]+/gu) ?? [];
  const words = (text) => split(text).map(stem);
  const count = (list, word) => list.reduce((n, other) => n + (other === word), 0);

  // Return the entries that hold all words of the query, or else some of them, the best first.
  function rank(sections, query) {
    const wanted = [...new Set(words(query))];
    if (!wanted.length) return [];
    const phrase = words(query).join(" ");
    const entries = [];
    for (const page of sections) {
      page.entries.forEach(([id, heading, text], place) => {
        // The first entry of a page stands for the page, and is found by its file's name too: als, negative_sampling.
        const name = place === 0 ? words(`${page.page.split("/").pop().replace(".html", "").replace(/_/g, " ")} ${page.title}`) : [];
        entries.push({ page, id, heading, text, name, place, head: words(heading), body: words(text) });
      });
    }
    const onPage = new Map();
    for (const word of wanted)
      for (const entry of entries) {
        const key = `${word} ${entry.page.page}`;
        onPage.set(key, (onPage.get(key) ?? 0) + count(entry.body, word) + count(entry.head, word));
      }
    const scored = entries.map((entry) => {
      let score = 0, n_found = 0;
      for (const word of wanted) {
        const inHead = count(entry.head, word), inName = count(entry.name, word), inBody = count(entry.body, word);
        if (!inHead && !inName && !inBody) continue;
        n_found += 1;
        const inAll = onPage.get(`${word} ${entry.page.page}`);
        score += (inHead ? 5 : 0) + (inName ? 9 : 0);
        score += (4 * inBody) / (inBody + 3 + entry.body.length / 100) + (3 * inAll) / (inAll + 15);
      }
      if (wanted.length > 1 && n_found === wanted.length) {
        if ([...entry.head, ...entry.name].join(" ").includes(phrase)) score += 6;
        else if (entry.body.join(" ").includes(phrase)) score += 3;
      }
      if (entry.head.join(" ") === phrase) score += 4;
      if (/^deeper\b/i.test(entry.heading)) score *= DEEPER;
      return { ...entry, n_found, score: score * WEIGHT[entry.page.kind] };
    });
    const most = Math.max(...scored.map((entry) => entry.n_found));
    if (!most) return [];
    return scored.filter((entry) => entry.n_found === most).sort((a, b) => b.score - a.score);
  }

  // Append the piece of the text around the first word found, the words marked.
  function excerpt(element, text, wanted) {
    const isWanted = (word) => wanted.has(stem(word.toLowerCase()));
    const all = [...text.matchAll(/[\p{L}\p{N}]+/gu)];
    const first = all.find((match) => isWanted(match[0]))?.index ?? 0;
    let start = first < 90 ? 0 : text.indexOf(" ", first - 80) + 1;
    let end = Math.min(text.length, start + 230);
    if (end < text.length) end = text.lastIndexOf(" ", end);
    if (start > 0) element.append("… ");
    for (const match of all) {
      if (match.index < start || match.index + match[0].length > end || !isWanted(match[0])) continue;
      const mark = document.createElement("mark");
      mark.textContent = match[0];
      element.append(text.slice(start, match.index), mark);
      start = match.index + match[0].length;
    }
    element.append(text.slice(start, end), end < text.length ? " …" : "");
  }

  function show(query) {
    const box = document.getElementById("search-results");
    const status = document.getElementById("search-status");
    const results = rank(window.BOOK_SECTIONS ?? [], query);
    const list = document.createElement("ol");
    list.className = "book-results";
    const wanted = new Set(words(query));
    const root = document.documentElement.dataset.content_root ?? "./";
    for (const { page, id, heading, text } of results.slice(0, 40)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${root}${page.page}#${id}`;
      link.textContent = heading;
      item.append(link);
      if (heading !== page.title) {
        const where = document.createElement("span");
        where.textContent = page.title;
        item.append(" ", where);
      }
      const piece = document.createElement("p");
      excerpt(piece, text, wanted);
      item.append(piece);
      list.append(item);
    }
    box.replaceChildren(list);
    const n = results.length;
    status.textContent = !query.trim() ? "" : n === 0 ? `Nothing found for “${query}”.`
      : `${n} ${n === 1 ? "place" : "places"} found for “${query}”${n > 40 ? ", the best 40 of them" : ""}.`;
  }

  window.BookSearch = { rank };
  const query = new URLSearchParams(location.search).get("q") ?? "";
  for (const field of document.querySelectorAll("form.bd-search input[name=q]")) field.value = query;
  show(query);
})();
