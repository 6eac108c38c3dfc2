// <quiz-question>: a question paragraph and a task list become a radio group that answers. Every wrong option explains
// its own misconception, and only once it has been chosen.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  class QuizQuestion extends HTMLElement {
    connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      const found = house.taskList(this);
      if (!found || found.options.filter((option) => option.right).length !== 1) {
        this.dataset.state = "text"; // Not a question with one answer: it stays what the author wrote.
        return;
      }
      this.options = found.options;
      this.key = `quiz:${house.page()}:${this.id}`;
      const before = [];
      for (const node of this.childNodes) {
        if (node === found.list) break;
        before.push(node);
      }
      this.#build(before);
      const remembered = house.store.get(this.key);
      this.tries = remembered?.tries ?? 0;
      if (this.options[remembered?.choice]) {
        this.radios[remembered.choice].checked = true;
        this.button.disabled = false;
        this.#answer(false);
      } else {
        this.dataset.state = "open";
      }
      // Arrow keys choose an option here; they must not turn the page.
      this.addEventListener("keydown", (event) => event.stopPropagation());
    }

    #build(question) {
      const name = house.freshId("quiz");
      this.text = make("div", { "data-part": "text" }, ...this.childNodes);
      this.rows = this.options.map((option, k) => {
        const radio = make("input", { type: "radio", name, value: k, onchange: () => this.#choose() });
        const mark = make("span", { class: "mark", "aria-hidden": "true" });
        const note = make("div", { "data-part": "note", hidden: true }, ...house.copies(option.note));
        return { radio, mark, note,
          row: make("div", { class: "option" },
            make("label", {}, radio, make("span", {}, ...house.copies(option.label)), mark), note) };
      });
      this.radios = this.rows.map(({ radio }) => radio);
      this.button = make("button", { type: "button", "data-part": "check", disabled: true, onclick: () => this.#check() }, "Check");
      this.result = make("p", { "data-part": "result", role: "status" });
      this.append(this.text,
        make("fieldset", {}, make("legend", {}, make("span", { class: "tag" }, "Question"), ...house.copies(question)),
          ...this.rows.map(({ row }) => row),
          make("div", { class: "check" }, this.button, this.result)));
    }

    get choice() {
      return this.radios.findIndex((radio) => radio.checked);
    }

    // A new choice takes the old answer back.
    #choose() {
      this.button.disabled = false;
      this.dataset.state = "open";
      this.result.textContent = "";
      for (const { row, note, mark } of this.rows) {
        row.classList.remove("right", "wrong");
        note.hidden = true;
        mark.textContent = "";
      }
    }

    #check() {
      this.tries += 1;
      house.store.set(this.key, { choice: this.choice, tries: this.tries });
      this.#answer(true);
    }

    #answer(fresh) {
      const { choice } = this;
      const { right } = this.options[choice];
      const { row, note, mark } = this.rows[choice];
      row.classList.add(right ? "right" : "wrong");
      mark.replaceChildren(house.icon(right ? "tick" : "cross"));
      note.hidden = note.childElementCount === 0;
      this.result.textContent = right
        ? this.tries > 1 ? `Right, at try ${this.tries}.` : "Right."
        : "Not this one. Read why, then choose again.";
      this.dataset.state = right ? "right" : "wrong";
      if (fresh) this.dispatchEvent(new CustomEvent("loopbot:answered", { bubbles: true, detail: { choice, right, tries: this.tries } }));
    }
  }

  customElements.define("quiz-question", QuizQuestion);
})();
