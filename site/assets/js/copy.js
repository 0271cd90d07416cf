// A button copies the text that it names. Without script there is no button, and the text can be selected.
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

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const status = document.getElementById(button.dataset.status);
    if (!source || !status) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copied(source);
      status.textContent = done ? "Copied." : "Selected: press Ctrl+C, or ⌘C on a Mac, to copy it.";
    });
  }
})();
