// What a test asks of the element that has the focus, as somebody sees it who has no mouse.
globalThis.focusWalk = (() => {
  "use strict";
  const seen = new Set();
  let last = null;

  const told = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 90);

  // Its accessible name, nearly: label, aria, text.
  const name = () => {
    const element = document.activeElement;
    const by = (ids) => ids.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const words =
      element.getAttribute("aria-label") ??
      (element.hasAttribute("aria-labelledby") ? by(element.getAttribute("aria-labelledby")) : null) ??
      (element.labels?.length ? element.labels[0].textContent : element.textContent);
    return words.replace(/\s+/g, " ").trim();
  };

  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const luminance = ({ rgb }) => {
    const [red, green, blue] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  // The ring lies around the element, so what it is seen on is the ground of what holds it.
  const ground = (element) => {
    for (let holder = element.parentElement; holder; holder = holder.parentElement) {
      const colour = channels(getComputedStyle(holder).backgroundColor);
      if (colour.alpha > 0.99) return colour;
    }
    return channels("rgb(255, 255, 255)");
  };

  // `back` says that Shift and Tab led here.
  const faults = (back = false) => {
    const element = document.activeElement;
    const found = [];
    const style = getComputedStyle(element);
    if (style.outlineStyle === "none" || (style.outlineStyle !== "auto" && parseFloat(style.outlineWidth) < 2)) {
      found.push(`no ring on ${told(element)}`);
    } else if (style.outlineStyle !== "auto") {
      const ratio = contrast(channels(style.outlineColor), ground(element));
      if (ratio < 3) found.push(`a ring of ${ratio.toFixed(2)}:1 on ${told(element)}`);
    }
    const box = [...element.getClientRects()].find((one) => one.width && one.height);
    if (!box) {
      found.push(`not to be seen: ${told(element)}`);
    } else {
      const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
      const top = Math.max(box.top, 1);
      const bottom = Math.min(box.bottom, innerHeight - 1);
      const at = bottom > top ? document.elementFromPoint(x, (top + bottom) / 2) : null;
      const label = element.labels?.[0];
      if (!at) found.push(`out of sight: ${told(element)}`);
      else if (!(element.contains(at) || at.contains(element) || label?.contains(at))) found.push(`covered: ${told(element)}`);
    }
    const wanted = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    if (last && !(last.compareDocumentPosition(element) & wanted)) found.push(`out of order: ${told(element)}`);
    last = element;
    seen.add(element);
    return found;
  };

  // Whether Tab has left the page: nothing has the focus, or the walk begins again.
  const left = () => document.activeElement === document.body || seen.has(document.activeElement);

  const missed = () =>
    [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0)
      .filter((one) => !seen.has(one) && !one.closest(".trap"))
      // Of a group of radios Tab comes to one.
      .filter((one) => !(one.type === "radio" && [...seen].some((other) => other.name === one.name)))
      .map(told);

  // The way back from the last stop is another walk over the same.
  const turn = () => {
    const count = seen.size;
    seen.clear();
    last = null;
    return count;
  };

  return { name, faults, left, missed, turn };
})();
