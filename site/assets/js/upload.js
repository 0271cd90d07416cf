// Files of a ticket with script: several at once, each with its progress, and each can be stopped. Without script
// the same form sends one file.
(() => {
  "use strict";
  const form = document.querySelector("form[enctype='multipart/form-data']");
  const choice = form?.querySelector("input[type=file]");
  if (!form || !choice) return;
  const most = Number(form.elements["max-size"]?.value || form.dataset.maxSize || 20 * 1024 * 1024);
  choice.multiple = true;
  const list = document.createElement("ul");
  list.className = "uploads";
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  form.append(list, status);
  const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`);

  const send = (file) =>
    new Promise((done) => {
      const row = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = `${file.name} (${size(file.size)}) `;
      const bar = document.createElement("progress");
      bar.max = file.size || 1;
      bar.value = 0;
      bar.setAttribute("aria-label", `Upload of ${file.name}`);
      const stop = document.createElement("button");
      stop.type = "button";
      stop.className = "button button--quiet button--small";
      stop.textContent = "Stop";
      stop.setAttribute("aria-label", `Stop the upload of ${file.name}`);
      const word = document.createElement("strong");
      row.append(name, bar, " ", stop, word);
      list.append(row);
      const end = (text, good) => {
        bar.remove();
        stop.remove();
        word.textContent = text;
        word.className = good ? "" : "failed";
        done(good);
      };
      if (file.size > most) return end(`is too large: a file may have at most ${size(most)}.`, false);
      if (!file.size) return end("is empty.", false);
      const body = new FormData(form);
      body.delete(choice.name);
      body.append(choice.name, file);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.upload.addEventListener("progress", (event) => (bar.value = event.loaded));
      request.addEventListener("load", () =>
        request.status < 400 ? end("is stored.", true) : end("could not be stored. Choose it again.", false),
      );
      request.addEventListener("error", () => end("did not arrive. Choose it again.", false));
      request.addEventListener("abort", () => end("was stopped; nothing of it is kept.", false));
      stop.addEventListener("click", () => request.abort());
      request.send(body);
      return undefined;
    });

  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    const files = [...choice.files];
    if (!files.length) {
      status.textContent = "Choose a file first.";
      choice.focus();
      return;
    }
    busy = true;
    status.textContent = "Uploading …";
    let all = true;
    for (const file of files) all = (await send(file)) && all; // one after the other: each counts for the limit
    choice.value = "";
    busy = false;
    if (all) location.reload();
    else status.textContent = "Not every file was stored. Those that were show when you load the page again.";
  });
})();
