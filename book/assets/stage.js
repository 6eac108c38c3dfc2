// `?stage` on any page: the same page for a projector. Large type, one section at a time (a heading of the second level and
// what follows it), keys and clicker, and no fact that only hovering shows.
//
// The rule of the keys, so that nobody who presents gets lost: PageDown and PageUp, which are what a clicker sends, always
// show what comes next and what came before, wherever the focus is, and never leave the page. Space and the arrows do the
// same, unless a figure has the focus: then they are the figure's. F gives the focus to a figure, Escape takes it back.
// The line at the bottom says at every moment which keys do what. notes.js is the window that follows.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  house.onStage = !house.onPaper && typeof location === "object" && new URLSearchParams(location.search).has("stage");
  if (!house.onStage) return;

  // A room can follow so many lanes, and no more. lanes.js keeps those with the most to tell.
  house.mostLanes = 8;

  const WIDGETS = "floor-plan, scheduler-puzzle, quiz-question, exercise-card, code-tabs";
  const COLUMN = 800; // pixels of page across the screen: so much is written for, and the zoom makes it fill the screen
  const LEAST_CODE = 0.65; // a listing is shrunk no further than this
  const LEAST_FIGURE = 0.6; // nor a figure than this
  const SIDE_BY_SIDE = 940; // pixels of figure in which floor and lanes stand beside each other

  const content = document.getElementById("mdbook-content");
  const main = content?.querySelector("main");
  if (!main) return;
  document.documentElement.classList.add("lb-stage");

  // ---- sections --------------------------------------------------------------------------------------------

  const sections = [];
  for (const element of main.children) {
    if (sections.length === 0 || element.localName === "h2") {
      const heading = element.matches("h1, h2") ? element : null;
      sections.push({ id: heading?.id ?? "", title: heading?.textContent.trim() ?? document.title, elements: [] });
    }
    sections.at(-1).elements.push(element);
  }
  if (sections.length === 0) return;
  let current = 0;

  const idsOf = ({ elements }) =>
    elements.flatMap((element) => [element, ...element.querySelectorAll("[id]")]).map(({ id }) => id).filter(Boolean);

  function show(k, where = "top") {
    leaveFigure();
    current = Math.max(0, Math.min(sections.length - 1, k));
    sections.forEach(({ elements }, i) => {
      for (const element of elements) element.toggleAttribute("data-off-stage", i !== current);
    });
    fit();
    content.scrollTop = where === "end" ? stops().at(-1) : 0;
    said = "";
    remember();
    tell();
    line();
  }

  // Where the address says. A page that is reloaded stays where it was.
  function showAddressed() {
    const id = addressed();
    const k = id ? sections.findIndex((section) => idsOf(section).includes(id)) : 0;
    show(Math.max(0, k));
    const target = id ? document.getElementById(id) : null;
    if (target && k >= 0 && sections[k].id !== id) content.scrollTop += target.getBoundingClientRect().top - content.getBoundingClientRect().top - 16;
    line();
  }

  function addressed() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // A damaged address leads to the beginning.
    }
  }

  function remember() {
    const { id } = sections[current];
    history.replaceState(history.state, "", `${location.pathname}${location.search}${id ? `#${id}` : ""}`);
  }

  // ---- one screen after the other --------------------------------------------------------------------------

  // Where to scroll to, one after the other, so that every block of the section is seen, and cut only where it is taller than
  // the screen.
  function stops() {
    const frame = content.getBoundingClientRect();
    const height = content.clientHeight;
    const blocks = sections[current].elements.map((element) => ({ box: element.getBoundingClientRect(), heading: /^H[1-6]$/.test(element.tagName) }))
      .filter(({ box }) => box.height > 0)
      .map(({ box, heading }) => ({ top: box.top - frame.top + content.scrollTop, bottom: box.bottom - frame.top + content.scrollTop, heading }));
    const end = Math.max(0, ...blocks.map(({ bottom }) => bottom));
    const all = [0];
    for (let top = 0; end > top + height + 2 && all.length < 100;) {
      let k = blocks.findIndex(({ bottom }) => bottom > top + height + 2);
      // A heading goes with what it heads.
      while (k > 0 && blocks[k - 1].heading && blocks[k - 1].top > top + 24) k -= 1;
      const next = blocks[k].top - 16;
      top = Math.floor(next > top + 24 ? next : top + height * 0.85);
      all.push(top);
    }
    return all;
  }

  function forward() {
    const next = stops().find((stop) => stop > content.scrollTop + 4);
    if (next !== undefined) to(next);
    else if (current < sections.length - 1) show(current + 1);
    else say(nextPage() ? `That was the last section. Enter opens ${nextPage().title}.` : "That was the last section.");
  }

  function back() {
    const before = stops().findLast((stop) => stop < content.scrollTop - 4);
    if (before !== undefined) to(before);
    else if (current > 0) show(current - 1, "end");
    else say("This is the beginning of the page.");
  }

  function to(top) {
    leaveFigure();
    content.scrollTop = top;
    said = "";
    tell();
    line();
  }

  function nextPage() {
    const link = document.querySelector("a[rel~=next]");
    if (!link) return null;
    const entry = [...document.querySelectorAll("#mdbook-sidebar a[href]")].find(({ href }) => href.split("#")[0] === link.href);
    return { href: staged(link.href), title: entry ? `“${entry.textContent.trim()}”` : "the next chapter" };
  }

  // ---- figures ---------------------------------------------------------------------------------------------

  const figureOf = (target) => (target instanceof Element ? target.closest(WIDGETS) : null);

  // The next figure of this section, from the one that has the focus, or from the top of the screen.
  function enterFigure() {
    const all = sections[current].elements.flatMap((element) =>
      (element.matches(WIDGETS) ? [element] : [...element.querySelectorAll(WIDGETS)])).filter((element) => element.checkVisibility());
    if (all.length === 0) return say("There is no figure in this section.");
    const now = all.indexOf(figureOf(document.activeElement));
    const top = content.getBoundingClientRect().top;
    const first = all.findIndex((element) => element.getBoundingClientRect().bottom > top + 40);
    const figure = all[now >= 0 ? (now + 1) % all.length : Math.max(0, first)];
    bring(figure);
    const asks = figure.dataset.gate === "closed" ? "fieldset input" : "[data-part=player]";
    const inside = figure.querySelector(`${asks}, [data-robot]:not([aria-disabled]), input[type=radio]:not(:disabled), [role=tab][aria-selected=true], [data-part=check], button`);
    inside?.focus({ preventScroll: true });
    said = "";
    line();
  }

  function leaveFigure() {
    if (figureOf(document.activeElement)) document.activeElement.blur();
  }

  // Space plays, whatever in the figure has the focus, and whether or not somebody has predicted.
  function play(figure) {
    if (figure.dataset.gate === "closed") figure.querySelector("[data-part=skip]")?.click();
    figure.toggle?.();
    figure.querySelector("[data-part=player]")?.focus({ preventScroll: true });
    bring(figure);
  }

  const bring = (figure) => {
    content.scrollTop += figure.getBoundingClientRect().top - content.getBoundingClientRect().top - 8;
  };

  // ---- keys ------------------------------------------------------------------------------------------------

  let black = null;

  function darken() {
    if (black) black.remove();
    black = black ? null : make("div", { class: "lb-black" });
    if (black) document.body.append(black);
  }

  const leave = () => {
    const url = new URL(location.href);
    url.searchParams.delete("stage");
    location.assign(url);
  };

  // What a key does where no figure has the focus.
  const keys = {
    " ": forward, ArrowRight: forward, ArrowLeft: back, "shift ": back,
    ArrowDown: () => content.scrollBy({ top: content.clientHeight * 0.15 }), ArrowUp: () => content.scrollBy({ top: content.clientHeight * -0.15 }),
    Home: () => show(0), End: () => show(sections.length - 1), Escape: leave, b: darken, ".": darken,
  };

  // A clicker knows two keys, and some have a third that makes the screen black.
  const always = { PageDown: forward, PageUp: back, n: openNotes, f: enterFigure };

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { target } = event;
    const writing = target instanceof Element && target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
    const figure = figureOf(target);
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const paging = ["PageDown", "PageUp"].includes(name);
    let act = writing && !paging ? undefined : always[name];
    if (!act && figure) {
      if (name === "Escape") act = leaveFigure;
      else if (name === " " && figure.localName === "floor-plan" && !target.matches("button:not([data-part=play]), select, a, summary")) act = () => play(figure);
      else if (name === "Enter" && figure.localName === "quiz-question" && target.matches("input")) act = () => figure.querySelector("[data-part=check]:not(:disabled)")?.click();
      else return; // the figure's own
    } else if (!act && !writing) {
      if (name === "Enter" && target === document.body && atEnd() && nextPage()) act = () => location.assign(nextPage().href);
      else if (!(name === " " && target !== document.body && target !== main)) act = keys[event.shiftKey && name === " " ? "shift " : name];
    }
    if (act) {
      event.preventDefault();
      if (black && act !== darken) darken();
      act();
      line();
    }
    // Of the page's own keys (search, help, the next chapter) none is for a stage.
    if (act || (!writing && name !== "Tab" && name !== "Enter" && name !== " ")) event.stopImmediatePropagation();
  }

  const atEnd = () => current === sections.length - 1 && !stops().some((stop) => stop > content.scrollTop + 4);

  // ---- the line at the bottom ------------------------------------------------------------------------------

  let said = "";
  const where = make("span", { "data-part": "where" });
  const help = make("span", { "data-part": "keys" });
  const bar = make("footer", { class: "lb-stage-line", role: "status" }, where, help);

  function say(sentence) {
    said = sentence;
    line();
  }

  const key = (...names) => names.flatMap((name, k) => [k > 0 ? " " : "", make("kbd", {}, name)]);

  function line() {
    const all = stops();
    const part = all.findLastIndex((stop) => stop <= content.scrollTop + 4) + 1;
    const parts = all.length > 1 ? ` · part ${Math.max(1, part)} of ${all.length}` : "";
    where.replaceChildren(make("strong", {}, sections[current].title), ` · ${current + 1} of ${sections.length}${parts}`);
    const figure = figureOf(document.activeElement);
    if (said) help.replaceChildren(said);
    else if (!figure) {
      help.replaceChildren(...key("PageDown"), " on  ", ...key("PageUp"), " back  ", ...key("F"), " figure  ", ...key("N"), " notes  ", ...key("Esc"), " leave");
    } else {
      const own = { "floor-plan": [...key("Space"), " plays  ", ...key("←", "→"), " step"], "scheduler-puzzle": [...key("1", "2"), " … who moves  ", ...key("⌫"), " takes back"],
        "quiz-question": [...key("↑", "↓"), " choose  ", ...key("Enter"), " checks"], "code-tabs": [...key("←", "→"), " choose"] }[figure.localName] ?? [...key("Tab"), " next button"];
      help.replaceChildren("In the figure: ", ...own, "  ", ...key("Esc"), " out of it  ", ...key("PageDown"), " on");
    }
  }

  // ---- fitting ---------------------------------------------------------------------------------------------

  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

  function fit() {
    const zoom = Math.max(1.4, innerWidth / COLUMN);
    document.documentElement.style.setProperty("--lb-zoom", zoom.toFixed(3));
    room = (content.clientHeight - 32) / zoom;
    for (const element of sections[current].elements) {
      for (const pre of within(element, "pre:has(> code)")) fitCode(pre);
      for (const figure of within(element, "floor-plan")) {
        if (!figure.fitting) figure.style.removeProperty("--lb-fit");
        fitFigure(figure);
      }
    }
  }

  let room = 0; // the height of the screen, in the pixels of the page
  const within = (element, selector) => (element.matches(selector) ? [element] : [...element.querySelectorAll(selector)]);

  // So much smaller that its lines fit; and its number of lines, too, if that takes little. Lines longer than that are folded.
  function fitCode(pre) {
    const code = pre.querySelector("code");
    pre.style.removeProperty("--lb-fit");
    pre.classList.remove("lb-folded");
    if (code.clientWidth === 0) return;
    const across = code.clientWidth / code.scrollWidth;
    const down = room / pre.offsetHeight;
    const fitting = Math.min(1, across, down >= LEAST_CODE ? down : 1);
    if (fitting < 0.999) pre.style.setProperty("--lb-fit", Math.max(LEAST_CODE, fitting * 0.985).toFixed(3));
    pre.classList.toggle("lb-folded", code.scrollWidth > code.clientWidth);
  }

  // A figure is seen whole: first its question and the floor, then the floor, the controls and the lanes. It draws itself
  // anew when its width changes, a frame later. So it is made smaller step by step, and never larger while it plays.
  async function fitFigure(figure) {
    const player = figure.querySelector(":scope > [data-part=player]");
    if (!player || figure.fitting) return;
    figure.fitting = true;
    const asks = player.querySelector("fieldset") !== null;
    if (figure.asked !== asks) figure.style.removeProperty("--lb-fit");
    figure.asked = asks;
    const [last, least] = asks ? ["stage", 0.75] : ["legend", LEAST_FIGURE];
    const roomy = player.querySelector("[data-part=room]")?.hidden === false;
    let zoom = Number(figure.style.getPropertyValue("--lb-fit")) || (roomy ? Math.min(1, figure.clientWidth / SIDE_BY_SIDE) : 1);
    for (let round = 0; round < 9 && figure.checkVisibility(); round += 1) {
      figure.style.setProperty("--lb-fit", zoom.toFixed(3));
      await frame();
      await frame();
      const [whole, end] = [player, player.querySelector(`[data-part=${last}]`)].map((part) => part.getBoundingClientRect());
      const height = (end.bottom - whole.top) / Number(document.documentElement.style.getPropertyValue("--lb-zoom"));
      if (height <= room || zoom <= least) break;
      zoom = Math.max(least, zoom * Math.max(0.92, Math.min(0.98, room / height)));
    }
    figure.fitting = false;
    line();
  }

  let fitting = 0;
  const fitSoon = () => {
    cancelAnimationFrame(fitting);
    fitting = requestAnimationFrame(() => {
      fit();
      line();
    });
  };

  // ---- links -----------------------------------------------------------------------------------------------

  // A link to a page of the book leads to that page's stage.
  function staged(href) {
    const url = new URL(href, location.href);
    const ours = url.origin === location.origin || (url.protocol === "file:" && location.protocol === "file:");
    if (ours && /(\.html|\/)$/.test(url.pathname)) url.searchParams.set("stage", "");
    return url.href.replace(/([?&]stage)=(?=#|&|$)/, "$1");
  }

  function onLink(event) {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (link && !link.getAttribute("href").startsWith("#")) link.href = staged(link.href);
  }

  // ---- notes -----------------------------------------------------------------------------------------------

  const wire = house.stageWire((message) => {
    if (message.ask) tell();
    else if (message.go === "forward") forward();
    else if (message.go === "back") back();
  });

  // What the notes' window has to know: which part of which page is shown.
  function tell() {
    wire.send({
      page: location.pathname, ids: idsOf(sections[current]), title: sections[current].title,
      before: sections.slice(0, current).flatMap(idsOf), next: sections[current + 1]?.title ?? "", n: current + 1, of: sections.length,
    });
  }

  let notes = null;

  function openNotes() {
    if (notes && !notes.closed) return notes.focus();
    const chapter = /\/(ch\d\d)-[^/]*\.html$/.exec(location.pathname)?.[1];
    if (!chapter) return say("This page has no speaker notes; the chapters have.");
    const entries = [...document.querySelectorAll("#mdbook-sidebar a[href]")];
    if (entries.length > 0 && !entries.some(({ href }) => href.split(/[?#]/)[0].endsWith(`/notes/${chapter}.html`))) {
      return say("There are no speaker notes for this chapter yet.");
    }
    const url = new URL(`notes/${chapter}.html?notes`, location.href).href;
    notes = open(url, "loopbot-notes", "popup,width=900,height=760");
    if (!notes) say(`The browser has blocked the window. Allow pop-ups for this page, or open ${decodeURI(url)} in a window of your own.`);
  }

  // For tests, and for whoever wants to drive the stage by a script.
  house.stage = { sections, show, forward, back };

  // ---- begin -----------------------------------------------------------------------------------------------

  document.body.append(bar);
  addEventListener("keydown", onKey, true);
  for (const name of ["click", "auxclick"]) addEventListener(name, onLink, true);
  for (const name of ["focusin", "focusout"]) document.addEventListener(name, () => setTimeout(line));
  document.addEventListener("loopbot:tab", fitSoon);
  document.addEventListener("loopbot:state", ({ target }) => target.localName === "floor-plan" && fitFigure(target));
  addEventListener("resize", fitSoon);
  addEventListener("hashchange", showAddressed);
  content.addEventListener("scroll", () => line(), { passive: true });
  showAddressed();
  // Fonts and pictures come later than scripts.
  addEventListener("load", fitSoon);
  document.fonts?.ready.then(fitSoon);
})();
