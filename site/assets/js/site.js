// Small things that a page can do better with script; every page reads and works without it.
(() => {
  "use strict";
  document.documentElement.classList.replace("no-js", "js");

  // A menu that was opened by hand closes with Escape and gives the focus back.
  const menu = document.querySelector("details.menu");
  menu?.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Words that were searched for are shown where the search has led; nothing of the page is changed.
  const words = new URLSearchParams(location.search).getAll("highlight").filter(Boolean);
  const article = document.querySelector(".article");
  if (words.length && article && globalThis.CSS?.highlights) {
    const sought = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "gi");
    const ranges = [];
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node && ranges.length < 1000; node = walker.nextNode()) {
      for (const match of node.data.matchAll(sought)) {
        const range = new Range();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  // What staff say on every page; where a page shows it already, it is there without script.
  const top = document.querySelector(".top");
  if (top && !document.querySelector(".notice")) {
    fetch(new URL("data/notice.json", document.querySelector(".brand").href))
      .then((answer) => answer.json())
      .then(({ notice }) => {
        if (!notice) return;
        const line = document.createElement("p");
        line.className = "notice";
        line.setAttribute("role", "status");
        line.textContent = notice;
        top.after(line);
      })
      .catch(() => undefined);
  }

  // A picture that is wider than the screen begins at its end: the newest years.
  for (const picture of document.querySelectorAll(".timeline .scroll")) picture.scrollLeft = picture.scrollWidth;

  // Where today is in a picture of life cycles: the page itself tells days, never a status.
  for (const picture of document.querySelectorAll(".timeline__picture")) {
    const { first, last, left, right } = picture.dataset;
    const share = (Date.now() - Date.parse(first)) / (Date.parse(last) - Date.parse(first));
    if (!(share > 0 && share < 1)) continue;
    const x = Number(left) + (right - left) * share;
    const part = (name, attributes, text = "") => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      made.textContent = text;
      picture.append(made);
    };
    const height = picture.viewBox.baseVal.height;
    part("line", { class: "timeline__today", x1: x, x2: x, y1: 20, y2: height });
    part("text", { class: "timeline__today-label", x: x - 4, y: 29, "text-anchor": "end" }, "today");
  }

  // Whether a last supported day has passed, in the vendor's days; the page itself tells days, never a status.
  const zone = top?.dataset.zone;
  const today = new Intl.DateTimeFormat("en-CA", zone ? { timeZone: zone } : {}).format(new Date());
  for (const told of document.querySelectorAll("[data-until]")) {
    if (/not stated|none/.test(told.textContent)) continue;
    const last = [...told.querySelectorAll("time")].at(-1)?.dateTime;
    const left = last ? Math.round((Date.parse(last) - Date.parse(today)) / 86400000) : Infinity;
    const chip = document.createElement("span");
    chip.className = `chip chip--now chip--${left < 0 ? "over" : left <= 183 ? "soon" : "fixed"}`;
    chip.textContent = left < 0 ? "Ended" : left === 0 ? "Ends today" : left <= 183 ? `${left} ${left === 1 ? "day" : "days"} left` : "Supported";
    told.append(" ", chip);
  }

  // What scrolls sideways can be reached by keyboard, and only then; it says what it is: by its own title, else by
  // the heading above it. A table that scrolls by itself stays a table.
  const headings = [...document.querySelectorAll(".article :is(h1, h2, h3, h4)")];
  const above = (frame) =>
    headings.filter((one) => one.compareDocumentPosition(frame) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1);
  const named = new Map();
  for (const frame of document.querySelectorAll(".scroll, .article > table, .article pre, .article pre > code")) {
    const title = frame.querySelector("caption, svg > title") ?? above(frame);
    const words = (title?.textContent ?? document.title).replace(/\s+/g, " ").trim();
    const count = (named.get(words) ?? 0) + 1;
    named.set(words, count);
    const told = { tabindex: "0", "aria-label": count > 1 ? `${words}, ${count}` : words };
    if (!frame.matches("table")) told.role = "region";
    const measure = () => {
      const wide = frame.scrollWidth > frame.clientWidth;
      for (const [name, value] of Object.entries(told)) {
        if (wide) frame.setAttribute(name, value);
        else frame.removeAttribute(name);
      }
    };
    measure();
    addEventListener("resize", measure);
  }
})();
