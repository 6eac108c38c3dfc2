// <exercise-card>: an exercise with its command. Everywhere the command can be copied; where `cargo run` serves the page,
// the card also says how far the learner is, runs the check on this machine, shows what it prints, hands out hints one at
// a time, and after a pass compares the answer with the solution. What it is told, the course program remembers, so the
// terminal and this page never disagree.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  const MOST_LINES = 400; // A program that prints for ever must not fill the page.

  // The last verdict in words, where it was not a pass.
  const lastTime = {
    fail: "a test failed", "does-not-compile": "it did not compile", "never-ends": "it never came to an end",
    "prints-too-much": "it printed too much", dies: "it crashed",
  };

  class ExerciseCard extends HTMLElement {
    async connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      this.dataset.state = "ready";
      this.number = this.getAttribute("number") ?? "";
      this.key = `exercise:${this.number}`;
      this.says = this.textContent; // the author's words
      this.bar = make("div", { "data-part": "bar" });
      this.append(this.bar);
      this.#copyButton();
      this.addEventListener("keydown", (event) => event.stopPropagation());
      const remembered = house.store.get(this.key);
      if (remembered?.verdict) this.dataset.last = remembered.verdict;

      const environment = await house.environment();
      if (environment.mode !== "live" || !/^[\w-]+$/.test(this.number)) return;
      this.token = environment.token;
      const button = (part, icon, label, act, hidden = false) =>
        make("button", { type: "button", "data-part": part, hidden, onclick: act }, icon ? house.icon(icon) : "", label);
      this.check = button("check", "play", "Check", () => this.#check());
      this.halt = button("halt", "stop", "Stop", () => this.running?.abort(), true);
      this.hint = button("hint", null, "Hint", () => this.#hint(), true);
      this.compare = button("solution", null, "Solution", () => this.#solution(), true);
      this.compare.setAttribute("aria-expanded", "false");
      this.bar.append(this.check, this.halt, this.hint, this.compare);
      this.standing = make("p", { "data-part": "standing", hidden: true });
      this.#heading().after(this.standing);
      this.verdict = make("p", { "data-part": "verdict", role: "status" });
      this.output = make("pre", { "data-part": "output", hidden: true, tabindex: 0, "aria-label": "What the check printed" });
      this.hints = make("ol", { "data-part": "hints", "aria-label": "Hints", "aria-live": "polite" });
      this.shown = make("div", { "data-part": "compared", hidden: true });
      this.append(this.verdict, this.output, this.hints, this.shown);
      this.dataset.mode = "live";
      try {
        await house.progress.follow(this.number, this.token, (standing) => this.#stand(standing));
      } catch (error) {
        this.#say("error", error instanceof house.Refusal ? error.message : "How far you are cannot be read.");
      }
    }

    // What the line about the learner stands under.
    #heading() {
      return this.querySelector(":scope > :is(h2, h3, h4)") ?? this.insertBefore(make("span", { hidden: true }), this.firstChild);
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

    // ---- how far the learner is ------------------------------------------------------------------------------

    #stand(standing) {
      // What is wrong with the file is said once, by the first card.
      if (house.progress.note) {
        this.standing.before(make("p", { "data-part": "notice", role: "status" }, house.progress.note));
        house.progress.note = "";
      }
      this.dataset.standing = standing.state;
      this.dataset.last = standing.last ?? "";
      const words = [make("strong", {}, this.#word(standing))];
      const more = this.#more(standing);
      if (more) words.push(`: ${more}`);
      // Most authors say it in their own words.
      if (!/\d+ minutes/.test(this.says)) words.push(` · about ${standing.minutes} minutes`);
      const icon = { passed: "tick", failing: "cross", begun: "pencil", untouched: "circle" }[standing.state];
      this.standing.replaceChildren(icon ? house.icon(icon) : "", ...words);
      this.standing.hidden = false;
      this.#showHints(standing);
      this.compare.hidden = standing.state !== "passed";
      if (this.compare.hidden) this.#closeSolution();
    }

    #word({ state, passed_on: on }) {
      const words = { untouched: "Not begun", begun: "Begun", failing: "Not passed yet", passed: on ? `Passed on ${date(on)}` : "Passed" };
      return words[state] ?? state;
    }

    #more({ state, last }) {
      if (state === "untouched") return "the file is as it was shipped.";
      if (state === "begun") return "no check has looked at your file yet.";
      if (last === "pass") return "";
      const how = lastTime[last];
      return how ? `at the last check ${how}.` : "";
    }

    // ---- the check -------------------------------------------------------------------------------------------

    async #check() {
      this.running = new AbortController();
      house.busy += 1;
      this.check.disabled = true;
      this.halt.hidden = false;
      this.output.hidden = false;
      this.output.textContent = "";
      this.#closeSolution();
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
        if (answer.standing) house.progress.tell(answer.standing);
        const forgotten = answer.remembered === false ? " (This folder cannot be written, so the verdict is not remembered.)" : "";
        this.#say(answer.verdict, `${answer.sentence ?? ""}${forgotten}`);
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
      this.verdict.replaceChildren(icon, word ? make("strong", {}, word) : "", ...withCode(sentence));
    }

    // ---- hints -----------------------------------------------------------------------------------------------

    // Those that have been shown before, here or in the terminal, are shown again.
    #showHints({ hints, hints_in_all: all }) {
      this.hinted = hints.length;
      for (const [k, hint] of hints.entries()) {
        if (this.hints.children[k]?.dataset.hint === hint) continue;
        const item = make("li", { "data-hint": hint }, ...withCode(hint));
        if (this.hints.children[k]) this.hints.children[k].replaceWith(item);
        else this.hints.append(item);
      }
      while (this.hints.childElementCount > hints.length) this.hints.lastElementChild.remove();
      const left = all - hints.length;
      this.hint.textContent = left === 0 ? (all ? "No more hints" : "There are no hints")
        : hints.length === 0 ? `Hint (${all} levels)` : `Next hint (${left} left)`;
      this.hint.disabled = left === 0;
      this.hint.hidden = false;
    }

    async #hint() {
      this.hint.disabled = true;
      try {
        // The level is named, so that two clicks or two pages never skip one.
        const response = await house.call("POST", `hints/${this.number}/${this.hinted + 1}`, { token: this.token });
        const standing = await response.json();
        house.progress.tell(standing);
        if (!standing.remembered) {
          this.hints.append(make("li", { class: "forgotten" }, "(This folder cannot be written, so the level is not remembered.)"));
        }
      } catch (error) {
        this.hint.disabled = false;
        this.#say("error", error instanceof house.Refusal ? error.message : "The hints cannot be read.");
      }
    }

    // ---- the solution ----------------------------------------------------------------------------------------

    #closeSolution() {
      this.shown.hidden = true;
      this.compare.setAttribute("aria-expanded", "false");
      this.compare.textContent = "Solution";
    }

    async #solution() {
      if (!this.shown.hidden) return this.#closeSolution();
      this.compare.disabled = true;
      try {
        const response = await house.call("GET", `solution/${this.number}`, { token: this.token });
        const { file, same, lines } = await response.json();
        const words = same ? ["Your answer is the solution, line for line: "]
          : ["Lines with − are yours, lines with + are the solution's: "];
        this.shown.replaceChildren(make("p", {}, ...words, make("code", {}, file)),
          make("pre", { tabindex: 0, "aria-label": "Your answer and the solution" },
            ...lines.map(([tag, line]) => make("span", { class: { "-": "yours", "+": "theirs" }[tag] ?? "both" },
              `${tag === "-" ? "−" : tag} ${line}\n`))));
        this.shown.hidden = false;
        this.compare.setAttribute("aria-expanded", "true");
        this.compare.textContent = "Hide the solution";
      } catch (error) {
        this.#say("error", error instanceof house.Refusal ? error.message : "The solution cannot be read.");
      } finally {
        this.compare.disabled = false;
      }
    }
  }

  // What stands in backticks, as code.
  const withCode = (text) => text.split(/`([^`]+)`/).map((part, k) => (k % 2 ? make("code", {}, part) : part));

  // 2026-11-21 as the reader writes it. At noon, since midnight in one zone is another day in the next.
  function date(day) {
    const at = new Date(`${day}T12:00:00`);
    if (Number.isNaN(at.getTime())) return day;
    return at.toLocaleDateString("en", { year: "numeric", month: "long", day: "numeric" });
  }

  customElements.define("exercise-card", ExerciseCard);
})();
