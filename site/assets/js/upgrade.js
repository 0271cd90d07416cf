// Choosing another goal on a page of the upgrade guide: what comes after it is hidden, the counts follow.
// Without script the page tells the whole way, and each part of it with which release it comes.
(() => {
  "use strict";
  const guide = document.querySelector(".guide");
  const form = guide?.querySelector("form.goal");
  if (!form) return;
  const select = form.querySelector("select");
  const all = (what) => guide.querySelectorAll(what);
  const one = (what) => guide.querySelector(what);
  const newest = select.options[0];

  const show = () => {
    const goal = select.selectedOptions[0];
    const last = Number(goal.dataset.place);
    const whole = goal === newest;
    for (const part of all("[data-step]")) part.hidden = Number(part.dataset.step) > last;
    for (const part of all("[data-part]")) part.hidden = !part.querySelector("[data-step]:not([hidden])");
    for (const part of all("[data-newest]")) part.hidden = !whole;
    one(".goal-told").hidden = whole;
    one("[data-goal]").textContent = goal.value;
    one("[data-goal-notes]").href = goal.dataset.url;
    const link = one("[data-to] a");
    link.href = goal.dataset.url;
    link.textContent = goal.textContent.replace(/, the newest$/, "");
    one("[data-get]").href = goal.dataset.url;
    one("[data-get]").textContent = `Get ${link.textContent}`;
    one("[data-to-day]").textContent = goal.dataset.day;
    const shown = (kind) => all(`[data-kind${kind}]:not([hidden])`).length;
    const stops = [...all('[data-kind="stop"]')].filter((stop) => Number(stop.dataset.step) < last);
    for (const stop of all('[data-kind="stop"]')) stop.hidden = !stops.includes(stop);
    one('[data-count="stop"]').textContent = stops.length;
    one('[data-count="breaking"]').textContent = shown('="breaking"');
    one('[data-count="security"]').textContent = all("#security ~ ul [data-step]:not([hidden])").length;
    one('[data-count="all"]').textContent = shown('="breaking"') + shown('="security"') + shown('="other"');
    for (const part of all("#stops")) part.parentElement.hidden = !stops.length;
    const address = new URL(location.href);
    if (whole) address.searchParams.delete("to");
    else address.searchParams.set("to", goal.value);
    if (address.href !== location.href) history.replaceState(null, "", address);
  };

  const wanted = new URL(location.href).searchParams.get("to");
  for (const option of select.options) if (option.value === wanted) option.selected = true;
  form.hidden = false;
  one(".goal-note").hidden = true; // it is for those who cannot choose
  form.addEventListener("submit", (event) => event.preventDefault());
  select.addEventListener("change", show);
  if (select.selectedOptions[0] !== newest) show();
})();
