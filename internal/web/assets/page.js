// Renews the page when the server says that something has changed. Everything is
// written by the server: this only swaps pieces, shows one band, and asks for the what-if.
"use strict";
(() => {
  const query = new URLSearchParams(location.search);
  const recorded = document.body.dataset.recorded === "true";
  const staleAfter = Number(document.body.dataset.stale);
  const connection = document.getElementById("connection");
  const $ = (id) => document.getElementById(id);
  const barOf = (row) => document.querySelector(`.bar[data-row="${CSS.escape(row)}"]`);
  let fetchedAt = performance.now();
  let asked = false, again = false, shown = null, askedPrice = null;

  // Keeps what the reader has opened, scrolled and focused.
  function swap(section, fresh) {
    if (section.innerHTML === fresh.innerHTML && section.className === fresh.className) return;
    const active = document.activeElement;
    if (section.contains(active) && active.tagName === "BUTTON") return; // a button under a finger must not move
    const row = section.contains(active) ? active.dataset.row : null;
    const kept = ".scroll,.alerts";
    const named = (d) => d.closest("[data-alert]")?.dataset.alert || d.className;
    const open = new Set([...section.querySelectorAll("details[open]")].map(named));
    const scrolled = [...section.querySelectorAll(kept)].map((e) => [e.scrollLeft, e.scrollTop]);
    section.className = fresh.className;
    section.replaceChildren(...fresh.childNodes);
    section.querySelectorAll("details").forEach((d) => { if (open.has(named(d))) d.open = true; });
    [...section.querySelectorAll(kept)].forEach((e, i) => { if (scrolled[i]) [e.scrollLeft, e.scrollTop] = scrolled[i]; });
    if (section.id !== "ladder") return;
    rove(row || shown);
    if (row) barOf(row)?.focus({ preventScroll: true });
    if (shown && barOf(shown)) show(shown); // else it keeps what the band held last
    mark();
  }

  async function renew() {
    if (asked) { again = true; return; }
    asked = true;
    try {
      const answer = await fetch("/parts?" + query, { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const section of fresh.querySelectorAll("section[id]")) {
        const old = $(section.id);
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

  // The first event of every connection is "all": who was away gets everything anew.
  const axis = query.get("axis");
  let events;
  function listen() {
    events = new EventSource("/api/v1/events" + (axis ? "?axis=" + encodeURIComponent(axis) : ""));
    for (const name of ["all", "ladder", "state", "history", "alerts"]) events.addEventListener(name, renew);
    events.onopen = () => { connection.hidden = true; };
    events.onerror = () => {
      connection.hidden = false;
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000); // it was refused: browsers do not try again by themselves
    };
  }
  listen();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); }); // a phone that slept

  // Ages grow by themselves: numbers that are no longer renewed must look so.
  setInterval(() => {
    if (recorded) return;
    const since = (performance.now() - fetchedAt) / 1000;
    for (const e of document.querySelectorAll(".age")) {
      const age = Math.floor(Number(e.dataset.age) + since);
      e.textContent = age < 120 ? age + " s" : age < 7200 ? Math.floor(age / 60) + " min" : Math.floor(age / 3600) + " h";
      if (age > Number(e.dataset.limit || staleAfter)) {
        e.closest(".chip,tr")?.classList.add("stale");
        $("ladder").classList.add("stale");
      }
    }
  }, 1000);

  // One band: under the pointer, the finger or the focus.
  const detail = $("detail");
  function show(row) {
    const bar = barOf(row), line = document.querySelector(`tr.more[data-of="${CSS.escape(row)}"]`);
    if (!bar) return;
    document.querySelectorAll(".bar.on").forEach((b) => b.classList.remove("on"));
    bar.classList.add("on");
    shown = row;
    detail.classList.add("on");
    const title = document.createElement("p"), strong = document.createElement("strong");
    strong.textContent = bar.getAttribute("aria-label");
    title.append(strong);
    $("detail-text").replaceChildren(title, ...(line ? line.cells[0].cloneNode(true).childNodes : []));
  }
  // Only one bar is a stop of the Tab key; arrows go from bar to bar.
  function rove(row) {
    const bars = [...document.querySelectorAll(".bar")];
    const stop = bars.find((b) => b.dataset.row === row) || bars.find((b) => b.classList.contains("down")) || bars[0];
    for (const b of bars) b.setAttribute("tabindex", b === stop ? "0" : "-1");
    return bars;
  }
  function step(by) {
    const bars = rove(shown).sort((a, b) => a.querySelector(".hit").y.baseVal.value - b.querySelector(".hit").y.baseVal.value);
    const at = bars.findIndex((b) => b.dataset.row === shown);
    const next = bars[Math.max(0, Math.min(bars.length - 1, at < 0 ? 0 : at + by))];
    if (!next) return;
    show(next.dataset.row);
    rove(next.dataset.row);
    return next;
  }
  const far = 1e6;
  const keys = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -far, End: far };
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") close();
    const bar = e.target.closest?.(".bar");
    if (!bar || !keys[e.key]) return;
    e.preventDefault();
    shown = bar.dataset.row;
    step(keys[e.key])?.focus({ preventScroll: false });
  });
  for (const kind of ["pointerover", "focusin", "click"]) {
    document.addEventListener(kind, (e) => {
      const bar = e.target.closest?.(".bar");
      if (!bar) return;
      if (kind === "click") e.preventDefault();
      show(bar.dataset.row);
    });
  }
  function close() {
    detail.classList.remove("on");
    document.querySelectorAll(".bar.on").forEach((b) => b.classList.remove("on"));
    shown = null;
  }
  $("band-up").addEventListener("click", () => step(-1));
  $("band-down").addEventListener("click", () => step(1));
  $("band-close").addEventListener("click", close);
  rove(null);

  // Whoever acknowledges or mutes stays where they are.
  document.addEventListener("submit", async (e) => {
    const form = e.target;
    if (!/^\/(acknowledge|mute)/.test(form.getAttribute("action") || "")) return;
    e.preventDefault();
    document.activeElement?.blur();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) throw new Error();
      renew();
    } catch {
      form.submit(); // the browser shows what the server says
    }
  });

  const form = $("whatif-form");
  const price = $("whatif-price"), slider = $("whatif-slider"), answerBox = $("whatif-answer");
  let waiting = false, moved = false, timer;

  // The price asked for, as a line through the ladder; bars between it and the
  // oracle's price stand out.
  function mark() {
    const svg = document.querySelector("svg.bars");
    svg?.querySelector(".asked-line")?.remove();
    svg?.classList.toggle("asked", false);
    if (!svg || askedPrice === null) return;
    const logs = svg.dataset.log === "true" ? Math.log : (x) => x;
    const low = logs(Number(svg.dataset.low)), high = logs(Number(svg.dataset.high)), height = svg.height.baseVal.value;
    const y = height * (1 - (logs(askedPrice) - low) / (high - low));
    if (Number.isFinite(y) && y >= 0 && y <= height) {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [k, v] of Object.entries({ x1: 0, x2: "100%", y1: y, y2: y, class: "asked-line" })) line.setAttribute(k, v);
      svg.append(line);
    }
    const spot = svg.querySelector(".oracle-line")?.y1.baseVal.value ?? height / 2;
    svg.classList.add("asked");
    for (const b of svg.querySelectorAll(".bar")) {
      const hit = b.querySelector(".hit"), middle = hit.y.baseVal.value + hit.height.baseVal.value / 2;
      b.classList.toggle("hurt", (middle - spot) * (middle - y) <= 0);
    }
  }
  async function ask() {
    if (waiting) { moved = true; return; } // one question at a time: the newest is asked when the last is answered
    waiting = true;
    askedPrice = Number(price.value) > 0 ? Number(price.value) : null;
    mark();
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
  form.querySelector(".joint").addEventListener("change", soon);
  form.addEventListener("submit", (e) => { e.preventDefault(); ask(); });
})();
