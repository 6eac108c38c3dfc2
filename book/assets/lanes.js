// The lanes: one per robot, working against waiting, in the folded time of pace.js, with the playhead.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { draw } = house;

  // What each actor did, from event to event. `b` is the number of events while a stretch is still open.
  function stretches(fold) {
    const { events, strings } = fold.recording;
    const lanes = new Map();
    const names = new Map(); // of jobs, by their pool and number: a mark behind the hand-over, if the pool makes one
    const lane = (actor) => {
      if (!lanes.has(actor)) {
        lanes.set(actor, { actor, work: [], parked: [], locks: [], polls: [], jobs: [], wakes: [], steps: [], incidents: [], open: {} });
      }
      return lanes.get(actor);
    };
    const begin = (one, what, a, more = {}) => {
      one.open[what] = { a, b: events.length, ...more };
      one[what].push(one.open[what]);
    };
    const end = (one, what, b) => {
      if (one.open[what]) one.open[what].b = b;
      one.open[what] = null;
    };
    events.forEach((event, i) => {
      const one = lane(event.actor);
      switch (event.kind) {
        case "actor_start": end(one, "work", i); begin(one, "work", i); break;
        case "actor_stop": for (const what of ["work", "parked", "locks", "polls", "jobs"]) end(one, what, i); break;
        case "park_begin": end(one, "work", i); begin(one, "parked", i, { why: strings[event.a] }); break;
        case "park_end": end(one, "parked", i); begin(one, "work", i); break;
        case "res_wait": begin(one, "locks", i, { name: strings[event.a] }); break;
        case "res_acquire": end(one, "locks", i); break;
        case "poll_begin": begin(one, "polls", i, { task: event.a }); break;
        case "poll_end": end(one, "polls", i); break;
        case "job_submit": one.pool = event.b; break;
        case "mark": if (strings[event.b] === "job") names.set(`${one.pool} ${event.c}`, strings[event.a]); break;
        case "job_start": begin(one, "jobs", i, { name: names.get(`${event.b} ${event.a}`) ?? `job ${event.a}` }); break;
        case "job_end": end(one, "jobs", i); break;
        case "wake": one.wakes.push(i); break;
      }
    });
    fold.story.forEach((item, k) => {
      if (item.category === "step") lane(item.actor).steps.push(k);
      if (item.category === "incident") lane(item.actor).incidents.push(k);
    });
    // An actor that only starts and stops has nothing to show.
    return [...lanes.values()]
      .filter((one) => one.parked.length + one.polls.length + one.jobs.length + one.steps.length + one.locks.length + one.incidents.length > 0)
      .sort((x, y) => x.actor - y.actor);
  }

  // Those lanes that have the most to tell, where there is room for so many only; in their own order.
  function most(lanes, fold) {
    const room = house.mostLanes ?? Infinity;
    if (lanes.length <= room) return lanes;
    const told = new Map();
    for (const { actor } of fold.recording.events) told.set(actor, (told.get(actor) ?? 0) + 1);
    const kept = new Set([...lanes].sort((x, y) => told.get(y.actor) - told.get(x.actor)).slice(0, room));
    return lanes.filter((lane) => kept.has(lane));
  }

  // Many rectangles as one path. Neighbours closer than a reader can see become one.
  function blocks(spans, y, height, least = 0.7) {
    let path = "";
    let open = null;
    const close = () => {
      if (open) path += `M${open.x.toFixed(1)} ${y}h${Math.max(least, open.end - open.x).toFixed(1)}v${height}H${open.x.toFixed(1)}z`;
    };
    for (const [x, end] of spans) {
      if (open && x - open.end < 0.4) open.end = Math.max(open.end, end);
      else {
        close();
        open = { x, end };
      }
    }
    close();
    return path;
  }

  const LONGEST = 40000; // pixels of lane, however long the recording

  class LanesDrawing {
    constructor(host, fold) {
      this.host = host;
      this.fold = fold;
      this.id = house.freshId("lanes");
    }

    // Draws everything for a width; `show` then only moves it.
    rebuild(paced, width) {
      this.paced = paced;
      this.width = width;
      const { fold } = this;
      const { recording } = fold;
      const all = stretches(fold);
      const lanes = most(all, fold);
      const any = (what) => lanes.some((lane) => lane[what].length > 0);
      // What there is to explain in the legend.
      this.kinds = new Set([...["steps", "work", "parked", "polls", "jobs", "locks", "wakes", "incidents"].filter(any),
        ...(paced.creases.length > 0 ? ["creases"] : [])]);
      const wide = width >= 520;
      this.gutter = wide ? 148 : 0;
      this.track = Math.max(60, width - this.gutter - 2);
      const total = Math.max(paced.total, 0.001);
      // A step is wide enough for its number, and where tasks are polled, for a name.
      const stepWidth = Math.max(8 + 7 * String(fold.story.length).length, any("polls") || any("jobs") ? 84 : 0);
      this.scale = Math.max(this.track / total, Math.min(stepWidth / paced.hold, LONGEST / total));
      const x = (seconds) => seconds * this.scale;
      const xOf = (event) => x(event < paced.at.length ? paced.at[event] : paced.total);

      let y = 16;
      this.labels = [];
      const tracks = [];
      const gutter = [];
      for (const lane of lanes) {
        const robot = house.describeRobot(recording.actors[lane.actor].name);
        const polls = lane.polls.length + lane.jobs.length > 0;
        const labelHeight = wide ? 0 : 17;
        const top = y + labelHeight;
        const share = draw("tspan", { class: "share", ...(wide ? { x: 34, dy: 13 } : { dx: 8 }) });
        gutter.push(draw("g", { transform: `translate(0 ${wide ? top : y})` },
          placed(house.robotChip(robot), wide ? 4 : 2, wide ? 2 : 0, wide ? 24 : 16),
          draw("text", { class: "lane-name", x: wide ? 34 : 23, y: !wide ? 13 : recording.clock === "virtual" ? 18 : 12 }, robot.name, share)));
        this.labels.push({ actor: lane.actor, share });
        tracks.push(this.#lane(lane, robot, top, xOf, x));
        if (!wide) tracks.push(draw("path", { class: "lane-border", d: `M0 ${y - 1}H${x(total)}` }));
        y = top + (polls ? 46 : 32);
      }
      const bottom = y;
      const creases = this.#creases(bottom, x);
      this.playhead = draw("path", { class: "playhead", d: `M0 12V${bottom + 2}M-5 8h10L0 15z` });
      this.moving = draw("g", {}, creases, ...tracks, this.#ticks(bottom, x), this.playhead);
      const clip = draw("clipPath", { id: `${this.id}-clip` }, draw("rect", { x: 0, y: 0, width: this.track, height: bottom + 20 }));

      this.stripTop = bottom + 44;
      this.strip = new house.Strip(fold, lanes, { left: this.gutter, top: this.stripTop, width: this.track, wide });
      this.height = this.strip.bottom + 4;
      this.trackLayer = draw("g", { transform: `translate(${this.gutter} 0)` },
        draw("rect", { class: "track-ground", x: 0, y: 12, width: this.track, height: bottom - 10 }),
        draw("g", { "clip-path": `url(#${this.id}-clip)` }, this.moving));
      this.svg = draw("svg", { viewBox: `0 0 ${width} ${this.height}`, width, height: this.height, role: "img" },
        draw("defs", {}, clip, hatch(`${this.id}-hatch`)),
        this.trackLayer, ...gutter, this.strip.group);
      this.svg.style.setProperty("--hatch", `url(#${this.id}-hatch)`);
      this.bottom = bottom;
      const left = all.filter((lane) => !lanes.includes(lane)).map(({ actor }) => recording.actors[actor].name);
      const rest = house.make("p", { "data-part": "more-lanes", hidden: left.length === 0 }, `Not shown here: ${left.join(", ")}.`);
      this.host.replaceChildren(this.svg, rest);
    }

    #lane(lane, robot, top, xOf, x) {
      const { fold, paced } = this;
      const middle = top + 14;
      const span = ({ a, b }) => [xOf(a), xOf(b)];
      const parts = [
        draw("path", { class: "parked", d: blocks(lane.parked.map(span), middle - 1, 2) }),
        draw("path", { class: "work", d: blocks(lane.work.map(span), middle - 6, 12) }),
        draw("path", { class: "lock", d: blocks(lane.locks.map(span), middle - 8, 16) }),
        draw("path", { class: "step", d: blocks(lane.steps.map((k) => {
          const from = xOf(fold.story[k].at);
          return [from + 0.5, from + Math.max(1.2, x(paced.hold) - 1)];
        }), middle - 10, 20) }),
      ];
      for (const stretch of lane.locks) {
        const [from, to] = span(stretch);
        if (to - from > 60) parts.push(draw("text", { class: "lane-text", x: from + 4, y: middle + 4 }, `waits: ${stretch.name}`));
      }
      if (x(paced.hold) >= 7 * String(fold.story.length).length + 6) {
        for (const k of lane.steps) {
          const from = xOf(fold.story[k].at);
          parts.push(draw("text", { class: "step-number", x: from + x(paced.hold) / 2, y: middle + 4 }, k + 1));
        }
      }
      // What a loop polls, or what a worker of a pool does.
      const turns = [...lane.polls, ...lane.jobs];
      if (turns.length > 0) {
        parts.push(draw("path", { class: "poll", d: blocks(turns.map(span), top + 28, 14) }));
        for (const stretch of turns) {
          const [from, to] = span(stretch);
          const name = stretch.name ?? (fold.recording.tasks[stretch.task]?.name ?? "").replace(/^the /, "");
          const room = Math.floor((to - from - 6) / 5.6);
          if (room >= 3) {
            parts.push(draw("text", { class: "poll-name", x: from + 3, y: top + 38.5 },
              name.length > room ? `${name.slice(0, room - 1)}…` : name));
          }
        }
        parts.push(draw("path", { class: "wake", d: lane.wakes.map((i) => `M${(xOf(i) - 3).toFixed(1)} ${top + 2}h6l-3 5z`).join("") }));
      }
      for (const k of lane.incidents) {
        parts.push(draw("path", { class: "incident-mark", d: house.star(xOf(fold.story[k].at) + 8, middle, 12, 7, 10) }),
          draw("text", { class: "incident-sign", x: xOf(fold.story[k].at) + 8, y: middle + 4.5 }, "!"));
      }
      return draw("g", { class: `lane look-${robot.look} shade-${robot.shade}` }, ...parts);
    }

    #creases(bottom, x) {
      const group = draw("g", { class: "creases" });
      let free = 0;
      for (const { from, to, gap } of this.paced.creases) {
        const left = x(from);
        const right = x(to);
        const middle = (left + right) / 2;
        let d = `M${middle.toFixed(1)} 13`;
        for (let y = 13, side = 1; y < bottom; y += 6, side = -side) d += `l${3 * side} 3l${-3 * side} 3`;
        group.append(draw("rect", { class: "crease-ground", x: left, y: 13, width: Math.max(1, right - left), height: bottom - 12 }));
        if (right - left > 7) group.append(draw("path", { class: "crease", d }));
        const label = house.duration(gap);
        const room = label.length * 5.4 + 8;
        if (middle - room / 2 > free && right - left > 7) {
          group.append(draw("text", { class: "crease-label", x: middle, y: 9 }, label));
          free = middle + room / 2;
        }
      }
      return group;
    }

    // The recording's time, where it moves. Moments that stand too close to write on share one label.
    #ticks(bottom, x) {
      const group = draw("g", { class: "ticks" });
      const { events, duration } = this.fold.recording;
      if (duration === 0) return group;
      let free = -1;
      let before = -1;
      events.forEach((event, i) => {
        const at = x(this.paced.at[i]);
        if (event.t === before || at < free) return;
        before = event.t;
        const label = house.duration(event.t);
        free = at + Math.max(60, label.length * 7 + 14);
        group.append(draw("path", { class: "tick", d: `M${at.toFixed(1)} ${bottom + 2}v4` }),
          draw("text", { class: "tick-label", x: at + 2, y: bottom + 15 }, label));
      });
      return group;
    }

    // Moves the playhead to a second of playback. Long recordings scroll under it.
    show(seconds, state) {
      const { paced, fold } = this;
      const whole = paced.total * this.scale;
      const at = seconds * this.scale;
      this.offset = Math.max(0, Math.min(whole - this.track, at - this.track * 0.6));
      this.moving.setAttribute("transform", `translate(${(-this.offset).toFixed(1)} 0)`);
      this.playhead.setAttribute("transform", `translate(${at.toFixed(1)} 0)`);
      const time = (x) => house.timeAt(paced, fold.recording, x / this.scale);
      const t = time(at);
      this.strip.show(t, time(this.offset), time(this.offset + this.track), whole <= this.track + 1);
      for (const { actor, share } of this.labels) share.textContent = this.#share(actor, state, t);
    }

    // A share of time is a measurement, and a virtual clock measures nothing.
    #share(actor, state, t = state.t) {
      const one = state.robots[actor];
      if (!one || this.fold.recording.clock === "virtual") return "";
      const sheet = house.timesheet(one, Math.max(t, state.t));
      return sheet ? `waits ${percent(sheet.share)}` : "";
    }

    // In words, for those who do not see it.
    describe(state) {
      const words = this.labels.map(({ actor }) =>
        `${this.fold.recording.actors[actor].name} ${this.#share(actor, state)}`.trim());
      this.svg.setAttribute("aria-label", `Lanes of working and waiting. ${words.join(", ")}.`);
    }

    onStrip(clientY) {
      const frame = this.svg.getBoundingClientRect();
      return ((clientY - frame.top) / frame.height) * this.height >= this.stripTop - 10;
    }

    // The second of playback under a point of the drawing, or null beside it.
    secondsAt(clientX, clientY) {
      const frame = this.svg.getBoundingClientRect();
      const x = ((clientX - frame.left) / frame.width) * this.width - this.gutter;
      const inside = Math.max(0, Math.min(this.track, x));
      if (!this.onStrip(clientY)) return Math.min(this.paced.total, (this.offset + inside) / this.scale);
      const t = (inside / this.track) * this.fold.recording.duration;
      return house.secondsAtTime(this.paced, this.fold.recording, t);
    }
  }

  function placed(svg, x, y, size) {
    for (const [name, value] of Object.entries({ x, y, width: size, height: size })) svg.setAttribute(name, value);
    return svg;
  }

  const hatch = (id) =>
    draw("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      draw("rect", { class: "hatch", width: 3, height: 6 }));

  // 99.96 % must not read as 100 %, nor 0.04 % as nothing.
  function percent(share) {
    if (share > 0.995 && share < 1) return `${Math.min(99.99, share * 100).toFixed(2)} %`;
    if (share < 0.005 && share > 0) return `${Math.max(0.01, share * 100).toFixed(2)} %`;
    return `${(share * 100).toFixed(share > 0.9 && share < 1 ? 1 : 0)} %`;
  }

  Object.assign(house, { LanesDrawing, laneStretches: stretches });
})();
