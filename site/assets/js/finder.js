// The index of the site in the reader's browser, as Pagefind reads it: for whatever searches. It lies in shards;
// the table says how many a first search asks, and `ask` merges more of them.
"use strict";
globalThis.openFinder = async (options = {}) => {
  const at = new URL("search/shards.json", document.querySelector(".brand").href);
  const settings = { baseUrl: new URL("..", at).pathname, ...options };
  const table = await (await fetch(at)).json();
  const engine = await import(new URL(table.engine, at).href);
  await engine.options(settings);
  const known = new Map(); // the id of a page → its kind, product and version
  const finder = { table, known, asked: 0, search: (words) => engine.search(words) };

  // Merges the shards up to a count; the first is the one that the engine begins with.
  finder.ask = async (count) => {
    await Promise.all(
      table.shards.slice(finder.asked, count).map(async (shard, number) => {
        const path = new URL(shard.path, at);
        const told = fetch(new URL("pages.json", path)).then((answer) => answer.json());
        if (finder.asked + number > 0) await engine.mergeIndex(path.pathname, settings);
        const { names, values, pages } = await told;
        for (const [id, places] of Object.entries(pages)) {
          known.set(id, Object.fromEntries(names.map((name, place) => [name, values[place][places[place]]])));
        }
      }),
    );
    finder.asked = count;
  };

  await finder.ask(table.first);
  return finder;
};
