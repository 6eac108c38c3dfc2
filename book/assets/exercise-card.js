// <exercise-card>: an exercise with its command. Everywhere the command can be copied; where `cargo run` serves the page,
// the card also runs the check on this machine, shows what it prints, and hands out hints one at a time.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  const MOST_LINES = 400; // A program that prints for ever must not fill the page.

  class ExerciseCard extends HTMLElement {
    async connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      this.dataset.state = "ready";
      this.number = this.getAttribute("number") ?? "";
      this.key = `exercise:${this.number}`;
      this.bar = make("div", { "data-part": "bar" });
      this.append(this.bar);
      this.#copyButton();
      this.addEventListener("keydown", (event) => event.stopPropagation());
      const remembered = house.store.get(this.key);
      if (remembered?.verdict) this.dataset.last = remembered.verdict;

      const environment = await house.environment();
      if (environment.mode !== "live" || !/^[\w-]+$/.test(this.number)) return;
      this.token = environment.token;
      this.check = make("button", { type: "button", "data-part": "check", onclick: () => this.#check() }, house.icon("play"), "Check");
      this.halt = make("button", { type: "button", "data-part": "halt", hidden: true, onclick: () => this.running?.abort() },
        house.icon("stop"), "Stop");
      this.hint = make("button", { type: "button", "data-part": "hint", onclick: () => this.#hint() }, "Hint");
      this.bar.append(this.check, this.halt, this.hint);
      this.verdict = make("p", { "data-part": "verdict", role: "status" });
      this.output = make("pre", { "data-part": "output", hidden: true, tabindex: 0, "aria-label": "What the check printed" });
      this.hints = make("ol", { "data-part": "hints" });
      this.append(this.verdict, this.output, this.hints);
      this.dataset.mode = "live";
    }

    #copyButton() {
      const code = this.querySelector("pre code");
      if (!code || !navigator.clipboard) return; // mdBook's own button is still there.
      const button = make("button", { type: "button", "data-part": "copy" }, house.icon("copy"), "Copy the command");
      button.addEventListener("click", async () => {
        let said = "Copied";
        try {
          await navigator.clipboard.writeText(code.textContent.trim());
        } catch {
          said = "The browser refused; select the line instead";
        }
        button.lastChild.textContent = said;
        setTimeout(() => (button.lastChild.textContent = "Copy the command"), 2000);
      });
      this.bar.append(button);
    }

    async #check() {
      this.running = new AbortController();
      house.busy += 1;
      this.check.disabled = true;
      this.halt.hidden = false;
      this.output.hidden = false;
      this.output.textContent = "";
      this.#say("running", "Checking …");
      let lines = 0;
      let answer = null;
      try {
        const response = await house.call("POST", `check/${this.number}`, { token: this.token, signal: this.running.signal });
        for await (const part of house.lines(response)) {
          if (part.error) throw new house.Refusal(String(part.error));
          if (part.verdict) answer = part;
          if (typeof part.line === "string") {
            lines += 1;
            if (lines <= MOST_LINES) this.#print(part.line);
            else if (lines === MOST_LINES + 1) this.#print("… the rest is not shown here; run the command in a terminal to see it.");
          }
        }
        if (!answer) throw new house.Refusal("The check ended without a verdict.");
        house.store.set(this.key, { verdict: answer.verdict });
        this.dataset.last = answer.verdict;
        this.#say(answer.verdict, answer.sentence ?? "");
      } catch (error) {
        if (error.name === "AbortError") this.#say("stopped", "You stopped the check.");
        else if (error instanceof house.Refusal) this.#say("error", error.message);
        else {
          console.error(error);
          this.#say("error", "The connection to the course program broke off.");
        }
      } finally {
        house.busy -= 1;
        this.running = null;
        this.check.disabled = false;
        this.halt.hidden = true;
        if (lines === 0) this.output.hidden = true;
      }
      this.dispatchEvent(new CustomEvent("loopbot:checked", { bubbles: true, detail: { number: this.number, verdict: this.dataset.state } }));
    }

    #print(line) {
      const low = this.output.scrollTop + this.output.clientHeight >= this.output.scrollHeight - 4;
      this.output.append(`${line}\n`);
      if (low) this.output.scrollTop = this.output.scrollHeight;
    }

    #say(state, sentence) {
      this.dataset.state = state;
      const icon = state === "pass" ? house.icon("tick") : ["running", "stopped"].includes(state) ? "" : house.icon("cross");
      const word = { pass: "Passed. ", fail: "Not yet. " }[state];
      this.verdict.replaceChildren(icon, word ? make("strong", {}, word) : "", sentence);
    }

    async #hint() {
      this.hint.disabled = true;
      try {
        if (!this.all) {
          const response = await house.call("GET", `hints/${this.number}`, { token: this.token });
          const { hints } = await response.json();
          this.all = Array.isArray(hints) ? hints.map(String) : [];
        }
        const shown = this.hints.childElementCount;
        if (shown < this.all.length) this.hints.append(make("li", {}, this.all[shown]));
        const left = this.all.length - this.hints.childElementCount;
        this.hint.textContent = left === 0 ? (this.all.length ? "No more hints" : "There are no hints") : `Next hint (${left} left)`;
        this.hint.disabled = left === 0;
      } catch (error) {
        this.hint.disabled = false;
        this.#say("error", error instanceof house.Refusal ? error.message : "The hints cannot be read.");
      }
    }
  }

  customElements.define("exercise-card", ExerciseCard);
})();
