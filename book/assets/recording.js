// A recording: the numbers of a flight file, checked and decoded. Nothing here touches the page, except `load`,
// which fetches a file by script tag because that works from file:// too.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  const SCHEMA = "loopbot-flight";
  const VERSION = 1;
  // More than this no reader looks at and no page draws in time. What is left out is said, never hidden.
  const MOST_EVENTS = 20000;

  class RecordingError extends Error {}

  const tables = ["strings", "actors", "tasks", "locs"];
  // Which number of an event points into which table, so that a damaged file is refused here and not drawn.
  const pointers = {
    task_spawn: { a: "tasks" }, task_end: { a: "tasks" }, poll_begin: { a: "tasks" }, poll_end: { a: "tasks" },
    wake: { a: "tasks" }, timer_arm: { b: "tasks" }, timer_fire: { b: "tasks" },
    park_begin: { a: "strings" }, res_wait: { a: "strings" }, res_acquire: { a: "strings" },
    res_release: { a: "strings" }, mark: { a: "strings", b: "strings" }, counter: { a: "strings" },
    job_submit: { b: "strings" }, job_start: { b: "strings" }, process_start: { b: "strings" },
    observed: { a: "tasks" }, wakers_gone: { a: "tasks" },
  };

  class Recording {
    // `file` is the whole JSON object, or the first line of a live stream.
    constructor(file) {
      if (typeof file !== "object" || file === null || file.schema !== SCHEMA) {
        throw new RecordingError("this file is not a recording of this course");
      }
      if (file.version !== VERSION) {
        throw new RecordingError(`the recording has version ${file.version}, and this page reads version ${VERSION}`);
      }
      for (const name of ["kinds", ...tables, "events"]) {
        if (!Array.isArray(file[name])) throw new RecordingError(`the recording is damaged: it has no list "${name}"`);
      }
      this.clock = file.clock === "virtual" ? "virtual" : "monotonic";
      this.program = String(file.program ?? "");
      this.facts = file.facts ?? {};
      this.kinds = file.kinds;
      this.dropped = file.dropped ?? 0;
      this.complete = file.complete !== false;
      this.strings = [];
      this.actors = [];
      this.tasks = [];
      this.locs = [];
      this.events = [];
      this.left = 0; // events that came after MOST_EVENTS
      this.hits = [];
      this.append(file);
    }

    // Adds what a later line of a live stream brings.
    append(chunk) {
      for (const name of tables) if (chunk[name]) this[name].push(...chunk[name]);
      for (const numbers of chunk.events ?? []) this.#add(numbers);
      for (const hit of chunk.hits ?? []) this.#hit(hit);
      if (chunk.end) {
        this.dropped = chunk.end.dropped ?? this.dropped;
        this.complete = chunk.end.complete ?? this.complete;
      }
    }

    #add(numbers) {
      if (this.events.length >= MOST_EVENTS) {
        this.left += 1;
        return;
      }
      const where = `event ${this.events.length}`;
      if (!Array.isArray(numbers) || numbers.length < 4 || !numbers.every(Number.isFinite)) {
        throw new RecordingError(`the recording is damaged: ${where} is not a row of numbers`);
      }
      const [n, t, actor, kind, a = 0, b = 0, c = 0] = numbers;
      const event = { n, t, actor, kind: this.kinds[kind], a, b, c };
      if (event.kind === undefined) {
        throw new RecordingError(`the recording is damaged: ${where} has a kind that the file does not name`);
      }
      const before = this.events.at(-1);
      if (before && n <= before.n) throw new RecordingError(`the recording is damaged: ${where} is out of order`);
      // Threads read the clock on their own; a hair of disorder between two of them must not turn time back.
      if (before && t < before.t) event.t = before.t;
      if (this.actors[actor] === undefined) {
        throw new RecordingError(`the recording is damaged: ${where} names an actor that the file does not list`);
      }
      for (const [slot, table] of Object.entries(pointers[event.kind] ?? {})) {
        if (this[table][event[slot]] === undefined) {
          throw new RecordingError(`the recording is damaged: ${where} points to nothing in "${table}"`);
        }
      }
      this.events.push(event);
    }

    // What the rules say. It is told next to the run and not needed to play it, so there is not much to check.
    #hit(hit) {
      const numbers = Array.isArray(hit?.evidence) && [hit.at, ...hit.evidence].every(Number.isFinite);
      if (!numbers || ![hit.rule, hit.severity, hit.says].every((text) => typeof text === "string")) {
        throw new RecordingError("the recording is damaged: it has a hit that says nothing");
      }
      this.hits.push(hit);
    }

    // Where the event with this number stands, or -1.
    indexOf(n) {
      let low = 0;
      let high = this.events.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.events[middle].n < n) low = middle + 1;
        else high = middle;
      }
      return this.events[low]?.n === n ? low : -1;
    }

    get duration() {
      return this.events.at(-1)?.t ?? 0;
    }

    // The source line of a story step, or "". A step's value is the line's place in the table plus one.
    loc(event) {
      return event.c > 0 ? (this.locs[event.c - 1] ?? "") : "";
    }
  }

  // Nanoseconds as a person would say them.
  function duration(ns) {
    const show = (value, unit) => `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
    if (ns === 0) return "0 s";
    if (ns < 1e3) return `${ns} ns`;
    if (ns < 1e6) return show(ns / 1e3, "µs");
    if (ns < 1e9) return show(ns / 1e6, "ms");
    if (ns < 60e9) return show(ns / 1e9, "s");
    const seconds = Math.round(ns / 1e9);
    const two = (value) => String(value).padStart(2, "0");
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  }

  // Resolves to the Recording in recordings/NAME.js. Two figures may ask for the same one; the script is added once, and
  // not at all where the page itself holds the recording.
  const scripts = new Map();
  async function load(name) {
    if (!/^[\w.-]+$/.test(name)) throw new RecordingError(`"${name}" is not the name of a recording`);
    const path = `recordings/${name}.js`;
    if (!scripts.has(name) && globalThis.loopbotRecordings?.[name] === undefined) {
      scripts.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = house.url(path);
        script.onload = resolve;
        script.onerror = () => reject(new RecordingError(`the file ${path} is missing or cannot be read`));
        document.head.append(script);
      }));
    }
    await scripts.get(name);
    const file = globalThis.loopbotRecordings?.[name];
    if (file === undefined) throw new RecordingError(`the file ${path} is damaged`);
    return new Recording(file);
  }

  Object.assign(house, { Recording, RecordingError, loadRecording: load, duration });
})();
