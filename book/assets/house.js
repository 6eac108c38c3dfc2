// What every widget of this book needs: one namespace, small DOM makers, remembered answers, the way to the
// book's root, and the question whether this page is served by `cargo run` (live) or is only pages (recorded).
//
// All scripts here are classic scripts, listed in order in book.toml, and share one global: `loopbot`.
// The book must work from file://, where modules and fetch are refused and script tags are not.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  // mdBook gives every page `path_to_root`, for example "../". In node there is none.
  const root = typeof path_to_root === "string" ? path_to_root : "";
  house.url = (path) => root + path;

  // print.html holds all chapters at once and prints itself: there every widget stays plain text.
  house.onPaper = typeof location === "object" && /\/print\.html$/.test(location.pathname);

  // ---- making elements -------------------------------------------------------------------------------------

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  house.make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  house.draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  // One drawing per icon, 16 by 16, filled with the text's colour.
  const icons = {
    play: "M4 2.5v11l9.5-5.5z",
    pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z",
    back: "M12.5 2.5v11L5.5 8zM3 2.5h2v11H3z",
    forward: "M3.5 2.5v11l7-5.5zM11 2.5h2v11h-2z",
    restart: "M8 3V.6L3.6 4 8 7.4V5a3.9 3.9 0 1 1-3.9 3.9H2.1A5.9 5.9 0 1 0 8 3z",
    stop: "M3 3h10v10H3z",
    copy: "M5 1.5h8.5v10H5zM6.5 3v7H12V3zM2.5 4.5H4v8.5h6.5v1.5h-8z",
    cross: "M3.2 1.8 8 6.6l4.8-4.8 1.4 1.4L9.4 8l4.8 4.8-1.4 1.4L8 9.4l-4.8 4.8-1.4-1.4L6.6 8 1.8 3.2z",
    circle: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 1.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4z",
    pencil: "M11.6 1.5l2.9 2.9-8.6 8.6-3.9 1 1-3.9z",
    tick: "M6.2 13.4 1.4 8.6l1.7-1.7 3.1 3.1 6.7-6.8 1.7 1.7z",
  };
  house.icon = (name) =>
    house.draw("svg", { viewBox: "0 0 16 16", class: "lb-icon", "aria-hidden": "true" },
      house.draw("path", { d: icons[name] }));

  // ---- remembering -----------------------------------------------------------------------------------------

  // localStorage may be missing or refused (private windows, file://). The widgets then forget, and still work.
  house.store = {
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(`loopbot:${key}`));
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(`loopbot:${key}`);
        else localStorage.setItem(`loopbot:${key}`, JSON.stringify(value));
      } catch {
        // Nothing to do: the reader has chosen not to be remembered.
      }
    },
  };

  // Two chapters may use the same id for a question, so a remembered answer also carries its page.
  house.page = () => location.pathname.split("/").slice(-2).join("/");

  // ---- the server, if there is one -------------------------------------------------------------------------

  // `{"mode":"recorded"}` lies in the book as a file; `cargo run` answers `{"mode":"live","token":"…"}` instead.
  let asked = null;
  house.environment = () => (asked ??= ask());

  async function ask() {
    const recorded = { mode: "recorded" };
    if (!/^https?:$/.test(location.protocol)) return recorded;
    try {
      const response = await fetch(house.url("loopbot-env.json"), { cache: "no-store" });
      if (!response.ok) return recorded;
      const answer = await response.json();
      return answer.mode === "live" && typeof answer.token === "string" ? answer : recorded;
    } catch {
      return recorded;
    }
  }

  house.Refusal = class Refusal extends Error {};

  // Calls a route of the course program. A refusal carries one sentence for the reader, from the body if there is one.
  house.call = async (method, path, { token, signal } = {}) => {
    let response;
    try {
      response = await fetch(house.url(`__loopbot/${path}`), {
        method, signal, cache: "no-store", headers: { "X-LoopBot-Token": token },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new house.Refusal("The course program does not answer. Is `cargo run` still running?");
    }
    if (response.ok) return response;
    const body = (await response.text()).trim();
    throw new house.Refusal(sentence(body) || `The course program answered ${response.status} and gave no reason.`);
  };

  function sentence(body) {
    try {
      const answer = JSON.parse(body);
      return answer.error ?? answer.sentence ?? answer.message ?? "";
    } catch {
      return body.startsWith("<") ? "" : body.slice(0, 400);
    }
  }

  // A streamed body, one JSON value a line, as it arrives.
  house.lines = async function* (response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : lines.pop();
      for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
      if (done) return;
    }
  };

  // While something runs for the reader, the page must not reload under it.
  house.busy = 0;

  // ---- task lists ------------------------------------------------------------------------------------------

  // A Markdown task list as a question's options: `[x]` is the right one; what is nested under an option is its note.
  house.taskList = (within) => {
    const list = [...within.querySelectorAll("ul")].find((ul) => ul.querySelector("input[type=checkbox][disabled]"));
    if (!list) return null;
    const options = [...list.children].map((item) => {
      const box = item.querySelector("input[type=checkbox][disabled]");
      const label = [];
      const note = [];
      const first = item.firstElementChild;
      const loose = first !== null && first.tagName === "P";
      for (const node of [...item.childNodes]) {
        if (loose && node === first) label.push(...first.childNodes);
        else if (note.length === 0 && !loose && !isBlock(node)) label.push(node);
        else if (node !== box) note.push(node);
      }
      const words = label.filter((node) => node !== box);
      return {
        right: box !== null && box.hasAttribute("checked"),
        label: words,
        note: note.filter((node) => node.textContent.trim() !== ""),
        text: words.map((node) => node.textContent).join("").trim(),
      };
    });
    return { list, options };
  };

  const isBlock = (node) => node.nodeType === 1 && /^(P|UL|OL|PRE|BLOCKQUOTE|DETAILS|DIV|TABLE)$/.test(node.tagName);
  house.copies = (nodes) => nodes.map((node) => node.cloneNode(true));

  let serial = 0;
  house.freshId = (stem) => `lb-${stem}-${++serial}`;
})();
