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

  // What scrolls sideways can be reached by keyboard, and only then.
  for (const frame of document.querySelectorAll(".scroll")) {
    const measure = () => {
      if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
      else frame.removeAttribute("tabindex");
    };
    measure();
    addEventListener("resize", measure);
  }
})();
