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
