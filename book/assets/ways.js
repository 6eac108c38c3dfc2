// All ways in which a scene can go, as the checker has explored them: decoded, checked and counted. Nothing here touches
// the page, except `load`, which fetches the file by script tag because that works from file:// too.
//
// A node is a moment at which somebody has to be picked. A *way* is one list of picks from there to an end: everybody has
// gone home, or something has gone wrong. Two ways are two if they differ in one pick, even where no guest would notice.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  const SCHEMA = "loopbot-puzzle";
  const VERSION = 1;

  class PuzzleError extends Error {}

  class Ways {
    // `file` is the JSON object that `cargo course record` writes.
    constructor(file) {
      if (typeof file !== "object" || file === null || file.schema !== SCHEMA) {
        throw new PuzzleError("this file is not a puzzle of this course");
      }
      if (file.version !== VERSION) {
        throw new PuzzleError(`the puzzle has version ${file.version}, and this page reads version ${VERSION}`);
      }
      for (const name of ["robots", "texts", "locs", "ends", "nodes"]) {
        if (!Array.isArray(file[name])) throw new PuzzleError(`the puzzle is damaged: it has no list "${name}"`);
      }
      if (file.nodes.length === 0) throw new PuzzleError("the puzzle is damaged: it has no beginning");
      this.title = String(file.title ?? "");
      this.robots = file.robots.map(String);
      const at = (table, k) => {
        if (file[table][k] === undefined) throw new PuzzleError(`the puzzle is damaged: it points to nothing in "${table}"`);
        return file[table][k];
      };
      // Robots stay numbers: a puzzle has a place for each of them.
      const who = (robot) => {
        at("robots", robot);
        return robot;
      };
      const line = ([robot, text, loc]) => ({ robot: who(robot), text: at("texts", text), loc: loc < 0 ? "" : at("locs", loc) });
      const ends = file.ends.map(({ good, ending, rule, lines }) => ({ good: good === true, ending, rule, lines: lines.map(line) }));
      this.nodes = file.nodes.map((node, n) => {
        if (node.end !== undefined) {
          at("ends", node.end);
          return { end: ends[node.end], moves: [], waits: [] };
        }
        const moves = node.moves.map(([robot, next, preempts, lines, to]) => {
          // Later nodes only: so every way has an end, and one walk from the back counts them all.
          if (!(to > n && to < file.nodes.length)) throw new PuzzleError("the puzzle is damaged: a move leads nowhere");
          return { robot: who(robot), next: at("texts", next), preempts: preempts === 1, lines: lines.map(line), to };
        });
        if (moves.length === 0) throw new PuzzleError("the puzzle is damaged: it stops without an end");
        const waits = (node.waits ?? []).map(([robot, why]) => ({ robot: who(robot), why: at("texts", why) }));
        return { end: null, moves, waits };
      });
      this.#count();
    }

    // From the back to the front: `all` ways on from each node, how many of them go `wrong`, the `fewest` preemptions
    // with which it can still go wrong (null: it cannot), and the `movers`, who have still something to do.
    #count() {
      for (const node of [...this.nodes].reverse()) {
        if (node.end) {
          const wrong = node.end.good ? 0 : 1;
          Object.assign(node, { all: 1, wrong, fewest: wrong ? 0 : null, movers: new Set() });
          continue;
        }
        Object.assign(node, { all: 0, wrong: 0, fewest: null, movers: new Set() });
        for (const move of node.moves) {
          const next = this.nodes[move.to];
          node.all += next.all;
          node.wrong += next.wrong;
          for (const robot of [move.robot, ...next.movers]) node.movers.add(robot);
          if (next.fewest !== null) node.fewest = Math.min(node.fewest ?? Infinity, next.fewest + (move.preempts ? 1 : 0));
        }
      }
    }

    get root() {
      return this.nodes[0];
    }
  }

  // One reader's way through it, as far as they have picked.
  class Walk {
    constructor(ways) {
      this.ways = ways;
      this.picks = [];
    }

    // The nodes passed, the present one last.
    get nodes() {
      const passed = [this.ways.root];
      for (const pick of this.picks) passed.push(this.ways.nodes[passed.at(-1).moves[pick].to]);
      return passed;
    }

    get here() {
      return this.nodes.at(-1);
    }

    get moves() {
      const passed = this.nodes;
      return this.picks.map((pick, k) => passed[k].moves[pick]);
    }

    get preemptions() {
      return this.moves.filter((move) => move.preempts).length;
    }

    // The last moment from which it could still go wrong, as a number of picks, or -1.
    get lastChance() {
      return this.nodes.findLastIndex((node) => node.wrong > 0);
    }

    // Replaces the picks, as far as they lead anywhere. Returns whether all of them did.
    replay(picks) {
      this.picks = [];
      for (const pick of picks) {
        if (!this.here.moves[pick]) return false;
        this.picks.push(pick);
      }
      return true;
    }
  }

  // Resolves to the Ways in recordings/NAME.js. Two figures may ask for the same file; the script is added once.
  const scripts = new Map();
  async function load(name) {
    if (!/^[\w.-]+$/.test(name)) throw new PuzzleError(`"${name}" is not the name of a puzzle`);
    const path = `recordings/${name}.js`;
    if (!scripts.has(name)) {
      scripts.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = house.url(path);
        script.onload = resolve;
        script.onerror = () => reject(new PuzzleError(`the file ${path} is missing or cannot be read`));
        document.head.append(script);
      }));
    }
    await scripts.get(name);
    const file = globalThis.loopbotPuzzles?.[name];
    if (file === undefined) throw new PuzzleError(`the file ${path} is damaged`);
    return new Ways(file);
  }

  Object.assign(house, { Ways, Walk, PuzzleError, loadWays: load });
})();
