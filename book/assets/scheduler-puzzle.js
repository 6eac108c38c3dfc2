// <scheduler-puzzle>: the reader is the scheduler. Each robot shows the step that it is about to take; the reader picks
// who moves, until something goes wrong or everybody has gone home. The steps, and where they lead, are what the checker
// found when it ran the real scene in every order (ways.js), so nothing here can happen that could not happen there.
//
// No pick is a mistake: every one can be taken back. README.md says how to write one, and what it offers to tests.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make, draw } = house;

  class SchedulerPuzzle extends HTMLElement {
    connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      const sight = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        sight.disconnect();
        this.#start();
      }, { rootMargin: "600px" });
      sight.observe(this);
    }

    async #start() {
      this.#state("loading");
      this.fallback = make("div", { "data-part": "fallback" }, ...this.childNodes);
      this.append(this.fallback);
      const name = this.getAttribute("src") ?? "";
      try {
        this.ways = await house.loadWays(name);
        this.walk = new house.Walk(this.ways);
        this.key = `puzzle:${house.page()}:${name}`;
        this.#remember();
        this.#build();
        this.#show();
        this.#tell("ready");
      } catch (error) {
        this.#fail(error);
      }
    }

    #fail(error) {
      const known = error instanceof house.PuzzleError;
      if (!known) console.error(error);
      this.querySelector(":scope > [data-part=table]")?.remove();
      const reason = known ? error.message : "the puzzle met an error of its own";
      this.append(make("p", { "data-part": "failure", role: "status" }, `The puzzle is not shown: ${reason}. The text above tells the story.`));
      this.#state("error");
      this.#tell("error", { reason });
    }

    // ---- what is kept -----------------------------------------------------------------------------------------

    // The reader's picks, and the ends they have seen. If the scene has changed since, they mean nothing any more.
    #remember() {
      const { root, nodes } = this.ways;
      this.print = `${nodes.length}/${root.all}/${root.wrong}`;
      const kept = house.store.get(this.key);
      const fits = kept?.print === this.print && Array.isArray(kept.picks) && Array.isArray(kept.seen);
      this.seen = new Set(fits ? kept.seen : []);
      this.revealed = fits && kept.revealed === true;
      if (fits) this.walk.replay(kept.picks);
    }

    #keep() {
      house.store.set(this.key, { print: this.print, picks: this.walk.picks, seen: [...this.seen], revealed: this.revealed });
    }

    // ---- the pieces -------------------------------------------------------------------------------------------

    #build() {
      const button = (part, icon, label, act) =>
        make("button", { type: "button", "data-part": part, onclick: act }, icon ? house.icon(icon) : "", label);
      const goal = this.getAttribute("goal") ?? "Find an order in which something goes wrong.";
      const p = (this.parts = {
        robots: make("div", { "data-part": "robots", role: "group", "aria-label": "Who moves next?" }),
        verdict: make("div", { "data-part": "verdict", tabindex: -1, hidden: true }),
        undo: button("undo", "back", "Undo", () => this.undo()),
        restart: button("restart", "restart", "Start again", () => this.restart()),
        hint: button("hint", null, "Show me a hint", () => this.hint()),
        reveal: button("reveal", null, "How many go wrong?", () => this.reveal()),
        hinted: make("div", { "data-part": "hinted", hidden: true }),
        story: make("ol", { "data-part": "story", "aria-label": "What has happened" }),
        tally: make("p", { "data-part": "tally" }),
        spoken: make("p", { class: "lb-unseen", "data-part": "spoken", role: "status", "aria-live": "polite" }),
        alarm: make("p", { class: "lb-unseen", "data-part": "alarm", role: "alert" }),
      });
      p.table = make("div", { "data-part": "table", role: "group", "aria-label": `You are the scheduler. ${goal}` },
        make("div", { "data-part": "goal" },
          make("p", {}, make("span", { class: "tag" }, "You are the scheduler"), " ", make("strong", {}, goal)),
          make("p", { class: "keys" }, "Pick who moves next. With the keyboard: the robot's number, or arrows and Enter; Backspace takes a move back.")),
        p.robots, p.verdict,
        make("div", { "data-part": "controls", role: "group", "aria-label": "Your moves" }, p.undo, p.restart, p.hint, p.reveal),
        p.hinted, p.story,
        make("div", { "data-part": "foot" }, p.tally, counted()),
        p.spoken, p.alarm);
      this.append(p.table);
      this.addEventListener("keydown", (event) => this.#key(event));
      for (const name of ["touchstart", "touchmove"]) p.robots.addEventListener(name, (event) => event.stopPropagation(), { passive: true });
    }

    // mdBook turns the page on arrow keys and searches on others. Inside the puzzle all keys are ours.
    #key(event) {
      event.stopPropagation();
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const cards = [...this.parts.robots.querySelectorAll("button")];
      const at = cards.indexOf(event.target);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: cards.length - 1 }[event.key];
      if (at >= 0 && to !== undefined) this.#focus(cards[(to + cards.length) % cards.length]);
      else if (event.key === "Backspace") this.undo();
      else if (/^[1-9]$/.test(event.key)) this.#press(cards.find((card) => card.dataset.key === event.key));
      else return;
      event.preventDefault();
    }

    #press(card) {
      if (!card) return;
      this.#focus(card);
      card.click();
    }

    // One stop for the Tab key among the robots; arrows go on from there.
    #focus(card) {
      for (const other of this.parts.robots.querySelectorAll("button")) other.tabIndex = other === card ? 0 : -1;
      card.focus({ preventScroll: true });
    }

    // ---- moves ------------------------------------------------------------------------------------------------

    // Lets the robot move by its place among the robots; `nth`: which of its ways to go on, where it has several.
    pick(robot, nth = 0) {
      if (!this.walk) return;
      const { moves } = this.walk.here;
      const move = moves.filter((one) => one.robot === robot)[nth];
      if (!move) return this.#speak(`${this.ways.robots[robot]} cannot move now.`);
      this.walk.picks.push(moves.indexOf(move));
      this.#moved(move);
    }

    undo() {
      if (!this.walk?.picks.length) return;
      this.goTo(this.walk.picks.length - 1);
    }

    restart() {
      this.goTo(0);
    }

    // Takes back all moves after the first `count`.
    goTo(count) {
      if (!this.walk || count >= this.walk.picks.length) return;
      this.walk.picks.length = count;
      this.#settle(count === 0 ? "Back at the beginning." : `Back after move ${count}.`);
      this.#tell("undone", { moves: count });
    }

    #moved(move) {
      const { end } = this.walk.here;
      if (end) this.seen.add(this.walk.picks.join("."));
      const said = move.lines.length > 0 ? move.lines.map((line) => this.#sentence(line)) : [`${this.ways.robots[move.robot]} ${move.next}.`];
      this.#settle(said.join(" "));
      this.#tell("moved", { robot: this.ways.robots[move.robot] });
      if (!end) return;
      const { picks, preemptions } = this.walk;
      this.#tell(end.good ? "well" : "broken", { moves: picks.length, preemptions, fewest: this.ways.root.fewest });
    }

    // After every change: shows it, says it, keeps it, and keeps the keyboard where it was.
    #settle(said) {
      const { robots, verdict, alarm } = this.parts;
      const focused = document.activeElement;
      const inside = this.contains(focused) ? focused : null;
      const slot = inside?.dataset.slot;
      const lost = slot !== undefined || inside === verdict || verdict.contains(inside) || this.parts.hinted.contains(inside);
      this.parts.hinted.hidden = true;
      this.#show();
      this.#keep();
      const { end } = this.walk.here;
      alarm.textContent = end && !end.good ? `${said} ${this.#headline(end)}` : "";
      this.#speak(end && !end.good ? "" : `${said} ${end ? this.#headline(end) : this.#whoCan()}`);
      if (end && (lost || inside?.disabled)) verdict.focus({ preventScroll: true });
      else if (!end && (lost || inside?.disabled)) {
        const cards = [...robots.querySelectorAll("button")];
        const same = cards.find((card) => card.dataset.slot === slot);
        this.#focus(same ?? cards.find((card) => !card.hasAttribute("aria-disabled")) ?? cards[0]);
      }
    }

    hint() {
      if (!this.walk) return;
      const { here, lastChance, picks } = this.walk;
      const { robots, hinted } = this.parts;
      const rows = [];
      if (here.end && !here.end.good && this.walk.preemptions > this.ways.root.fewest) {
        rows.push(`It can go wrong with ${count(this.ways.root.fewest, "preemption")}. A robot that waits, walks or naps gives its turn away by itself.`);
      } else if (here.end && !here.end.good) {
        rows.push("You have done it. No order takes fewer preemptions.");
      } else if (here.wrong > 0) {
        rows.push(`From here ${outOf(here)}.`);
        for (const move of here.moves) {
          rows.push(`If ${this.ways.robots[move.robot]} moves now: ${outOf(this.ways.nodes[move.to])}.`);
        }
      } else if (lastChance >= 0) {
        const when = lastChance === 0 ? "At the beginning" : `After move ${lastChance}`;
        rows.push(`${here.end ? "This order is over." : "From here nothing can go wrong any more."} ${when} it could still have gone wrong.`);
      } else {
        rows.push(`None of the ${count(this.ways.root.all, "order")} goes wrong, whatever you pick.`);
      }
      const back = here.wrong === 0 && lastChance >= 0 && lastChance < picks.length;
      // Robot by robot the numbers stand on the cards.
      hinted.replaceChildren(make("p", {}, rows[0]), back ? make("button", { type: "button", "data-part": "go-back", onclick: () => this.goTo(lastChance) }, "Go back there") : "");
      hinted.hidden = false;
      for (const card of robots.querySelectorAll("button[data-pick]")) {
        const next = this.ways.nodes[here.moves[card.dataset.pick].to];
        card.querySelector(".odds").textContent = next.all > 1 ? `${next.wrong} of ${next.all} go wrong` : next.wrong ? "goes wrong" : "goes well";
      }
      this.dataset.hinted = "";
      this.#speak(rows.join(" "));
      this.#tell("hinted", { wrong: here.wrong, all: here.all });
    }

    // How many there are, said on request. Where none goes wrong, that is the whole truth about this puzzle.
    reveal() {
      if (!this.walk) return;
      this.revealed = true;
      this.#keep();
      const focused = document.activeElement === this.parts.reveal;
      this.#tally();
      if (focused) this.parts.hint.focus({ preventScroll: true });
      this.#speak(this.parts.tally.textContent);
      this.#tell("revealed", { all: this.ways.root.all, wrong: this.ways.root.wrong });
    }

    // ---- showing ----------------------------------------------------------------------------------------------

    #show() {
      const { walk, parts } = this;
      const { here } = walk;
      delete this.dataset.hinted;
      parts.robots.hidden = here.end !== null;
      parts.verdict.hidden = here.end === null;
      parts.robots.replaceChildren(...(here.end ? [] : this.#cards(here)));
      parts.verdict.replaceChildren(...(here.end ? this.#verdict(here.end) : []));
      parts.story.replaceChildren(...this.#story());
      parts.undo.disabled = parts.restart.disabled = walk.picks.length === 0;
      parts.verdict.classList.toggle("wrong", here.end?.good === false);
      parts.story.scrollTop = parts.story.scrollHeight;
      Object.assign(this.dataset, { moves: walk.picks.length, preemptions: walk.preemptions, can: here.moves.map(({ robot }) => robot + 1).join(" ") });
      this.#tally();
      this.#state(!here.end ? (walk.picks.length === 0 ? "ready" : "moving") : here.end.good ? "well" : "broken");
    }

    // A place for each robot, always the same one: the number that picks it stays the same, too.
    #cards(here) {
      const { robots } = this.ways;
      const cards = [];
      let more = robots.length;
      robots.forEach((name, robot) => {
        const own = here.moves.map((move, k) => ({ ...move, k })).filter((move) => move.robot === robot);
        own.forEach((move, nth) => cards.push(this.#card(name, {
          key: nth === 0 ? robot + 1 : (more += 1), slot: `${robot}.${nth}`, words: move.next, pick: move.k, act: () => this.pick(robot, nth),
        })));
        if (own.length > 0) return;
        const why = here.waits.find((one) => one.robot === robot)?.why ?? (here.movers.has(robot) ? "has to wait" : "has gone home");
        cards.push(this.#card(name, { key: robot + 1, slot: `${robot}.0`, words: why, asleep: true,
          act: () => this.#speak(`${name} cannot move: it ${why}.`) }));
      });
      const first = cards.find((card) => !card.hasAttribute("aria-disabled"));
      for (const card of cards) card.tabIndex = card === first ? 0 : -1;
      return cards;
    }

    #card(name, { key, slot, words, pick, asleep, act }) {
      const robot = house.describeRobot(name);
      const figure = house.robotFigure(robot);
      figure.classList.toggle("waiting", Boolean(asleep));
      return make("button", { type: "button", "data-robot": name, "data-slot": slot, "data-key": key, "data-pick": pick,
        "aria-disabled": asleep ? "true" : null, "aria-keyshortcuts": key, onclick: act },
      make("kbd", { "aria-hidden": "true" }, key),
      draw("svg", { viewBox: "-20 -30 40 50", "aria-hidden": "true", class: "face" }, figure),
      make("span", { class: "what" }, make("strong", {}, name), " ", make("span", { class: "about" }, words)),
      make("span", { class: "odds" }));
    }

    // What the robots have told, move by move. A move in which nothing is told has happened all the same.
    #story() {
      const { moves, nodes, here } = this.walk;
      const rows = moves.flatMap((move, k) => {
        const before = moves[k - 1]?.robot;
        const couldGoOn = before !== move.robot && nodes[k].moves.some(({ robot }) => robot === before);
        // Waking up at a bell that nobody rang has the same price, and takes the turn from nobody.
        const taken = !move.preempts ? "" : couldGoOn ? `preempts ${this.ways.robots[before]}` : "counts as a preemption";
        const lines = move.lines.length > 0 ? move.lines : [{ robot: move.robot, text: move.next, loc: "" }];
        return lines.map((line, nth) => this.#row(line, {
          move: nth === 0 ? k + 1 : "", silent: move.lines.length === 0, taken: nth === 0 ? taken : "",
          marked: here.end?.good === false && here.end.lines.length === 0 && k === moves.length - 1 && nth === lines.length - 1,
        }));
      });
      const stuck = (here.end?.lines ?? []).map((line) => ({ ...line, text: `${line.text}, for ever` }));
      return [...rows, ...stuck.map((line) => this.#row(line, { move: "", marked: !here.end.good }))];
    }

    #row({ robot, text, loc }, { move, silent, taken, marked }) {
      const name = this.ways.robots[robot];
      return make("li", { class: [silent ? "silent" : "", marked ? "marked" : ""].join(" ").trim() || null },
        make("span", { class: "move" }, move),
        house.robotChip(house.describeRobot(name)),
        make("span", { class: "did" }, make("strong", {}, name), ` ${text}`,
          taken ? make("span", { class: "taken" }, taken) : "",
          loc ? make("code", { title: loc }, loc.split("/").slice(-2).join("/")) : ""));
    }

    #headline(end) {
      if (end.good) return "Everybody has gone home, and nothing went wrong.";
      return end.ending === "RuleBroken" ? `The rule is broken: ${end.rule}.` : `${capital(end.rule)}.`;
    }

    #verdict(end) {
      const { walk, ways } = this;
      const moves = count(walk.picks.length, "move");
      if (end.good) {
        const again = ways.root.wrong > 0 ? " There are others: take moves back, or start again." : "";
        return [make("p", { class: "headline" }, house.icon("tick"), make("strong", {}, this.#headline(end))),
          make("p", {}, `That was one order, in ${moves}.${again}`)];
      }
      const took = count(walk.preemptions, "preemption");
      const { fewest } = ways.root;
      const compared = walk.preemptions === fewest ? `${fewest === 0 ? "no order needs" : "no order does it with"} fewer`
        : `the fewest possible is ${fewest === 0 ? "none" : fewest}`;
      return [make("p", { class: "headline" }, house.icon("cross"), make("strong", {}, this.#headline(end))),
        make("p", {}, "You have done it, in ", moves, " and with ", make("strong", {}, took), ": ",
          fewest === 0 && walk.preemptions === 0 ? "nobody lost a turn that it could have used." : `${compared}.`),
        make("p", { class: "quiet" }, "A preemption takes the turn from a robot that could have gone on. Below is the story, with the lines of code that took the steps.")];
    }

    #tally() {
      const { root } = this.ways;
      const { tally, reveal } = this.parts;
      const done = this.seen.size >= root.all;
      const found = this.walk.here.end?.good === false;
      const all = `${count(root.all, "order")} in all`;
      const seen = this.seen.size === 0 ? "" : `, ${this.seen.size} of them seen`;
      this.known = this.revealed || done || found;
      const wrong = !this.known ? "" : root.wrong > 0 ? ` ${root.wrong} of them ${root.wrong === 1 ? "goes" : "go"} wrong.`
        : ` None of them goes wrong: this cannot be broken. ${done ? "You have seen them all." : "The checker has run every one of them."}`;
      tally.replaceChildren(`${all}${seen}.`, make("strong", {}, wrong));
      reveal.hidden = this.known;
      Object.assign(this.dataset, { ways: root.all, seen: this.seen.size, fewest: root.fewest ?? "" });
      if (this.known) this.dataset.wrong = root.wrong;
      if (this.known && root.wrong === 0) this.dataset.proved = "";
    }

    #whoCan() {
      const can = this.walk.here.moves.map((move) => `${this.ways.robots[move.robot]} ${move.next}`);
      return `Next: ${can.join("; or ")}.`;
    }

    #sentence({ robot, text }) {
      return `${this.ways.robots[robot]} ${text}.`;
    }

    #speak(text) {
      this.parts.spoken.textContent = text;
    }

    #state(state) {
      if (this.dataset.state === state) return;
      this.dataset.state = state;
      this.#tell("state", { state });
    }

    #tell(name, detail = {}) {
      this.dispatchEvent(new CustomEvent(`loopbot:${name}`, { bubbles: true, detail }));
    }
  }

  const counted = () => make("details", { "data-part": "counted" },
    make("summary", {}, "What is counted?"),
    make("p", {}, "A preemption takes the turn from a robot that could have gone on. Waking up at a bell that nobody rang counts as one, too."),
    make("p", {}, "An order is one whole list of picks, from the beginning until everybody has gone home or something goes wrong; there it ends. " +
      "Two orders that differ in one pick are two, even where a guest would notice no difference. " +
      "The numbers come from a search that has run the scene's own code in each of them."));

  const count = (n, what) => (n === 0 ? `no ${what}` : `${n} ${what}${n === 1 ? "" : "s"}`);
  const outOf = ({ wrong, all }) => all === 1 ? `the only way on goes ${wrong ? "wrong" : "well"}` : `${wrong || "none"} of the ${all} ways on ${wrong === 1 ? "goes" : wrong ? "go" : "goes"} wrong`;
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  customElements.define("scheduler-puzzle", SchedulerPuzzle);
})();
