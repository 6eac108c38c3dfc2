// The restaurant at one moment is a fold over the events up to it. This file is that fold and nothing else: no clock,
// no drawing, no simulation. What the player shows is here, so it cannot show what was not recorded.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  const EVERY = 256; // a snapshot every so many events: going back never folds more than this

  const opening = () => ({ t: 0, robots: [], tables: [], tasks: [], queue: 0, incidents: 0, lost: 0 });

  const robot = (t) => ({
    on: true, place: "", waiting: false, why: "", lock: "", holds: [], task: -1, step: -1, incident: -1,
    since: t, worked: 0, waited: 0,
  });

  const table = () => ({ state: "free", parties: [], incident: -1, incidents: 0 });

  // Adds the time since the robot last changed between working and waiting to the right account.
  function account(one, t) {
    if (one.on) one[one.waiting ? "waited" : "worked"] += t - one.since;
    one.since = t;
  }

  // Applies event number `i` to `state`, in place.
  function apply(state, recording, i) {
    const event = recording.events[i];
    const { t, a, b, c } = event;
    state.t = t;
    const me = (state.robots[event.actor] ??= robot(t));
    const task = (id) => (state.tasks[id] ??= { state: "ready", polls: 0 });

    switch (event.kind) {
      case "actor_start":
        Object.assign(me, robot(t), { place: me.place });
        break;
      case "actor_stop":
        account(me, t);
        Object.assign(me, { on: false, waiting: false, lock: "", task: -1 });
        break;
      case "park_begin":
        account(me, t);
        Object.assign(me, { waiting: true, why: recording.strings[a] });
        break;
      case "park_end":
        account(me, t);
        Object.assign(me, { waiting: false, why: "" });
        break;
      case "task_spawn":
        task(a).state = "ready";
        break;
      case "task_end":
        task(a).state = ["done", "cancelled", "panicked"][b] ?? "done";
        break;
      case "poll_begin":
        me.task = a;
        Object.assign(task(a), { state: "running", polls: b });
        break;
      case "poll_end":
        me.task = -1;
        // A wake during the poll has already put it back on the run queue.
        if (task(a).state === "running") task(a).state = b === 1 ? "done" : task(a).woken ? "ready" : "waiting";
        task(a).woken = false;
        break;
      case "wake":
        if (task(a).state === "waiting") task(a).state = "ready";
        else if (task(a).state === "running") task(a).woken = true;
        break;
      case "res_wait":
        me.lock = recording.strings[a];
        break;
      case "res_acquire":
        me.lock = "";
        me.holds.push(recording.strings[a]);
        break;
      case "res_release": {
        const at = me.holds.indexOf(recording.strings[a]);
        if (at >= 0) me.holds.splice(at, 1);
        break;
      }
      case "counter":
        if (recording.strings[a] === "parties waiting") state.queue = b;
        break;
      case "gap":
        state.lost += a;
        break;
      case "mark":
        mark(state, me, recording.strings[b], recording.strings[a], c, i);
        break;
    }
  }

  // The marks are how the restaurant speaks.
  function mark(state, me, category, text, value, i) {
    const at = value > 0 ? (state.tables[value] ??= table()) : null;
    switch (category) {
      case "step":
        me.step = i;
        break;
      case "place":
        me.place = text;
        break;
      case "table":
        if (at) at.state = text;
        if (at && text === "left") at.parties = [];
        break;
      case "party":
        // A second party at the table does not replace the first: that both sit there is what the reader must see.
        if (at && text === "") at.parties = [];
        else if (at && !at.parties.includes(text)) at.parties.push(text);
        break;
      case "incident":
        state.incidents += 1;
        me.incident = i;
        if (at) Object.assign(at, { incident: i, incidents: at.incidents + 1 });
        break;
    }
  }

  // The marks the reader is told, in order: what a robot does, what goes wrong, what the narrator says.
  const told = new Set(["step", "incident", "beat"]);

  // Walks a recording. `at(position)` is the state after that many events; `story` lists the steps.
  class Fold {
    constructor(recording) {
      this.recording = recording;
      this.story = [];
      this.lastTable = Number(recording.facts.tables ?? 0) || 0;
      this.onFloor = new Set(); // actors that stand somewhere or do something: the robots
      this.hasFloor = this.lastTable > 0; // a run of which nobody says where anything stands has lanes and a story only
      this.seen = 0;
      this.snapshots = [opening()];
      this.here = { position: 0, state: structuredClone(this.snapshots[0]) };
      this.grow();
    }

    // Reads events that have arrived since.
    grow() {
      const { events, strings } = this.recording;
      const polling = (this.polling ??= []);
      for (; this.seen < events.length; this.seen += 1) {
        const event = events[this.seen];
        if (event.kind === "poll_begin") polling[event.actor] = event.a;
        else if (event.kind === "poll_end") polling[event.actor] = undefined;
        if (event.kind !== "mark") continue;
        const category = strings[event.b];
        if (category === "step" || category === "place") this.onFloor.add(event.actor);
        if (category === "table" || category === "party" || category === "place") this.hasFloor = true;
        if (category === "table" || category === "party") this.lastTable = Math.max(this.lastTable, event.c);
        if (told.has(category)) {
          this.story.push({
            at: this.seen, category, actor: event.actor, t: event.t, text: strings[event.a],
            task: polling[event.actor] ?? -1,
            loc: category === "step" ? this.recording.loc(event) : "",
            table: category === "incident" ? event.c : 0,
          });
        }
      }
    }

    // The state after `position` events. Do not keep it: the next call may change it.
    at(position) {
      if (position < this.here.position) {
        const last = Math.min(Math.floor(position / EVERY), this.snapshots.length - 1);
        this.here = { position: last * EVERY, state: structuredClone(this.snapshots[last]) };
      }
      while (this.here.position < position) {
        apply(this.here.state, this.recording, this.here.position);
        this.here.position += 1;
        if (this.here.position === this.snapshots.length * EVERY) this.snapshots.push(structuredClone(this.here.state));
      }
      return this.here.state;
    }

    // The step that is current after `position` events: -1 before the first.
    stepAt(position) {
      let low = 0;
      let high = this.story.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.story[middle].at < position) low = middle + 1;
        else high = middle;
      }
      return low - 1;
    }

    // Where to stand to see step `k` with its consequences: what the same robot says next about tables, parties and the
    // door. Where it goes then is no longer this step. Step -1 is the opening, before anything is told.
    stopAt(k) {
      const { events, strings } = this.recording;
      const end = k + 1 < this.story.length ? this.story[k + 1].at : events.length;
      if (k < 0) return end;
      const { at, actor } = this.story[k];
      let stop = at + 1;
      while (stop < end) {
        const event = events[stop];
        const follows = event.kind === "counter" || (event.kind === "mark" && ["table", "party"].includes(strings[event.b]));
        if (event.actor !== actor || !follows) break;
        stop += 1;
      }
      return stop;
    }
  }

  // A robot's time so far: the account, plus what runs since its last change. Null while the clock has not moved.
  function timesheet(one, t) {
    const open = one.on ? t - one.since : 0;
    const worked = one.worked + (one.waiting ? 0 : open);
    const waited = one.waited + (one.waiting ? open : 0);
    return worked + waited > 0 ? { worked, waited, share: waited / (worked + waited) } : null;
  }

  Object.assign(house, { Fold, timesheet });
})();
