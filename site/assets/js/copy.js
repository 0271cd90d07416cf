// What somebody is likely to need elsewhere gets a button that copies it: <code data-copy="the checksum">…</code>.
// Without script there is no button, and the text can be selected.
(() => {
  "use strict";

  const copied = async (source) => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      return true;
    } catch {
      // Without a secure connection there is no clipboard: the text is selected, and one key copies it.
      getSelection().selectAllChildren(source);
      return false;
    }
  };

  for (const source of document.querySelectorAll("[data-copy]")) {
    const hush = document.createElement("span");
    hush.className = "hush";
    hush.textContent = ` ${source.dataset.copy}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy__button";
    button.append("Copy", hush);
    const status = document.createElement("span");
    status.className = "copy__status";
    status.setAttribute("role", "status");
    const box = document.createElement("span");
    box.className = "copy";
    box.append(button, " ", status);
    (source.closest("pre") ?? source).after(" ", box);
    button.addEventListener("click", async () => {
      const done = await copied(source);
      status.textContent = done ? "Copied" : "Selected: press Ctrl+C, or ⌘C on a Mac, to copy it";
    });
  }
})();
