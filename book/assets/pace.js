// How fast to show what happened. Robots wait most of the time, so a playback to scale would be a still picture, and
// one that ignores time would hide the waiting. So: every step of the story gets time to be read, every gap between
// events gets a little, and long gaps in which all robots wait are folded into a crease that says how long it was.
// The strip below the lanes stays to scale.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  // A short story is read step by step; a whole evening takes a minute and a half or so.
  const STEPS = 60; // seconds for all steps of a long story
  const GAPS = 25; // seconds for all gaps

  // { at: second of playback at which each event happens, from: second at which the gap before it begins, total,
  //   hold: seconds a step is held, creases: the folded gaps }
  function pace(fold) {
    const { recording, story } = fold;
    const { events } = recording;
    const hold = clamp(STEPS / Math.max(1, story.length), 0.12, 1.2);
    const gaps = gapsBefore(events, hold);
    const at = new Float64Array(events.length);
    const from = new Float64Array(events.length);
    const creases = [];
    let now = 0;
    let told = 0;
    let stop = story.length > 0 ? fold.stopAt(0) : 0;
    events.forEach((event, i) => {
      from[i] = now;
      now += gaps[i].seconds;
      at[i] = now;
      if (gaps[i].crease) creases.push({ from: from[i], to: now, gap: gaps[i].ns });
      // The hold comes after the step's consequences: they are what there is to look at.
      if (told < story.length && i === stop - 1) {
        told += 1;
        now += hold;
        stop = told < story.length ? fold.stopAt(told) : 0;
      }
    });
    return { at, from, total: now, hold, creases };
  }

  // For each event, the gap before it: { ns, seconds of playback, crease: is it folded }. Long gaps get more than short
  // ones, but never much more than a usual one twice.
  function gapsBefore(events, hold) {
    const lengths = events.map((event, i) => (i > 0 ? event.t - events[i - 1].t : 0));
    const some = lengths.filter((ns) => ns > 0).sort((a, b) => a - b);
    const usual = some[some.length >> 1] ?? 1;
    const working = new Set();
    const gaps = events.map((event, i) => {
      const ns = lengths[i];
      const idle = working.size === 0;
      if (event.kind === "actor_start" || event.kind === "park_end") working.add(event.actor);
      else if (event.kind === "actor_stop" || event.kind === "park_begin") working.delete(event.actor);
      // A gap in which somebody works is a step that takes long, and that must be felt.
      const crease = idle && ns >= 3 * usual;
      const seconds = ns > 0 ? (idle ? 0.5 : 1) * (ns / (ns + usual)) + (crease ? hold / 3 : 0) : 0;
      return { ns, seconds, crease };
    });
    const shrink = Math.min(1, GAPS / gaps.reduce((sum, { seconds }) => sum + seconds, 0));
    return gaps.map((gap) => ({ ...gap, seconds: gap.seconds * shrink }));
  }

  // How many events have happened after `seconds` of playback.
  function positionAt(paced, seconds) {
    let low = 0;
    let high = paced.at.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (paced.at[middle] <= seconds + 1e-9) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // The second of playback at which the position is reached.
  const secondsAt = (paced, position) => (position <= 0 ? 0 : paced.at[Math.min(position, paced.at.length) - 1] ?? 0);

  // The recording's own time at a second of playback: it stands still while a step is held.
  function timeAt(paced, recording, seconds) {
    const { events } = recording;
    const next = positionAt(paced, seconds);
    if (next === 0) return 0;
    const before = events[next - 1].t;
    if (next === events.length) return before;
    const share = (seconds - paced.from[next]) / (paced.at[next] - paced.from[next]);
    return before + (events[next].t - before) * (share > 0 ? Math.min(1, share) : 0);
  }

  // The second of playback at which the recording's clock reads `t`.
  function secondsAtTime(paced, recording, t) {
    const { events } = recording;
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle].t < t) low = middle + 1;
      else high = middle;
    }
    return low >= events.length ? paced.total : paced.at[low];
  }

  Object.assign(house, { pace, positionAt, secondsAt, timeAt, secondsAtTime });
})();
