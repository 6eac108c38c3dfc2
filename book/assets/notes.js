// `?notes` on a page of speaker notes: the window that only the speaker sees. It follows the stage (stage.js), shows the
// notes of the section that is on it, what comes next, a clock, and the minutes that were planned beside those that went by.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  if (house.onPaper || typeof location !== "object" || !new URLSearchParams(location.search).has("notes")) return;
  const main = document.querySelector("#mdbook-content main");
  if (!main) return;
  const chapter = /\/notes\/(ch\d\d)\.html$/.exec(location.pathname)?.[1];
  document.documentElement.classList.add("lb-notes");

  // ---- the notes -------------------------------------------------------------------------------------------

  // `## The picture (4 min) {#the-picture}`, and what follows. What stands before the first is the beginning.
  const beginning = { id: "", title: "", minutes: 0, elements: [] };
  const sections = [beginning];
  for (const element of main.children) {
    if (element.localName === "h2") {
      const [, title, minutes] = /^(.*?)(?:\s*\((\d+) min\))?$/s.exec(element.textContent.trim());
      sections.push({ id: element.id, title, minutes: minutes === undefined ? null : Number(minutes), elements: [] });
    }
    sections.at(-1).elements.push(element);
  }
  const planned = sections.filter(({ minutes }) => minutes !== null);
  const total = planned.reduce((sum, { minutes }) => sum + minutes, 0);

  // ---- what the stage shows --------------------------------------------------------------------------------

  let stage = null; // its last message
  let now = beginning;

  function follow(message) {
    if (!message.page) return;
    const on = /\/(ch\d\d)-[^/]*\.html$/.exec(message.page)?.[1];
    // The stage has gone on to another chapter: so do the notes, if there are any.
    if (on && on !== chapter && elsewhere(`/notes/${on}.html`)) {
      location.assign(new URL(`${on}.html?notes`, location.href));
      return;
    }
    stage = message;
    show();
  }

  const elsewhere = (end) => [...document.querySelectorAll("#mdbook-sidebar a[href]")].find(({ href }) => href.split(/[?#]/)[0].endsWith(end));

  function show() {
    const here = sections.filter(({ id }) => id && stage?.ids.includes(id));
    const timed = here.filter(({ minutes }) => minutes !== null);
    const past = planned.filter(({ id }) => id && stage?.before.includes(id));
    now = timed.at(-1) ?? past.at(-1) ?? beginning;
    const shown = here.length > 0 ? here : [now];
    for (const section of sections) {
      const aside = section.minutes === null && !here.includes(section);
      for (const element of section.elements) {
        // What is for the whole chapter stays in sight, below.
        element.classList.toggle("aside", aside);
        element.toggleAttribute("data-off-stage", !aside && !shown.includes(section));
      }
    }
    begin();
    const next = planned[planned.indexOf(now) + 1];
    const named = ({ title, minutes }) => (minutes ? `${title} (${minutes} min)` : title);
    parts.on.textContent = !stage ? "" : here.length > 0 ? here.map(named).join(", ") : stage.title;
    parts.alone.hidden = !stage || here.length > 0;
    parts.alone.textContent = now === beginning ? "No notes of its own; below is what to know before you begin."
      : `No notes of its own; below are those to “${now.title}”.`;
    parts.next.textContent = next ? named(next) : "nothing; that is the end of the chapter";
    parts.waiting.hidden = stage !== null;
    tick();
    scrollTo(0, 0);
  }

  // ---- time ------------------------------------------------------------------------------------------------

  const key = `loopbot:began:${chapter}`;
  let began = null; // when the chapter began, in milliseconds

  // Kept for as long as this window is open: a reload, and a look at another chapter, must not set the clock back.
  const kept = {
    get: () => { try { return Number(sessionStorage.getItem(key)); } catch { return 0; } },
    set: (value) => { try { sessionStorage.setItem(key, value); } catch { /* Then it begins anew. */ } },
  };

  function begin() {
    if (began !== null || !stage) return;
    began = kept.get() || Date.now();
    kept.set(began);
  }

  function restart() {
    began = Date.now();
    kept.set(began);
    tick();
  }

  const two = (n) => String(n).padStart(2, "0");

  function tick() {
    const time = new Date();
    parts.clock.textContent = `${two(time.getHours())}:${two(time.getMinutes())}`;
    const seconds = began === null ? 0 : Math.max(0, Math.floor((Date.now() - began) / 1000));
    parts.elapsed.textContent = `${Math.floor(seconds / 60)}:${two(seconds % 60)} of ${total} min`;
    const end = planned.slice(0, planned.indexOf(now) + 1).reduce((sum, { minutes }) => sum + minutes, 0);
    const start = end - now.minutes;
    const gone = seconds / 60;
    const late = Math.round(gone - end);
    const early = Math.round(start - gone);
    parts.plan.textContent = began === null ? `planned: ${total} min` : late >= 1 ? `${late} min behind the plan`
      : early >= 1 ? `${early} min ahead of the plan` : "on time";
    parts.plan.dataset.pace = late >= 1 ? "late" : early >= 1 ? "early" : "good";
    parts.until.textContent = now === beginning ? "" : `this section: minute ${start} to ${end}`;
  }

  // ---- the page --------------------------------------------------------------------------------------------

  const parts = {
    clock: make("strong", { "data-part": "clock" }), elapsed: make("strong", { "data-part": "elapsed" }),
    plan: make("span", { "data-part": "plan" }), until: make("span", { "data-part": "until" }),
    restart: make("button", { type: "button", "data-part": "restart", onclick: restart }, "Start the minutes again"),
    on: make("strong", { "data-part": "on" }), next: make("span", { "data-part": "next" }),
    alone: make("p", { "data-part": "alone", hidden: true }), waiting: make("p", { "data-part": "waiting", role: "status" }),
  };

  function build() {
    const stageLink = elsewhere(`/${chapter}-`) ?? [...document.querySelectorAll("#mdbook-sidebar a[href]")].find(({ href }) => href.includes(`/${chapter}-`));
    parts.waiting.append("No stage is open. ", stageLink
      ? make("a", { href: `${stageLink.href.split(/[?#]/)[0]}?stage`, target: "loopbot-stage" }, "Open the chapter's stage")
      : "Open the chapter with ?stage at the end of its address", " in the window that the room sees; this one follows.");
    document.querySelector("#mdbook-content").prepend(make("header", { class: "lb-notes-head" },
      make("div", { class: "times" }, parts.clock, make("span", {}, parts.elapsed, " ", parts.plan), parts.until, parts.restart),
      make("div", {}, "On stage: ", parts.on), make("div", {}, "Next: ", parts.next),
      make("div", { class: "keys" }, make("kbd", {}, "PageDown"), " and ", make("kbd", {}, "PageUp"), " move the stage from here, too.")),
      parts.alone, parts.waiting);
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches?.("input, select, textarea")) return;
    const go = { PageDown: "forward", ArrowRight: "forward", PageUp: "back", ArrowLeft: "back" }[event.key];
    if (go) {
      event.preventDefault();
      wire.send({ go });
    }
    // The page's own keys would turn the page, or search.
    if (!["Tab", "Enter", " ", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) event.stopImmediatePropagation();
  }

  // A chapter without notes leads here too, where the server has no such page.
  if (!chapter || planned.length < 2) {
    main.replaceChildren(make("p", { "data-part": "none" }, "There are no speaker notes for this chapter yet."));
    return;
  }
  const wire = house.stageWire(follow);
  build();
  show();
  addEventListener("keydown", onKey, true);
  setInterval(tick, 500);
  wire.send({ ask: true });
})();
