// The story in words: the list of steps, the caption of the current one, and what a screen reader is told.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  class StoryList {
    constructor() {
      this.list = make("ol", { "data-part": "story", "aria-label": "The story, step by step" });
      this.caption = make("p", { "data-part": "caption" });
      // Incidents are spoken at once; steps only when the reader steps, or a playback would never stop talking.
      this.alarm = make("p", { "data-part": "alarm", class: "lb-unseen", role: "status", "aria-live": "assertive" });
      this.spoken = make("p", { class: "lb-unseen", "aria-live": "polite" });
    }

    use(fold) {
      this.fold = fold;
      this.list.replaceChildren();
      this.grow();
    }

    // Adds the steps that have been told since.
    grow() {
      const shown = this.list.childElementCount;
      this.list.append(...this.fold.story.slice(shown).map((item, k) => this.#row(item, shown + k)));
    }

    #row(item, k) {
      const line = item.loc.split("/").pop();
      return make("li", {},
        make("button", { type: "button", "data-step": k, "data-category": item.category, tabindex: -1 },
          item.category === "beat" ? make("span", { class: "beat-mark", "aria-hidden": "true" }, "·") : this.#chip(item),
          make("span", { class: "what" },
            item.category === "incident" ? make("strong", {}, "✕ Incident: ") : "",
            item.category === "step" ? make("span", { class: "who" }, this.#who(item)) : "",
            item.text,
            line ? make("code", { title: item.loc }, line) : "")));
    }

    // A robot acts for itself; LoopBot acts for the task that it polls, which the step may have named already.
    #who(item) {
      const { actors, tasks } = this.fold.recording;
      const task = item.task >= 0 ? tasks[item.task].name : "";
      return task && !item.text.includes(task.replace(/^the /, "")) ? `${actors[item.actor].name}, ${task}: ` : `${actors[item.actor].name} `;
    }

    #chip(item) {
      return house.robotChip(house.describeRobot(this.fold.recording.actors[item.actor].name));
    }

    // Makes step `k` the current one; -1 is before the first.
    mark(k) {
      const item = this.fold.story[k];
      this.caption.dataset.category = item?.category ?? "";
      this.caption.replaceChildren(...this.#words(item));
      const alarm = item?.category === "incident" ? `Incident: ${item.text}` : "";
      if (this.alarm.textContent !== alarm) this.alarm.textContent = alarm;

      const row = this.list.children[k]?.firstElementChild;
      for (const before of this.list.querySelectorAll("[tabindex='0']")) before.tabIndex = -1;
      this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
      row?.setAttribute("aria-current", "step");
      const reachable = row ?? this.list.querySelector("button");
      if (reachable) reachable.tabIndex = 0;
      // Scrolls the list, never the page.
      const line = row?.parentElement;
      this.list.scrollTop = line ? line.offsetTop - this.list.offsetTop - (this.list.clientHeight - line.offsetHeight) / 2 : 0;
    }

    #words(item) {
      if (!item) return this.fold.story.length > 0 ? ["Before the first step."] : [];
      const code = item.loc ? [make("code", {}, item.loc)] : [];
      if (item.category === "beat") return [make("em", {}, item.text)];
      if (item.category === "incident") {
        return [house.icon("cross"), make("span", {}, make("strong", {}, "Incident: "), item.text)];
      }
      return [this.#chip(item), make("span", {}, make("strong", {}, this.#who(item)), item.text), ...code];
    }

    speak() {
      this.spoken.textContent = this.caption.textContent;
    }
  }

  house.StoryList = StoryList;
})();
