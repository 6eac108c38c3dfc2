// The strip below the lanes: the whole run to scale, unfolded. Mostly it is empty, and that is what it is there to show.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { draw } = house;

  const ROW = 9;

  class Strip {
    // `lanes` as house.laneStretches gives them; `wide`: is there room to explain.
    constructor(fold, lanes, { left, top, width, wide }) {
      const { recording } = fold;
      this.end = recording.duration;
      this.columns = Math.floor(width);
      this.bottom = top + lanes.length * ROW + 2;
      this.window = draw("rect", { class: "window", y: top - 3, height: this.bottom - top + 4, rx: 2 });
      this.head = draw("path", { class: "strip-head", d: `M0 ${top - 4}V${this.bottom + 2}` });
      this.group = draw("g", { class: "strip", transform: `translate(${left} 0)` });
      // A clock that never moved has no scale.
      if (this.end === 0) {
        this.bottom = top - 26;
        return;
      }
      const time = (event) => (event < recording.events.length ? recording.events[event].t : this.end);
      const spans = lanes.map((lane) => lane.work.map(({ a, b }) => [time(a), time(b)]));
      // On a virtual clock, work may take no time at all. Then the moments of the steps are what there is.
      const measured = spans.flat().some(([from, to]) => to > from);
      lanes.forEach((lane, k) => {
        const ground = top + (k + 1) * ROW - 1;
        const d = measured ? this.#shares(spans[k], ground) : this.#moments(lane.steps.map((step) => fold.story[step].t), ground);
        const { look, shade } = house.describeRobot(recording.actors[lane.actor].name);
        this.group.append(draw("path", { class: "strip-line", d: `M0 ${ground + 0.5}H${this.columns}` }),
          draw("path", { class: `strip-work look-${look} shade-${shade}`, d }));
      });
      const what = measured ? "solid is work, the rest is waiting" : "work takes no time on this clock, a tick is a step";
      const label = `To scale: ${house.duration(this.end)}${recording.clock === "virtual" ? " of virtual time" : ""}`;
      const fits = wide && `${label}; ${what}`.length * (house.onStage ? 7.3 : 5.9) < width;
      this.group.append(
        draw("text", { class: "strip-label", x: 0, y: top - 8 }, fits ? `${label}; ${what}` : label),
        this.window, this.head);
    }

    x(t) {
      return this.end === 0 ? 0 : (t / this.end) * this.columns;
    }

    // Each column's height is the share of that stretch of time spent working.
    #shares(spans, ground) {
      const share = new Float32Array(this.columns + 1);
      for (const [from, to] of spans) {
        const left = this.x(from);
        const right = this.x(to);
        for (let c = Math.floor(left); c <= Math.min(this.columns - 1, Math.floor(right)); c += 1) {
          share[c] += Math.max(0, Math.min(right, c + 1) - Math.max(left, c));
        }
      }
      let d = "";
      share.forEach((part, c) => {
        if (part > 0.001) d += `M${c} ${ground}v${(-Math.min(1, part) * (ROW - 2)).toFixed(2)}h1V${ground}z`;
      });
      return d;
    }

    #moments(times, ground) {
      const columns = new Set(times.map((t) => Math.floor(this.x(t))));
      return [...columns].map((c) => `M${c} ${ground}v${2 - ROW}h1V${ground}z`).join("");
    }

    // Shows where the playhead is, and which part of the run the lanes above show.
    show(t, from, to, whole) {
      this.head.setAttribute("transform", `translate(${this.x(t).toFixed(1)} 0)`);
      this.window.setAttribute("x", this.x(from).toFixed(1));
      this.window.setAttribute("width", Math.max(1, this.x(to) - this.x(from)).toFixed(1));
      this.window.classList.toggle("whole", whole);
    }
  }

  house.Strip = Strip;
})();
