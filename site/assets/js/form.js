// What a form can do better with script: one key for what is sent, so that sending it again makes no second
// record; a word while it sends; and when the answer does not come, the answers stay and the phone number shows.
(() => {
  "use strict";
  const WORD_AFTER = 400; // milliseconds
  const GIVE_UP_AFTER = 30000;

  const newKey = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  // The key stays with the form's place in the browser's history: whoever comes back to it and sends the same once
  // more gives the same key. Other words are another record. What was sent is kept as a number that tells nothing.
  const mark = (words) => {
    let sum = 0x811c9dc5; // FNV-1a
    for (const byte of new TextEncoder().encode(words)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
    return sum;
  };
  const keyFor = (form) => {
    const words = new FormData(form);
    words.delete("idempotency_key");
    const sent = mark(new URLSearchParams(words).toString());
    const before = history.state?.sent?.[form.action];
    if (before?.sent === sent) return before.key;
    const key = newKey();
    history.replaceState({ ...history.state, sent: { ...history.state?.sent, [form.action]: { sent, key } } }, "");
    return key;
  };

  // A link of a release page fills in what it knows.
  const asked = new URLSearchParams(location.search);

  const start = () => document.querySelectorAll("form[data-form]").forEach(attend);

  function attend(form) {
    const key = form.elements.idempotency_key;
    const status = form.querySelector("[data-status]");
    const button = form.querySelector("button[type=submit]");
    let sending = false;

    for (const name of ["product", "version", "file"]) {
      const control = form.elements[name];
      if (control && !control.value && asked.get(name)) control.value = asked.get(name);
    }
    // Where a sign-in leads is a path of our own site, whatever a link says; the desk checks it once more.
    const onward = asked.get("next") ?? "";
    if (form.elements.next && /^\/(?![/\\])[\w.~!$&'()*+,;=:@%/?-]*$/.test(onward)) form.elements.next.value = onward;

    const counted = form.querySelector("[data-count]");
    if (counted) {
      const hint = document.getElementById(`${counted.id}-hint`);
      const told = hint.textContent;
      const count = () => {
        hint.textContent = counted.value ? `${told} ${counted.value.length} of ${counted.maxLength} used.` : told;
      };
      counted.addEventListener("input", count);
      count();
    }

    const say = (text, failed) => {
      status.textContent = text;
      status.classList.toggle("failed", Boolean(failed));
    };
    const fail = (why) => {
      const phone = status.dataset.phone;
      say(`${why} Nothing you wrote is lost: it is still here. Send it again${phone ? `, or call ${phone}` : ""}.`, true);
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (sending) return;
      sending = true;
      button.setAttribute("aria-disabled", "true");
      const word = setTimeout(() => say("Sending … please wait."), WORD_AFTER);
      const stop = new AbortController();
      const limit = setTimeout(() => stop.abort(), GIVE_UP_AFTER);
      try {
        if (key) key.value = keyFor(form);
        const answer = await fetch(form.action, {
          method: "POST",
          body: new URLSearchParams(new FormData(form)),
          headers: { Accept: "text/html", ...(key ? { "Idempotency-Key": key.value } : {}) },
          signal: stop.signal,
        });
        if (answer.status >= 500) {
          fail("The server could not take it.");
        } else if (answer.redirected && answer.ok) {
          clearTimeout(word);
          location.assign(answer.url);
          return;
        } else {
          show(await answer.text());
          return;
        }
      } catch {
        fail(navigator.onLine ? "No answer came." : "You are off line.");
      } finally {
        clearTimeout(word);
        clearTimeout(limit);
        sending = false;
        button.removeAttribute("aria-disabled");
      }
    });
  }

  // The answer to a form that was not taken is a whole page; its contents take this page's place.
  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.getElementById("content");
    const old = document.getElementById("content");
    if (!fresh || !old) {
      document.documentElement.replaceWith(document.importNode(page.documentElement, true));
      return;
    }
    document.title = page.title;
    const focus = fresh.querySelector("[autofocus]") ?? fresh.querySelector("h1");
    for (const element of fresh.querySelectorAll("[autofocus]")) element.autofocus = false; // for pages that load
    old.replaceWith(document.adoptNode(fresh));
    if (focus) {
      focus.tabIndex = -1;
      focus.focus();
      focus.scrollIntoView();
    }
    start();
  }

  start();
})();
