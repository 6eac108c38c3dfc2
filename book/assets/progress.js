// How far the learner is: read once a page from the course program, and again when something has changed. A check in the
// terminal, a hint in `watch`, a saved file: the server says so by an event; and a page that gets the focus looks again.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  let token = null;
  let reading = null; // the request under way
  let again = false; // something has changed since it was sent
  const followers = new Map(); // number of an exercise -> those who want to know
  const known = new Map(); // number of an exercise -> its standing

  async function read() {
    if (reading) {
      again = true;
      return reading;
    }
    reading = (async () => {
      do {
        again = false;
        const response = await house.call("GET", "progress", { token });
        const { note, exercises } = await response.json();
        if (note) house.progress.note = String(note);
        for (const standing of exercises) tell(standing);
      } while (again);
    })();
    try {
      await reading;
    } finally {
      reading = null;
    }
  }

  function tell(standing) {
    known.set(standing.number, standing);
    for (const follower of followers.get(standing.number) ?? []) follower(standing);
  }

  // At most once a second, however often something is saved. When the server has gone, or the token is from an earlier start,
  // what is shown stays, and a click says what is wrong.
  let soonest = 0;
  let waiting = null;
  function quietly() {
    if (token === null || document.hidden || waiting !== null) return;
    waiting = setTimeout(() => {
      waiting = null;
      soonest = performance.now() + 1000;
      read().catch(() => {});
    }, Math.max(0, soonest - performance.now()));
  }

  house.progress = {
    // What the course program has to say about the progress file, if anything.
    note: "",

    // Calls `follower` with the standing of an exercise, now and whenever it changes.
    async follow(number, withToken, follower) {
      const first = token === null;
      token = withToken;
      if (!followers.has(number)) followers.set(number, []);
      followers.get(number).push(follower);
      if (first) {
        for (const name of ["focus", "loopbot:progress"]) addEventListener(name, quietly);
        document.addEventListener("visibilitychange", quietly);
        await read();
      } else if (known.has(number)) follower(known.get(number));
      else await reading;
    },

    // A standing that an answer of the course program carried.
    tell,
  };
})();
