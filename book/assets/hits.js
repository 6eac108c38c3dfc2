// What the rules say about a run: a card for each hit, which leads to the moment that it is about. The rules themselves
// are not here. They have looked before, where the recording was made, and left their words in it.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  const MOST = 12; // cards; a run in which more went wrong says how many

  class HitList {
    // `go(position)` moves the figure to a position, in events.
    constructor(go) {
      this.go = go;
      this.element = make("section", { "data-part": "hits", "aria-label": "What the rules say", hidden: true });
    }

    // Shows the hits of a recording. A live run has them at its end.
    use(recording) {
      const { hits } = recording;
      this.element.hidden = hits.length === 0;
      this.element.replaceChildren(
        make("p", { class: "hits-title" }, "What the rules say"),
        make("ul", {}, ...hits.slice(0, MOST).map((hit) => this.#card(hit, recording))),
        hits.length > MOST ? make("p", {}, `and ${hits.length - MOST} more.`) : "");
    }

    #card(hit, recording) {
      const red = hit.severity === "red";
      const position = moment(hit, recording);
      const label = `${house.duration(hit.at)}, event ${recording.events[position - 1]?.n}`;
      return make("li", { "data-rule": hit.rule, "data-severity": hit.severity },
        make("p", { class: "hit-head" },
          make("span", { class: "hit-mark", "aria-hidden": "true" }, red ? "✕" : "!"),
          make("strong", {}, red ? "Red: " : "Note: "), make("code", {}, hit.rule), " ",
          position > 0 ? make("button", { type: "button", "data-event": recording.events[position - 1].n,
            title: "Show this moment", onclick: () => this.go(position) }, label) : ""),
        make("p", {}, capital(hit.says)),
        hit.explains ? make("details", {}, make("summary", {}, "What this means"), make("p", {}, hit.explains)) : "");
    }
  }

  // The position right after the event that a hit is about: of those that show it, the last one at its time. 0 if none of
  // them is among the events that the page holds.
  function moment(hit, recording) {
    const shown = hit.evidence.map((n) => recording.indexOf(n)).filter((index) => index >= 0);
    const at = shown.findLast((index) => recording.events[index].t === hit.at) ?? shown[0] ?? -1;
    return at + 1;
  }

  // A sentence may begin with a name in small letters.
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  house.HitList = HitList;
})();
