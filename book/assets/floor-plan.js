// <floor-plan>: plays a recording. This file is the element: loading, the controls, playing, and the switch to a live run.
// What happened is in fold.js, how fast to show it in pace.js, how it looks in floor-drawing.js, lanes.js and
// story-list.js. README.md says how to write one, and which attributes and events it offers to tests.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const speeds = [0.25, 0.5, 1, 2, 4, 8, 16];
  const FRESH = 5; // seconds of playback for which an incident is shown in full; its mark stays

  class FloorPlan extends HTMLElement {
    connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      // Nothing is loaded before the figure is nearly in sight.
      const sight = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        sight.disconnect();
        this.#start();
      }, { rootMargin: "600px" });
      sight.observe(this);
    }

    disconnectedCallback() {
      this.running?.abort();
      cancelAnimationFrame(this.frame);
      clearTimeout(this.timer);
    }

    async #start() {
      this.#state("loading");
      this.fallback = make("div", { "data-part": "fallback" }, ...this.childNodes);
      this.append(this.fallback);
      const name = this.getAttribute("src") ?? "";
      try {
        this.recorded = await house.loadRecording(name);
        this.#build(name);
        this.#use(this.recorded, "recorded");
        this.#state("ready");
        this.#tell("ready");
        this.#foot();
      } catch (error) {
        this.#fail(error);
      }
    }

    #fail(error) {
      const known = error instanceof house.RecordingError;
      if (!known) console.error(error);
      this.querySelector(":scope > [data-part=player]")?.remove();
      this.parts = null;
      const reason = known ? error.message : "the player met an error of its own";
      this.append(make("p", { "data-part": "failure", role: "status" },
        `The recording is not shown: ${reason}. The text above tells the same story.`));
      this.#state("error");
      this.#tell("error", { reason });
    }

    // ---- the pieces ------------------------------------------------------------------------------------------

    #build(name) {
      const question = this.getAttribute("question") ?? "";
      const options = house.taskList(this.fallback)?.options ?? [];
      this.prediction = new house.Prediction(question, options, `floor:${house.page()}:${name}`, {
        chosen: (choice) => this.#predicted(choice),
        reopened: () => {
          this.seek(this.opening);
          this.parts.verdict.hidden = true;
        },
      });
      if (this.prediction.asks) this.dataset.gate = this.prediction.made ? "open" : "closed";
      this.story = new house.StoryList();
      this.hits = new house.HitList((position) => this.#lookAt(position));

      const button = (part, label, icon, act) =>
        make("button", { type: "button", "data-part": part, "aria-label": label, title: label, onclick: act }, house.icon(icon));
      const p = (this.parts = {
        facts: make("p", { "data-part": "facts" }),
        count: make("p", { "data-part": "incident-count", class: "none" }),
        floor: make("div", { "data-part": "floor" }),
        restart: button("restart", "Back to the start", "restart", () => this.seek(this.opening)),
        back: button("back", "One step back", "back", () => this.step(-1)),
        play: button("play", "Play", "play", () => this.toggle()),
        forward: button("forward", "One step on", "forward", () => this.step(1)),
        scrub: make("input", { type: "range", "data-part": "scrub", "aria-label": "Position", min: 0, step: "any" }),
        clock: make("span", { "data-part": "clock" }),
        speed: make("select", { "data-part": "speed", "aria-label": "Speed" },
          ...speeds.map((value) => make("option", { value, selected: value === 1 }, `${value}×`))),
        lanes: make("div", { "data-part": "lanes" }),
        legend: legend(),
        verdict: make("div", { "data-part": "verdict", hidden: true }),
        note: make("p", { "data-part": "note" }),
        notice: make("p", { "data-part": "notice", role: "status", hidden: true }),
      });
      p.room = make("div", { "data-part": "room" }, make("div", { "data-part": "head" }, p.facts, p.count), p.floor);
      p.player = make("div", { "data-part": "player", tabindex: -1, role: "group", "aria-label": question || "A recorded run" },
        this.prediction.element,
        make("div", { "data-part": "stage" }, p.room, this.story.list),
        this.story.caption, this.story.alarm, this.story.spoken,
        make("div", { "data-part": "controls", role: "group", "aria-label": "Playback" },
          p.restart, p.back, p.play, p.forward, p.scrub, p.clock, p.speed),
        p.lanes, p.legend, p.verdict, this.hits.element,
        make("div", { "data-part": "foot" }, p.note), p.notice);
      this.append(p.player);
      this.#listen();
      new ResizeObserver(() => this.#resize()).observe(p.player);
    }

    #listen() {
      const { scrub, lanes } = this.parts;
      // mdBook turns the page on arrow keys, and opens its sidebar on a swipe. Inside the figure both are ours.
      this.addEventListener("keydown", (event) => this.#key(event));
      for (const part of [scrub, lanes]) {
        for (const name of ["touchstart", "touchmove"]) part.addEventListener(name, (e) => e.stopPropagation(), { passive: true });
      }
      scrub.addEventListener("input", () => this.#drag(Number(scrub.value)));
      // The strip is dragged. The lanes scroll under the playhead, so they are clicked: a drag there would run away.
      const point = (event) => this.#drag(this.lanes.secondsAt(event.clientX, event.clientY));
      lanes.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || !this.lanes.onStrip(event.clientY)) return;
        lanes.setPointerCapture(event.pointerId);
        point(event);
      });
      lanes.addEventListener("pointermove", (event) => {
        if (lanes.hasPointerCapture(event.pointerId)) point(event);
      });
      lanes.addEventListener("click", (event) => {
        if (!this.lanes.onStrip(event.clientY)) point(event);
      });
      this.story.list.addEventListener("click", (event) => {
        const row = event.target.closest("button[data-step]");
        if (row && this.#movable) this.#stop(Number(row.dataset.step));
      });
    }

    #key(event) {
      event.stopPropagation();
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const { target } = event;
      if (target.matches("select, input[type=radio]") || !this.#movable) return;
      const act = {
        ArrowRight: () => this.step(1), ArrowDown: () => this.step(1),
        ArrowLeft: () => this.step(-1), ArrowUp: () => this.step(-1),
        Home: () => this.seek(this.opening), End: () => this.seek(this.recording.events.length),
        " ": target.matches("button, summary, a") ? null : () => this.toggle(),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
      if (target.matches("[data-step]")) this.story.list.querySelector("[aria-current]")?.focus({ preventScroll: true });
    }

    #resize() {
      const width = Math.floor(this.parts.player.clientWidth);
      if (width < 60 || width === this.width) return; // on the way from one layout to another there may be no room at all
      this.width = width;
      this.#layout();
    }

    #layout() {
      if (this.fold.hasFloor) this.floor.resize(Math.floor(this.parts.floor.clientWidth));
      this.#drawLanes();
      this.#show(true);
    }

    #drawLanes() {
      this.lanes.rebuild(this.paced, Math.floor(this.parts.lanes.clientWidth));
      for (const key of this.parts.legend.children) key.hidden = !this.lanes.kinds.has(key.dataset.key);
    }

    // ---- what is played --------------------------------------------------------------------------------------

    #use(recording, mode) {
      const { parts } = this;
      this.recording = recording;
      this.dataset.mode = mode;
      this.dataset.clock = recording.clock;
      this.fold = new house.Fold(recording);
      this.story.use(this.fold);
      this.hits.use(recording);
      this.current = null;
      parts.floor.replaceChildren();
      this.floor = new house.FloorDrawing(parts.floor, this.fold);
      this.lanes = new house.LanesDrawing(parts.lanes, this.fold);
      // What the run was: "careless · seed 42". How robots coordinate needs no label.
      parts.facts.textContent = Object.entries(recording.facts)
        .filter(([name, value]) => name !== "tables" && !name.startsWith("limit ") && String(value).length < 24)
        .map(([name, value]) => (name === "coordination" ? value : `${name} ${value}`)).join(" · ");
      this.#measure();
      this.position = this.opening;
      this.seconds = house.secondsAt(this.paced, this.opening);
      this.width = 0;
      this.#resize();
    }

    // What follows from how much has been recorded. Once for a file, again and again for a live run.
    #measure() {
      this.paced = house.pace(this.fold);
      this.opening = this.fold.stopAt(-1);
      this.dataset.events = this.recording.events.length;
      this.dataset.steps = this.fold.story.length;
      this.parts.scrub.max = this.paced.total;
      this.parts.room.hidden = !this.fold.hasFloor;
    }

    // ---- moving ----------------------------------------------------------------------------------------------

    // Has the reader predicted, and is there a whole record to move in?
    get #movable() {
      return this.fold !== undefined && this.dataset.gate !== "closed" && this.dataset.state !== "live";
    }

    // To a position, in events.
    seek(position) {
      if (!this.#movable) return;
      this.pause();
      if (position >= this.recording.events.length) this.#goto(this.paced.total);
      else this.#goto(house.secondsAt(this.paced, position), Math.max(0, position));
    }

    // To a moment that is spoken of below the figure: there, and into sight.
    #lookAt(position) {
      this.seek(position);
      this.parts.player.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
      this.story.speak();
    }

    // To the next or the previous step of the story.
    step(by) {
      if (!this.#movable) return;
      const last = this.fold.story.length - 1;
      const now = this.fold.stepAt(this.position);
      if (now === last && by > 0) this.seek(this.recording.events.length);
      else this.#stop(Math.max(-1, Math.min(last, now + by)));
    }

    #stop(k) {
      this.pause();
      const position = this.fold.stopAt(k);
      if (position >= this.recording.events.length) this.#goto(this.paced.total);
      else this.#goto(k >= 0 ? this.#middle(k) : house.secondsAt(this.paced, position), position);
      this.story.speak();
    }

    // A reader who stops at a step stands in the middle of the time it is held.
    #middle(k) {
      return this.paced.at[this.fold.story[k].at] + this.paced.hold / 2;
    }

    #drag(seconds) {
      if (!this.#movable) return;
      this.pause();
      this.#goto(seconds);
    }

    #goto(seconds, position = house.positionAt(this.paced, seconds)) {
      this.seconds = Math.max(0, Math.min(this.paced.total, seconds));
      this.position = position;
      this.#show(true);
      this.#state(this.#atEnd ? "ended" : this.position <= this.opening ? "ready" : "paused");
    }

    get #atEnd() {
      return this.position >= this.recording.events.length && this.seconds >= this.paced.total - 1e-9;
    }

    // ---- playing ---------------------------------------------------------------------------------------------

    toggle() {
      if (this.dataset.state === "playing") this.pause();
      else this.play();
    }

    play() {
      if (!this.#movable || this.dataset.state === "playing") return;
      if (this.#atEnd) this.seek(this.opening);
      this.#state("playing");
      if (calm.matches) this.#playBySteps();
      else this.#playSmoothly();
    }

    #playSmoothly() {
      let before = performance.now();
      const frame = (now) => {
        // A tab that slept must not wake at the end of the evening.
        const passed = Math.min(0.1, Math.max(0, (now - before) / 1000));
        before = now;
        this.seconds = Math.min(this.paced.total, this.seconds + passed * Number(this.parts.speed.value));
        this.position = Math.max(this.position, house.positionAt(this.paced, this.seconds));
        this.#show(false);
        if (this.#atEnd) this.#state("ended");
        else this.frame = requestAnimationFrame(frame);
      };
      this.frame = requestAnimationFrame(frame);
    }

    // For readers who asked for less motion: whole steps, with time to read each.
    #playBySteps() {
      const next = () => {
        const k = this.fold.stepAt(this.position) + 1;
        if (k >= this.fold.story.length) return this.#goto(this.paced.total);
        this.position = this.fold.stopAt(k);
        this.seconds = this.#middle(k);
        this.#show(true);
        const wait = Math.max(0.5, this.paced.hold * 1.5) / Number(this.parts.speed.value);
        this.timer = setTimeout(next, 1000 * wait);
      };
      next();
    }

    pause() {
      cancelAnimationFrame(this.frame);
      clearTimeout(this.timer);
      if (this.dataset.state === "playing") this.#state("paused");
    }

    // ---- showing ---------------------------------------------------------------------------------------------

    // Draws the present moment. `still`: without walking, because the reader jumped.
    #show(still) {
      const { fold, parts, recording } = this;
      const state = fold.at(this.position);
      const k = fold.stepAt(this.position);
      const item = fold.story[k];
      if (this.floor.width > 0) {
        this.floor.show(state, {
          still: still || calm.matches,
          acting: item && item.category !== "beat" ? item.actor : -1,
          fresh: (event) => this.seconds - this.paced.at[event] < FRESH,
        });
      }
      this.lanes.show(this.seconds, state);
      if (k !== this.current) this.story.mark(k);
      this.current = k;

      this.dataset.position = this.position;
      this.dataset.step = k + 1;
      this.dataset.incidents = state.incidents;
      parts.count.classList.toggle("none", state.incidents === 0);
      write(parts.count, state.incidents === 1 ? "✕ 1 incident" : `✕ ${state.incidents} incidents`);
      parts.scrub.value = this.seconds;
      parts.scrub.style.setProperty("--done", `${(100 * this.seconds / (this.paced.total || 1)).toFixed(2)}%`);
      const t = Math.max(state.t, house.timeAt(this.paced, recording, this.seconds));
      const time = recording.duration > 0 ? house.duration(Math.round(t)) : "";
      write(parts.clock, `${k + 1}/${fold.story.length}${time ? ` · ${time}` : ""}`);
      if (!still) return;
      this.lanes.describe(state);
      parts.scrub.setAttribute("aria-valuetext", `step ${k + 1} of ${fold.story.length}${time ? `, ${time}` : ""}`);
    }

    #state(state) {
      if (this.dataset.state === state) return;
      this.dataset.state = state;
      if (this.parts) {
        const { play } = this.parts;
        const playing = state === "playing";
        play.replaceChildren(house.icon(playing ? "pause" : "play"));
        const label = playing ? "Pause" : state === "ended" ? "Play again" : "Play";
        for (const name of ["aria-label", "title"]) play.setAttribute(name, label);
        this.#enable();
        if (state !== "ready") this.prediction.commit(play);
        if (state === "ended") this.#verdict();
      }
      this.#tell("state", { state });
      if (state === "ended") this.#tell("ended", { incidents: Number(this.dataset.incidents) });
    }

    #enable() {
      for (const name of ["restart", "back", "play", "forward", "scrub"]) this.parts[name].disabled = !this.#movable;
      if (this.parts.run) this.parts.run.disabled = this.running !== undefined || this.dataset.gate === "closed";
    }

    #tell(name, detail = {}) {
      this.dispatchEvent(new CustomEvent(`loopbot:${name}`, { bubbles: true, detail }));
    }

    // ---- prediction and verdict ------------------------------------------------------------------------------

    #predicted(choice) {
      this.dataset.gate = "open";
      this.#enable();
      if (choice === null) this.prediction.commit(this.parts.play);
      this.#tell("predicted", { choice });
    }

    // At the end: what the reader predicted, and what the record shows.
    #verdict() {
      const live = this.dataset.mode === "live";
      const incidents = this.fold.story.map((item, k) => ({ ...item, k })).filter(({ category }) => category === "incident");
      const shown = incidents.slice(0, 6);
      const rows = this.prediction.compare(live);
      const steps = this.fold.story.filter(({ category }) => category === "step").length;
      const count = incidents.length === 1 ? "1 incident" : `${incidents.length || "no"} incidents`;
      rows.push(make("p", {}, `In the record${live ? " of this run" : ""}: ${steps} steps, ${count}${shown.length > 0 ? ":" : "."}`));
      if (shown.length > 0) {
        rows.push(make("ul", {}, ...shown.map(({ k, text }) =>
          make("li", {}, make("button", { type: "button", onclick: () => this.#stop(k) }, `step ${k + 1}`), " ", text))));
      }
      if (incidents.length > shown.length) rows.push(make("p", {}, `and ${incidents.length - shown.length} more.`));
      this.parts.verdict.replaceChildren(...rows);
      this.parts.verdict.hidden = false;
    }

    // ---- recorded, or here and now ---------------------------------------------------------------------------

    async #foot() {
      const environment = await house.environment();
      const name = this.getAttribute("live");
      this.canRun = environment.mode === "live" && Boolean(name);
      this.parts.note.replaceChildren(...this.#origin());
      if (!this.canRun) return;
      const button = (part, icon, label, act, hidden) =>
        make("button", { type: "button", "data-part": part, hidden, onclick: act }, icon ? house.icon(icon) : "", label);
      const { parts } = this;
      parts.run = button("run", "play", "Run it here", () => this.#run(name, environment.token), false);
      parts.halt = button("halt", "stop", "Stop", () => this.running?.abort(), true);
      parts.again = button("show-recorded", null, "Show the recording", () => this.#showRecorded(), true);
      parts.note.after(parts.run, parts.halt, parts.again);
      this.#enable();
    }

    #origin() {
      const { recorded } = this;
      const clock = recorded.clock === "virtual" ? "in virtual time" : "on a real clock";
      const what = `A recorded run, ${clock}${recorded.program ? ` (${recorded.program})` : ""}.${incomplete(recorded)}`;
      if (this.canRun || !this.hasAttribute("live")) return [what];
      return [what, " To run it on this machine, start the course with ", make("code", {}, "cargo run"), "."];
    }

    #showRecorded() {
      const { again, notice, verdict, note } = this.parts;
      for (const part of [again, notice, verdict]) part.hidden = true;
      this.pause();
      this.#use(this.recorded, "recorded");
      note.replaceChildren(...this.#origin());
      this.#state("ready");
    }

    // Runs the named program on this machine. Its events go through the same fold and the same drawing.
    async #run(name, token) {
      this.pause();
      const { halt, again, note, notice, verdict } = this.parts;
      for (const part of [again, notice, verdict]) part.hidden = true;
      halt.hidden = false;
      note.textContent = "Running on this machine …";
      this.running = new AbortController();
      this.#enable();
      house.busy += 1;
      const start = performance.now();
      const { recording, trouble } = await house.runLive(name, token, this.running.signal, {
        began: (live) => {
          this.#state("live");
          this.#use(live, "live");
        },
        grew: () => this.#growSoon(),
      });
      const took = house.duration(Math.round((performance.now() - start) * 1e6));
      house.busy -= 1;
      this.running = undefined;
      halt.hidden = true;
      notice.textContent = trouble;
      notice.hidden = trouble === "";
      if (recording) {
        this.#grow();
        this.hits.use(recording);
        again.hidden = false;
        const clock = recording.clock === "virtual" ? ` of virtual time, ${took} by the clock on the wall` : "";
        note.textContent = `Ran on this machine: ${recording.events.length + recording.left} events, ` +
          `${house.duration(recording.duration)}${clock}.${incomplete(recording)}`;
        this.#state("ended");
      } else {
        note.replaceChildren(...this.#origin());
      }
      this.#enable();
      this.#tell("live-ended", { events: recording?.events.length ?? 0 });
    }

    // Lines may come faster than anybody can look: the drawing follows a few times a second.
    #growSoon() {
      this.growing ??= setTimeout(() => this.#grow(), 200);
    }

    #grow() {
      clearTimeout(this.growing);
      this.growing = undefined;
      this.fold.grow();
      this.story.grow();
      this.#measure();
      this.position = this.recording.events.length;
      this.seconds = this.paced.total;
      if (this.fold.hasFloor && this.floor.width === 0) return this.#layout();
      this.#drawLanes();
      this.#show(false);
      this.lanes.describe(this.fold.at(this.position));
    }
  }

  function incomplete(recording) {
    if (recording.left > 0) return ` The first ${recording.events.length} events are shown, ${recording.left} more are not.`;
    if (recording.dropped > 0) return ` The recording is not complete: ${recording.dropped} events were lost.`;
    return recording.complete ? "" : " The recording is not complete.";
  }

  // Writing the same text again would cost a layout in every frame.
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  const legend = () => make("ul", { "data-part": "legend", "aria-hidden": "true" },
    ...Object.entries({
      steps: "a step of the story", work: "working", parked: "waiting", polls: "polling a task", jobs: "doing a job", locks: "waiting for a lock",
      wakes: "a wake", creases: "waiting, folded away", incidents: "incident",
    }).map(([key, words]) => make("li", { "data-key": key }, words)));

  customElements.define("floor-plan", FloorPlan);
})();
