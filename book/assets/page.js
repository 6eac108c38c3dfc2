// The page around the widgets: reloading when the book is rebuilt, hearing of progress, and small mendings of mdBook's own chrome for
// readers who use the keyboard or a screen reader. Each mending looks first whether there is something to mend.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  // ---- live reload -----------------------------------------------------------------------------------------

  // A browser opens six connections to a host and no more. A page nobody looks at gives its one back.
  async function follow() {
    const environment = await house.environment();
    if (environment.mode !== "live") return;
    let source = null;
    let build = null; // named by "hello"; another name after a pause means that a reload was missed
    const listen = () => {
      if (document.hidden) {
        source?.close();
        source = null;
      } else if (!source) {
        source = new EventSource(house.url("__loopbot/reload"));
        source.addEventListener("reload", reload);
        source.addEventListener("progress", () => dispatchEvent(new Event("loopbot:progress")));
        source.addEventListener("hello", ({ data }) => {
          if (build !== null && build !== data) reload();
          build = data;
        });
      }
    };
    document.addEventListener("visibilitychange", listen);
    listen();
  }

  // Not while something runs for the reader.
  function reload() {
    if (house.busy > 0) setTimeout(reload, 500);
    else location.reload();
  }

  // ---- mdBook's chrome -------------------------------------------------------------------------------------

  // The sidebar's toggle is a label: it takes no focus and answers no key. A button in its place does, and passes on.
  function sidebarToggle() {
    const label = document.getElementById("mdbook-sidebar-toggle");
    if (label?.tagName !== "LABEL") return;
    const button = make("button", { type: "button", class: label.className, title: label.title, "aria-label": label.title,
      "aria-controls": label.getAttribute("aria-controls"), onclick: () => label.click() });
    button.append(...[...label.childNodes].map((node) => node.cloneNode(true)));
    const mirror = () => button.setAttribute("aria-expanded", label.getAttribute("aria-expanded") ?? "false");
    new MutationObserver(mirror).observe(label, { attributes: true, attributeFilter: ["aria-expanded"] });
    mirror();
    label.hidden = true;
    label.style.display = "none";
    label.before(button);
  }

  // The bar at the top is no landmark: a screen reader cannot name it or jump to it.
  function menuBar() {
    const bar = document.getElementById("mdbook-menu-bar");
    if (bar && !bar.hasAttribute("role")) bar.setAttribute("role", "banner");
  }

  // The table of contents stands before the text; this leads past it.
  function skipLink() {
    const content = document.querySelector("#mdbook-content main");
    if (!content) return;
    content.id ||= "lb-content";
    content.tabIndex = -1;
    const link = make("a", { href: `#${content.id}`, class: "lb-skip" }, "Skip to the text");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      content.focus();
    });
    document.body.prepend(link);
  }

  // Code that is wider than the screen scrolls; the keyboard must reach it too.
  function wideCode() {
    const blocks = document.querySelectorAll("main pre > code");
    const look = () => {
      for (const block of blocks) {
        if (block.scrollWidth > block.clientWidth + 1) block.tabIndex = 0;
        else block.removeAttribute("tabindex");
      }
    };
    look();
    addEventListener("resize", look);
    addEventListener("loopbot:tab", look);
  }

  if (house.onPaper) return;
  sidebarToggle();
  menuBar();
  skipLink();
  wideCode();
  follow();
})();
