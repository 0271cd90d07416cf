// The page of the search. A first search asks some shards of the index (see finder.js), the others are asked when
// the reader wants them. What was searched for stands in the page's address.
(() => {
  "use strict";
  const form = document.getElementById("search-form");
  const status = document.getElementById("found-status");
  const found = document.getElementById("found");
  const lists = document.getElementById("search-lists");
  const narrow = form.querySelector(".find__narrow");
  const FACETS = ["kind", "product", "version"];
  const FEW = 4; // results of a kind before the reader asks for more
  const PAUSE = 250; // ms without a key before a search
  let finder;
  let turn = 0; // the search whose answer is awaited

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const pages = (count) => `${count.toLocaleString("en")} ${count === 1 ? "page" : "pages"}`;

  // The excerpt comes as text with <mark> and escaped signs; it is put together again as text.
  const plain = (text) =>
    text
      .replace(/<[^>]*>/g, "")
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&quot;/g, '"')
      .replace(/&#39;|&#x27;/g, "'")
      .replace(/&amp;/g, "&");
  const excerpt = (html) => {
    const line = element("p", { class: "list__text" });
    const words = plain(html).trim();
    if (!/^[\p{Lu}\p{N}]/u.test(words)) line.append("… "); // it begins within a sentence
    for (const part of html.split(/(<mark>.*?<\/mark>)/)) {
      if (part.startsWith("<mark>")) line.append(element("mark", {}, plain(part)));
      else line.append(plain(part));
    }
    if (!/[.!?:]$/.test(words)) line.append(" …");
    return line;
  };

  const asks = () => {
    const said = Object.fromEntries(FACETS.map((name) => [name, form.elements[name].value]));
    return { q: form.elements.q.value.trim(), ...said };
  };
  const address = (wanted) => {
    const said = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
    return `${location.pathname}${said.size ? `?${said}` : ""}`;
  };
  const fits = (hit, wanted) =>
    FACETS.every((name) => !wanted[name] || finder.known.get(hit.id)?.[name] === wanted[name]);

  async function start() {
    finder = await openFinder({ highlightParam: "highlight", excerptLength: 24 });
    facets();
  }

  function facets() {
    const wanted = Object.fromEntries(new URLSearchParams(location.search));
    const order = new Intl.Collator("en", { numeric: true });
    for (const name of FACETS) {
      const choice = form.elements[name];
      const before = choice.value || wanted[name] || "";
      const values = [...new Set([...finder.known.values()].map((page) => page[name]))].filter(Boolean);
      values.sort((a, b) => (name === "version" ? order.compare(b, a) : order.compare(a, b)));
      choice.replaceChildren(
        choice.options[0],
        ...values.map((value) => element("option", { value }, value)),
      );
      choice.value = values.includes(before) ? before : "";
      choice.closest(".field").hidden = values.length < 2;
    }
    narrow.hidden = false;
  }

  async function result(hit) {
    const data = await hit.data();
    const title = element("a", { class: "list__title", href: data.url }, data.meta.title ?? data.url);
    return element("li", {}, element("div", {}, title, excerpt(data.excerpt)));
  }

  async function group(kind, hits) {
    const list = element("ol", { class: "list list--plain found__list" });
    const id = `found-${kind.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
    const heading = element("h2", { id }, kind, " ", element("span", { class: "chip" }, String(hits.length)));
    const section = element("section", { "aria-labelledby": id }, heading, list);
    let shown = 0;
    const more = element("button", { type: "button", class: "button button--quiet" });
    const show = async (count) => {
      const some = await Promise.all(hits.slice(shown, shown + count).map(result));
      list.append(...some);
      shown += some.length;
      more.textContent = `More from ${kind} (${hits.length - shown})`;
      more.hidden = shown >= hits.length;
      return some[0];
    };
    await show(FEW);
    more.addEventListener("click", async () => {
      const first = await show(20);
      first?.querySelector("a").focus();
    });
    section.append(more);
    return section;
  }

  function everything() {
    const rest = finder.table.shards.slice(finder.asked);
    if (!rest.length) return "";
    const count = rest.reduce((sum, shard) => sum + shard.pages, 0);
    const button = element("button", { type: "button", class: "button button--quiet" });
    button.textContent = `Search ${pages(count)} more`;
    button.addEventListener("click", async () => {
      button.textContent = "Searching …";
      await finder.ask(finder.table.shards.length);
      facets();
      await search();
      document.getElementById("found-title").focus();
    });
    const titles = rest.map((shard) => shard.title.replace(/, part \d+$/, ""));
    const named = [...new Set(titles)];
    const span = named.length > 3 ? `${named[0]} … ${named.at(-1)}` : named.join(", ");
    return element("p", { class: "found__more" }, button, ` Not searched yet: ${span}.`);
  }

  async function search() {
    const wanted = asks();
    const mine = ++turn;
    history.replaceState(null, "", address(wanted));
    document.title = document.title.replace(/^.*?(?= · )/, wanted.q ? `Search: ${wanted.q}` : "Search");
    lists.hidden = Boolean(wanted.q);
    if (!wanted.q) {
      status.textContent = "";
      found.replaceChildren();
      return;
    }
    const told = await finder.search(wanted.q);
    if (mine !== turn) return;
    const hits = told.results.filter((hit) => fits(hit, wanted));
    const kinds = new Map(); // in the order of the best of each
    for (const hit of hits) {
      const kind = finder.known.get(hit.id)?.kind ?? "Other pages";
      kinds.set(kind, [...(kinds.get(kind) ?? []), hit]);
    }
    const sections = await Promise.all([...kinds].map(([kind, own]) => group(kind, own)));
    if (mine !== turn) return;
    const searched = finder.table.shards.slice(0, finder.asked).reduce((sum, shard) => sum + shard.pages, 0);
    const count = hits.length;
    const words = `${count === 0 ? "Nothing" : pages(count)} found for “${wanted.q}”`;
    status.textContent = count === 0 ? `${words} in ${pages(searched)}.` : `${words}.`;
    document.getElementById("search-nothing").hidden = count > 0;
    const title = element("h2", { id: "found-title", class: "hush", tabindex: "-1" }, words);
    found.replaceChildren(title, ...sections, everything());
    lists.hidden = count > 0;
  }

  function fail() {
    status.textContent = "";
    document.getElementById("search-without").hidden = false;
    lists.hidden = false;
    form.hidden = true;
  }

  const said = new URLSearchParams(location.search);
  form.elements.q.value = said.get("q") ?? "";
  form.hidden = false;
  document.getElementById("search-without").hidden = true;
  lists.hidden = Boolean(form.elements.q.value);
  let pause;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    begun.then(search).catch(fail);
  });
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => begun.then(search).catch(fail), PAUSE);
  });
  // Nothing is loaded for somebody who only came to look at the page.
  let began;
  const begun = { then: (next) => ((began ??= start()), began.then(next)) };
  if (form.elements.q.value) {
    status.textContent = "Searching …";
    begun.then(search).catch(fail);
  }
})();
