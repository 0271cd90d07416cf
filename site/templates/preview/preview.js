// Added to pages by `bindery preview` alone: loads the page again when a new build is there.
"use strict";
(() => {
  let seen = "";
  const look = async () => {
    try {
      const answer = await fetch("/preview.json", { cache: "no-store" });
      const { build } = await answer.json();
      if (seen && build !== seen) {
        location.reload();
      }
      seen = build;
    } catch {
      // The server is being started again; the next look finds it.
    }
    setTimeout(look, 700);
  };
  look();
})();
