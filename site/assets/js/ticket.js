// Beside the ticket form: what is known of the version that somebody names, and pages that may help with what
// they write. Both come from the site's own pages, so they cannot say anything else; neither is ever in the way.
(() => {
  "use strict";
  const form = document.querySelector("form[data-form]");
  const known = document.querySelector("[data-known]");
  const similar = document.querySelector("[data-similar]");
  if (!form || !known || !similar) return;
  const root = new URL(document.querySelector(".brand").href);
  const PAUSE = 600; // ms without a key before somebody is thought to have finished a word
  const HELPFUL = ["Help", "Known issues", "Policy"];
  const MOST = 3;

  // A link of a page says which page a mistake is on.
  const asked = new URLSearchParams(location.search);
  const page = asked.get("page") ?? "";
  if (/^\/[^/\\]/.test(page) && page.length < 300 && !form.elements.description.value) {
    form.elements.subject.value ||= `Mistake on the page ${page}`.slice(0, 120);
    form.elements.description.value = `${new URL(page, location.origin)}\n\n`;
    for (const [name, value] of [["kind", "question"], ["severity", "P4"]]) {
      const choice = form.querySelector(`[name=${name}][value=${value}]`);
      if (choice && !form.querySelector(`[name=${name}]:checked`)) choice.checked = true;
    }
  }

  let shown = "";
  async function tell() {
    const product = form.elements.product.value;
    const version = form.elements.version.value.trim();
    const wanted = product && /^[\w.+-]+$/.test(version) ? `releases/${product}/${version}/` : "";
    if (wanted === shown) return;
    shown = wanted;
    const found = wanted ? await read(new URL(wanted, root)) : null;
    if (wanted !== shown) return;
    known.hidden = !found;
    known.querySelector("div").replaceChildren(...(found ?? []));
  }

  // The panel of the release's page, and the known issues that it lists.
  async function read(address) {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return null;
    const release = new DOMParser().parseFromString(await answer.text(), "text/html");
    const title = release.querySelector("h1");
    const facts = release.querySelector(".panel .facts");
    if (!title || !facts) return null;
    const heading = document.createElement("p");
    const link = document.createElement("a");
    link.href = address;
    link.textContent = title.textContent;
    heading.append(link);
    const list = document.createElement("dl");
    list.className = "facts";
    for (const fact of facts.querySelectorAll(":scope > div")) {
      const name = fact.querySelector("dt")?.textContent ?? "";
      if (["Supported until", "Security", "Followed by"].some((wanted) => name.startsWith(wanted))) {
        list.append(document.importNode(fact, true));
      }
    }
    const issues = release.getElementById("known")?.nextElementSibling;
    const parts = [heading, list];
    const listed = [...(release.querySelectorAll("#known ~ ul.list .list__title") ?? [])].slice(0, 5);
    if (issues && listed.length) {
      const lead = document.createElement("p");
      lead.textContent = "Known issues:";
      const items = document.createElement("ul");
      for (const one of listed) {
        const item = document.createElement("li");
        const leads = document.createElement("a");
        leads.href = new URL(one.getAttribute("href"), address);
        leads.textContent = one.textContent;
        item.append(leads);
        items.append(item);
      }
      parts.push(lead, items);
    }
    return parts;
  }

  let opening;
  let turn = 0;
  async function help() {
    const words = form.elements.subject.value.trim();
    const mine = ++turn;
    let links = [];
    if (words.length > 5) {
      opening ??= openFinder();
      const finder = await opening;
      const told = await finder.search(words);
      const hits = told.results.filter((hit) => HELPFUL.includes(finder.known.get(hit.id)?.kind)).slice(0, MOST);
      links = await Promise.all(hits.map((hit) => hit.data()));
    }
    if (mine !== turn) return;
    similar.hidden = !links.length;
    similar.querySelector("ul").replaceChildren(
      ...links.map((found) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = found.url;
        link.target = "_blank"; // what was typed must not be lost
        link.textContent = `${found.meta.title} (opens in a new tab)`;
        item.append(link);
        return item;
      }),
    );
  }

  const quietly = (work) => work().catch(() => undefined); // it only helps: the form works without
  form.elements.product.addEventListener("change", () => quietly(tell));
  form.elements.version.addEventListener("change", () => quietly(tell));
  let pause;
  form.elements.subject.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => quietly(help), PAUSE);
  });
  quietly(tell);
})();
