// The prediction: readers who first say what will happen see more of what does. The options come from the author's task
// list; nothing plays before the reader has chosen one, or has skipped on purpose.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make, copies } = house;

  class Prediction {
    // `chosen` is called at each choice, `reopened` when the reader wants to choose again.
    constructor(question, options, key, { chosen, reopened }) {
      Object.assign(this, { question, options, key, chosen, reopened });
      this.element = make("div", { "data-part": "prediction" });
      this.asks = options.length > 0;
      this.choice = undefined; // undefined: not asked yet; null: skipped
      if (!this.asks) {
        if (question) this.element.append(make("p", { class: "said" }, make("span", { class: "question" }, question)));
        return;
      }
      const remembered = house.store.get(key);
      this.form = this.#form(remembered?.choice);
      this.element.append(this.form);
      if (remembered && (remembered.choice === null || options[remembered.choice])) {
        this.choice = remembered.choice;
        this.commit(null);
      }
    }

    get made() {
      return !this.asks || this.choice !== undefined;
    }

    #form(before) {
      const name = house.freshId("prediction");
      const options = this.options.map((option, k) =>
        make("label", {},
          make("input", { type: "radio", name, value: k, checked: before === k, onchange: () => this.#choose(k) }),
          make("span", {}, ...copies(option.label))));
      const skip = make("button", { type: "button", "data-part": "skip", onclick: () => this.#choose(null) }, "Skip");
      return make("fieldset", {},
        make("legend", {}, make("span", { class: "tag" }, "First, predict"), " ", this.question), ...options,
        make("p", { class: "hint" }, "Choose an answer, then press play. ", skip));
    }

    // The options stay open until the reader plays, so that arrow keys can move between them.
    #choose(choice) {
      this.choice = choice;
      house.store.set(this.key, { choice });
      this.chosen(choice);
    }

    // From now on the prediction is one line, with a way back. `next` takes the focus if it was in here.
    commit(next) {
      if (!this.asks || this.choice === undefined || this.element.firstChild !== this.form) return;
      const focused = this.element.contains(document.activeElement);
      const said = this.choice === null ? ["You made no prediction."] : ["You predict: ", ...copies(this.options[this.choice].label)];
      const change = make("button", { type: "button", "data-part": "change", onclick: () => this.#reopen() },
        this.choice === null ? "Predict" : "Change");
      this.element.replaceChildren(make("p", { class: "said" },
        make("span", { class: "question" }, this.question), " ", make("span", {}, ...said), " ", change));
      if (focused) next?.focus({ preventScroll: true });
    }

    #reopen() {
      this.reopened();
      this.element.replaceChildren(this.form);
      (this.form.querySelector("input:checked") ?? this.form.querySelector("input")).focus({ preventScroll: true });
    }

    // What the reader predicted beside what the record shows. A live run may end otherwise than the recorded one, so
    // the author's answer is not held against it.
    compare(live) {
      const right = this.options.find((option) => option.right);
      const chosen = this.options[this.choice];
      const rows = [];
      if (chosen) rows.push(make("p", {}, make("strong", {}, "You predicted: "), ...copies(chosen.label)));
      if (live || !right) return rows;
      if (chosen === right) {
        rows.push(make("p", { class: "hit" }, house.icon("tick"), make("strong", {}, "The record shows the same.")));
      } else {
        rows.push(make("p", {}, make("strong", {}, "The record shows: "), ...copies(right.label)));
      }
      if (chosen) rows.push(...copies(chosen.note));
      return rows;
    }
  }

  house.Prediction = Prediction;
})();
