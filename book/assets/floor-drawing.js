// The floor plan: draws one state of the fold. It holds no state of its own except where things are drawn; moving
// from place to place is a CSS transition between two states.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { draw } = house;

  const stateWords = {
    free: "free", claimed: "claimed", seated: "seated", ordered: "ordered", eating: "eating",
    left: "dishes left", clearing: "clearing",
  };

  // What lies on the table, 20 by 12 about (0, 0), so that a state is also a shape.
  const onTable = {
    free: "",
    claimed: "M-7 5 0-6 7 5z", // a reserved sign
    seated: "M-8-4h16M-8 0h16M-8 4h10", // the menu
    ordered: "M-5-6h10v12l-2-1.6-1.6 1.6-1.4-1.6-1.6 1.6-1.4-1.6-2 1.6z", // a paper slip
    eating: "M0-6a6 6 0 1 1 0 12a6 6 0 1 1 0-12M0-3a3 3 0 1 1 0 6a3 3 0 1 1 0-6M-10-6v12M10-6v12",
    left: "M-5-4a5 5 0 1 1 0 10a5 5 0 1 1 0-10M6-6a4 4 0 1 1 0 8a4 4 0 1 1 0-8M3 6h8",
    clearing: "M-4-4a5 5 0 1 1 0 10a5 5 0 1 1 0-10M5 3V-6M1.5-2.5 5-6l3.5 3.5",
  };

  const pawn = "M0-7a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 1 1 0-7.2M-5.5 10c0-11 11-11 11 0z";

  class FloorDrawing {
    constructor(host, fold) {
      this.host = host;
      this.fold = fold;
      this.robots = new Map(); // actor -> { info, group }
      this.tables = [];
      this.width = 0;
    }

    // Lays everything out for a width in CSS pixels: one unit of the drawing is one pixel, so text stays readable.
    resize(width) {
      this.width = width;
      const count = this.fold.lastTable;
      const narrow = width < 430;
      const side = narrow ? 0 : Math.max(84, Math.min(110, width * 0.19));
      const columns = columnsFor(count, width - 2 * side);
      const rows = Math.ceil(count / columns) || 0;
      const cell = { w: (width - 2 * side) / columns, h: count <= 2 ? 150 : 122 };
      const top = narrow ? 104 : 8;
      const floorHeight = Math.max(rows * cell.h + 8, narrow ? 0 : 232);
      this.height = narrow ? top + rows * cell.h + 100 : floorHeight + 8;

      const stations = narrow
        ? { door: box(4, 4, width / 2 - 8, 94), desk: box(width / 2 + 4, 4, width / 2 - 8, 94),
            kitchen: box(4, this.height - 98, width / 2 - 8, 94), bar: box(width / 2 + 4, this.height - 98, width / 2 - 8, 94) }
        : { door: box(4, 8, side - 12, this.height / 2 - 12), desk: box(4, this.height / 2 + 4, side - 12, this.height / 2 - 12),
            kitchen: box(width - side + 8, 8, side - 12, this.height / 2 - 12),
            bar: box(width - side + 8, this.height / 2 + 4, side - 12, this.height / 2 - 12) };

      this.spots = {}; // place -> where robots stand: the middle of the front row, its width, how many rows there is room for
      for (const [name, b] of Object.entries(stations)) {
        this.spots[name] = { x: b.x + b.w / 2, y: b.y + b.h - 25, w: b.w - 8, rows: narrow ? 1 : 2 };
      }
      const spare = narrow ? 0 : (floorHeight - rows * cell.h) / 2;
      const centres = [];
      for (let k = 0; k < count; k += 1) {
        const inLastRow = Math.floor(k / columns) === rows - 1 ? count - (rows - 1) * columns : columns;
        const shift = ((columns - inLastRow) * cell.w) / 2;
        const x = side + shift + cell.w * ((k % columns) + 0.5);
        const y = top + spare + cell.h * Math.floor(k / columns) + (count <= 2 ? 56 : 40);
        centres.push({ x, y });
        this.spots[`table ${k + 1}`] = { x, y: y + (count <= 2 ? 68 : 57), w: cell.w - 6, rows: 1 };
      }

      const size = { w: Math.min(98, cell.w - 12), h: 54 };
      // One or two tables have the room to themselves.
      const scale = count <= 2 && cell.w > 150 ? 1.35 : 1;
      this.tables = centres.map((centre, k) => tableDrawing(k + 1, centre, size, scale));
      this.door = draw("g", { class: "queue" });
      this.queueText = draw("text", { class: "station-note", x: this.spots.door.x, y: stations.door.y + 33 });
      this.doorBox = stations.door;
      this.robots.clear();
      this.robotLayer = draw("g", { class: "robots" });
      this.svg = draw("svg", { viewBox: `0 0 ${width} ${this.height}`, width, height: this.height, role: "img" },
        ...Object.entries(stations).map(([name, b]) => stationDrawing(name, b)),
        this.door, this.queueText, ...this.tables.map(({ group }) => group), this.robotLayer);
      this.host.replaceChildren(this.svg);
    }

    // `view`: { acting: actor or -1, fresh(event): is this incident recent, still: no movement }
    show(state, view) {
      if (this.fold.lastTable !== this.tables.length) this.resize(this.width);
      this.svg.classList.toggle("still", view.still);
      this.#queue(state.queue);
      this.tables.forEach((drawing, k) => showTable(drawing, state.tables[k + 1], view));

      const standing = new Map();
      for (const actor of [...this.fold.onFloor].sort((a, b) => a - b)) {
        const one = state.robots[actor];
        const drawn = this.#robot(actor);
        drawn.group.classList.toggle("gone", !one);
        const place = this.spots[one?.place] ? one.place : drawn.info.home;
        (standing.get(place) ?? standing.set(place, []).get(place)).push({ one, ...drawn });
        drawn.group.classList.toggle("waiting", Boolean(one?.waiting || one?.lock || (one && !one.on)));
        drawn.group.classList.toggle("acting", actor === view.acting);
        drawn.group.classList.toggle("hurt", Boolean(one && one.incident >= 0 && view.fresh(one.incident)));
      }
      for (const [place, robots] of standing) {
        const spot = this.spots[place];
        const fit = Math.max(1, Math.floor(spot.w / 33));
        const perRow = Math.max(fit, Math.ceil(robots.length / spot.rows));
        const front = Math.ceil(robots.length / perRow) - 1; // drawn last, so it covers the row behind
        robots.forEach(({ group }, k) => {
          const row = Math.floor(k / perRow);
          const inRow = Math.min(perRow, robots.length - row * perRow);
          const gap = inRow > 1 ? Math.min(34, (spot.w - 30) / (inRow - 1)) : 0;
          const x = spot.x + ((k % perRow) - (inRow - 1) / 2) * gap;
          group.style.transform = `translate(${x.toFixed(1)}px, ${(spot.y - (front - row) * 40).toFixed(1)}px)`;
        });
      }
      this.svg.setAttribute("aria-label", describe(state, this.tables.length));
    }

    #robot(actor) {
      if (!this.robots.has(actor)) {
        const info = house.describeRobot(this.fold.recording.actors[actor].name);
        const group = house.robotFigure(info);
        this.robotLayer.append(group);
        this.robots.set(actor, { info, group });
      }
      return this.robots.get(actor);
    }

    #queue(waiting) {
      if (this.shownQueue === waiting && this.door.isConnected && this.door.childElementCount) return;
      this.shownQueue = waiting;
      const b = this.doorBox;
      const room = Math.max(1, Math.floor((b.w - 8) / 14));
      const shown = Math.min(waiting, room);
      const pawns = Array.from({ length: shown }, (_, k) =>
        draw("path", { class: "pawn", d: pawn, transform: `translate(${b.x + b.w / 2 + (k - (shown - 1) / 2) * 14} ${b.y + 50})` }));
      this.door.replaceChildren(...pawns);
      this.queueText.textContent = waiting === 0 ? "nobody waits" : waiting === 1 ? "1 party waits" : `${waiting} parties`;
    }
  }

  const box = (x, y, w, h) => ({ x, y, w, h });

  // As square a grid as the room allows, with tables wide enough to write on.
  function columnsFor(count, width) {
    const most = Math.max(1, Math.floor(width / 84));
    if (count <= 3) return Math.max(1, Math.min(count, most));
    if (count === 4) return 2;
    return Math.min(most, Math.max(3, Math.ceil(Math.sqrt(count))));
  }

  function stationDrawing(name, b) {
    return draw("g", { class: `station station-${name}` },
      draw("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: 8 }),
      draw("text", { x: b.x + b.w / 2, y: b.y + 17 }, name));
  }

  function tableDrawing(number, at, { w, h }, scale) {
    const chair = (x, y) => draw("rect", { class: "chair", x: x - 9, y: y - 4, width: 18, height: 8, rx: 3 });
    const state = draw("text", { class: "table-state", y: 20 });
    const party = draw("text", { class: "party", y: 4 });
    const thing = draw("path", { class: "thing", transform: `translate(${w / 2 - 17} -14)` });
    const count = draw("text", { class: "table-count", x: 20 - w / 2, y: -11 });
    const group = draw("g", { class: "table", transform: `translate(${at.x} ${at.y}) scale(${scale})` },
      draw("path", { class: "burst", d: house.star(0, 0, Math.min(w * 0.68, 64), Math.min(w * 0.5, 46), 14) }),
      chair(-w / 4, -h / 2 - 4), chair(w / 4, -h / 2 - 4), chair(-w / 4, h / 2 + 4), chair(w / 4, h / 2 + 4),
      draw("rect", { class: "top", x: -w / 2, y: -h / 2, width: w, height: h, rx: 9 }),
      draw("text", { class: "table-number", x: 8 - w / 2, y: -11 }, number),
      party, state, thing, count,
      draw("g", { class: "alarm" },
        draw("path", { d: house.star(0, -h / 2 - 4, 14, 8.5, 10) }),
        draw("text", { y: 1 - h / 2 }, "!")));
    return { number, group, state, party, thing, count, room: w };
  }

  function showTable(drawing, table, view) {
    const state = table?.state ?? "free";
    const parties = table?.parties ?? [];
    const { group } = drawing;
    group.dataset.state = state;
    group.classList.toggle("taken", parties.length > 0);
    group.classList.toggle("crowded", parties.length > 1);
    group.classList.toggle("incident", Boolean(table && table.incident >= 0 && view.fresh(table.incident)));
    drawing.state.textContent = stateWords[state] ?? state;
    drawing.party.textContent = shorten(parties.join(" + "), Math.floor(drawing.room / 7));
    drawing.thing.setAttribute("d", onTable[state] ?? "");
    drawing.count.textContent = table?.incidents > 1 ? `✕${table.incidents}` : table?.incidents === 1 ? "✕" : "";
  }

  const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  // The drawing in words, for those who do not see it.
  function describe(state, tables) {
    const words = [`Floor plan. ${state.queue} at the door.`];
    for (let k = 1; k <= tables; k += 1) {
      const at = state.tables[k];
      const who = at?.parties.length ? ` (${at.parties.join(" and ")})` : "";
      words.push(`Table ${k}: ${stateWords[at?.state ?? "free"] ?? at.state}${who}.`);
    }
    return words.join(" ");
  }

  house.FloorDrawing = FloorDrawing;
})();
