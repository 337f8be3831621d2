// Renews the page when the server says that something has changed. Everything is
// written by the server: this only swaps pieces, and asks for the what-if.
"use strict";
(() => {
  const query = new URLSearchParams(location.search);
  const recorded = document.body.dataset.recorded === "true";
  const staleAfter = Number(document.body.dataset.stale);
  const connection = document.getElementById("connection");
  let fetchedAt = performance.now();
  let asked = false, again = false;

  // Keeps what the reader has opened, scrolled and focused.
  function swap(section, fresh) {
    if (section.innerHTML === fresh.innerHTML && section.className === fresh.className) return;
    const open = [...section.querySelectorAll("details")].map((d) => d.open);
    const scrolled = [...section.querySelectorAll(".scroll,.alerts")].map((e) => [e.scrollLeft, e.scrollTop]);
    const active = document.activeElement;
    const row = section.contains(active) ? active.dataset.row : null;
    const typing = section.contains(active) && active.tagName === "BUTTON";
    if (typing) return; // a button under a finger must not move
    const detail = section.querySelector("#detail");
    section.className = fresh.className;
    section.replaceChildren(...fresh.childNodes);
    [...section.querySelectorAll("details")].forEach((d, i) => { if (open[i]) d.open = true; });
    [...section.querySelectorAll(".scroll,.alerts")].forEach((e, i) => { if (scrolled[i]) [e.scrollLeft, e.scrollTop] = scrolled[i]; });
    if (detail && detail.dataset.row) show(detail.dataset.row);
    if (row) section.querySelector(`[data-row="${CSS.escape(row)}"]`)?.focus({ preventScroll: true });
  }

  async function renew() {
    if (asked) { again = true; return; }
    asked = true;
    try {
      const answer = await fetch("/parts?" + query, { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const section of fresh.querySelectorAll("section[id]")) {
        const old = document.getElementById(section.id);
        if (old) swap(old, section);
      }
      fetchedAt = performance.now();
      connection.hidden = true;
      document.documentElement.dataset.renewed = String(Number(document.documentElement.dataset.renewed || 0) + 1);
    } catch {
      connection.hidden = false;
    }
    asked = false;
    if (again) { again = false; setTimeout(renew, 1000); }
  }

  const axis = query.get("axis");
  const events = new EventSource("/api/v1/events" + (axis ? "?axis=" + encodeURIComponent(axis) : ""));
  for (const name of ["all", "ladder", "state", "history", "alerts"]) events.addEventListener(name, renew);
  events.onerror = () => { connection.hidden = false; };
  events.onopen = () => { connection.hidden = true; };

  // Ages grow by themselves: numbers that are no longer renewed must look so.
  setInterval(() => {
    if (recorded) return;
    const since = (performance.now() - fetchedAt) / 1000;
    for (const e of document.querySelectorAll(".age")) {
      const age = Math.floor(Number(e.dataset.age) + since);
      e.textContent = age < 120 ? age + " s" : age < 7200 ? Math.floor(age / 60) + " min" : Math.floor(age / 3600) + " h";
      if (age > staleAfter) {
        e.closest(".chip,tr")?.classList.add("stale");
        document.getElementById("ladder").classList.add("stale");
      }
    }
  }, 1000);

  // The band under the pointer, the finger or the focus.
  function show(row) {
    const line = document.getElementById(row), detail = document.getElementById("detail");
    if (!detail) return;
    document.querySelectorAll(".bar.on").forEach((b) => b.classList.remove("on"));
    document.querySelector(`.bar[data-row="${CSS.escape(row)}"]`)?.classList.add("on");
    detail.dataset.row = row;
    const bar = document.querySelector(`.bar[data-row="${CSS.escape(row)}"]`);
    const title = document.createElement("p");
    title.innerHTML = "<strong></strong>";
    title.firstChild.textContent = bar ? bar.getAttribute("aria-label") : "";
    const more = document.createElement("p");
    more.className = "quiet";
    more.append(...(line?.nextElementSibling?.cells[0].cloneNode(true).childNodes || []));
    detail.replaceChildren(title, more);
  }
  for (const kind of ["pointerover", "focusin", "click"]) {
    document.addEventListener(kind, (e) => {
      const bar = e.target.closest?.(".bar");
      if (!bar) return;
      if (kind === "click") e.preventDefault();
      show(bar.dataset.row);
    });
  }

  const form = document.getElementById("whatif-form");
  const price = document.getElementById("whatif-price"), slider = document.getElementById("whatif-slider");
  const answerBox = document.getElementById("whatif-answer");
  let waiting = false, moved = false, timer;
  async function ask() {
    if (waiting) { moved = true; return; } // one question at a time: the newest is asked when the last is answered
    waiting = true;
    try {
      const answer = await fetch("/whatif?" + new URLSearchParams(new FormData(form)));
      const text = await answer.text();
      if (!answer.ok) throw new Error(JSON.parse(text).error.message);
      const doc = new DOMParser().parseFromString(text, "text/html");
      answerBox.replaceChildren(...doc.body.childNodes);
    } catch (e) {
      answerBox.textContent = e.message;
    }
    waiting = false;
    if (moved) { moved = false; ask(); }
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(ask, 60); };
  slider.addEventListener("input", () => { price.value = slider.value; soon(); });
  price.addEventListener("input", () => { slider.value = price.value; soon(); });
  document.getElementById("whatif-shock").addEventListener("change", soon);
  form.addEventListener("submit", (e) => { e.preventDefault(); ask(); });
})();
