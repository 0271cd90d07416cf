// What a test measures on the page that is shown; each function tells faults as texts, an empty list is good.
globalThis.measured = (() => {
  "use strict";
  const told = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);
  const every = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });

  // What reaches over the right edge. What scrolls in a frame of its own may.
  const beyond = () => {
    const root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth ? [`the page is ${root.scrollWidth} px wide`] : [];
    const out = every("body *").filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width && box.right > root.clientWidth + 1
        && !element.closest(".scroll, .article > table, pre, .trap, .hush, svg") && !element.matches(".hero")
        && getComputedStyle(element).position !== "absolute";
    });
    return [...wide, ...out.slice(0, 3).map((element) => `beyond the edge: ${told(element)}`)];
  };

  // What is clipped would hide that it overflows.
  const cut = () =>
    every("main *, .top *, .bottom *").filter((element) => {
      const style = getComputedStyle(element);
      return style.overflowY !== "visible" && style.overflowY !== "auto" && style.overflowY !== "scroll"
        && element.scrollHeight > element.clientHeight + 1 && element.clientHeight
        && !element.closest(".hush, .trap, svg, .hero, select, input, textarea, table.stack thead");
    }).map((element) => `cut: ${told(element)}`);

  const FIELDS = "input:not([type=hidden]), select, textarea";
  const ours = (selector) => every(selector).filter((one) => shown(one) && !one.closest(".trap, .hush"));

  // The fields of the page's own forms: where each lies on the page, in px.
  const fields = () =>
    ours(FIELDS).filter((field) => field.closest("main")).map((field) => {
      const box = field.getBoundingClientRect();
      return { name: field.id || field.name, x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height };
    });

  // Text of fields below 16 px, fields below 24 and the buttons of forms below 44, links and summaries that are
  // below 24 and nearer than that to the next (WCAG 2.5.8; links within a sentence may be as high as its line).
  const small = () => {
    const found = [];
    for (const field of ours(FIELDS)) {
      const box = field.getBoundingClientRect();
      if (parseFloat(getComputedStyle(field).fontSize) < 16 && !/radio|checkbox/.test(field.type)) found.push(`small text: ${told(field)}`);
      if (Math.min(box.width, box.height) < 24) found.push(`small field: ${told(field)}`);
    }
    for (const button of ours("main form :is(button, [type=submit])")) {
      if (button.getBoundingClientRect().height < 43.9) found.push(`small button: ${told(button)}`);
    }
    const inText = (link) =>
      getComputedStyle(link).display === "inline" && [...link.parentElement.childNodes].some(
        (other) => other !== link && other.nodeType === Node.TEXT_NODE && /\w/.test(other.textContent),
      );
    const targets = ours("a[href], button, summary").filter((one) => !one.matches(".skip") && !inText(one));
    const boxes = targets.map((target) => target.getBoundingClientRect());
    const tight = (box) => Math.min(box.width, box.height) < 24;
    boxes.forEach((box, place) => {
      if (!tight(box) || !box.width) return;
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const near = boxes.findIndex((other, at) => {
        if (at === place || !other.width) return false;
        const dx = Math.max(other.left - x, 0, x - other.right);
        const dy = Math.max(other.top - y, 0, y - other.bottom);
        const apart = tight(other) ? Math.hypot(other.x + other.width / 2 - x, other.y + other.height / 2 - y) : Infinity;
        return Math.hypot(dx, dy) < 12 || apart < 24;
      });
      if (near >= 0) found.push(`small target: ${told(targets[place])}`);
    });
    return found;
  };

  // A style of the test's own; a sheet that script makes is none that the page's policy would refuse.
  const dress = (text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = text ? [sheet] : [];
  };

  return { beyond, cut, fields, small, dress };
})();
