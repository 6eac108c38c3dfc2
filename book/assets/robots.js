// The robots' faces: who is who by letter, by what they carry, and last by colour. Waiting robots close their eyes.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { draw } = house;

  const kinds = [
    { match: /^GreetBot/, look: "greet", letter: "G", home: "desk" },
    { match: /^WaitBot/, look: "wait", letter: "W", home: "desk" },
    { match: /^ChefBot/, look: "chef", letter: "C", home: "kitchen" },
    { match: /^WineBot/, look: "wine", letter: "V", home: "bar" },
    { match: /^LoopBot/, look: "loop", letter: "L", home: "desk" },
  ];

  // Everything about a robot that follows from its name. "WaitBot-2" is W2, and has its own shade.
  function describe(name) {
    const kind = kinds.find(({ match }) => match.test(name)) ?? { look: "other", letter: name.slice(0, 1), home: "desk" };
    const number = /-(\d+)$/.exec(name)?.[1] ?? "";
    return { name, look: kind.look, home: kind.home, label: kind.letter + number, shade: number ? (number - 1) % 4 : 0 };
  }

  // The body and what is on the head, drawn about (0, 0): 28 wide, 38 high.
  const bodies = {
    greet: "M-13 -2a13 13 0 0 1 26 0v12a5 5 0 0 1-5 5h-16a5 5 0 0 1-5-5z",
    wait: "M-10 -13h20a4 4 0 0 1 4 4v20a4 4 0 0 1-4 4h-20a4 4 0 0 1-4-4v-20a4 4 0 0 1 4-4z",
    chef: "M-12 -11h24l2 22a4 4 0 0 1-4 4h-20a4 4 0 0 1-4-4z",
    wine: "M0 -15l13 8v14l-13 8-13-8v-14z",
    loop: "M0 -14a15 15 0 0 1 0 30a15 15 0 0 1 0-30z",
    other: "M-12 -12h24v26h-24z",
  };
  const hats = {
    greet: "M0 14.5l-8-3.5v7zM0 14.5l8-3.5v7z", // a bow tie
    wait: "M-15 -16h30v-2.6h-30zM-8 -19.4a8 8 0 0 1 16 0zM-1.2 -26.2h2.4v-2h-2.4z", // a tray with a cover
    chef: "M-9 -12v-4a4.5 4.5 0 0 1 2-8.5a7.5 7.5 0 0 1 14 0a4.5 4.5 0 0 1 2 8.5v4z", // a tall hat
    wine: "M-5 -27h10a5 5 0 0 1-4 6.6v3.4h3v1.6h-8v-1.6h3v-3.4a5 5 0 0 1-4-6.6z", // a glass
    loop: "M0 -17c2-4 8-6 8-2s-6 2-8-1-8-3-8 1 6 6 8 2z", // a loop
    other: "",
  };

  // A robot on the floor. The returned group has open and closed eyes; CSS shows the pair that fits.
  function figure(robot) {
    return draw("g", { class: `robot look-${robot.look} shade-${robot.shade}` },
      draw("title", {}, robot.name),
      draw("ellipse", { class: "shadow", cx: 0, cy: 16.5, rx: 12, ry: 2.4 }),
      draw("circle", { class: "halo", r: 21 }),
      draw("path", { class: "body", d: bodies[robot.look] }),
      draw("path", { class: "hat", d: hats[robot.look] }),
      draw("g", { class: "eyes-open" },
        draw("circle", { cx: -4.5, cy: -5, r: 2.3 }), draw("circle", { cx: 4.5, cy: -5, r: 2.3 })),
      draw("path", { class: "eyes-closed", d: "M-7 -5h5M2 -5h5" }),
      draw("text", { class: "letter", x: 0, y: 7.5 }, robot.label),
      draw("g", { class: "burst" },
        draw("path", { d: house.star(13, -16, 11, 6.5, 9) }), draw("text", { x: 13, y: -11.8 }, "!")),
    );
  }

  // The same robot, small, in text: in the story and beside the lanes.
  function chip(robot) {
    return draw("svg", { class: `robot chip look-${robot.look} shade-${robot.shade}`, viewBox: "-16 -16 32 32", "aria-hidden": "true" },
      draw("path", { class: "body", d: bodies[robot.look] }),
      draw("text", { class: "letter", x: 0, y: 5 }, robot.label));
  }

  // A star of `points` points: the mark of an incident, which a glance tells from every round or square thing here.
  house.star = (x, y, outer, inner, points) => {
    const corner = (k) => {
      const angle = (Math.PI * k) / points - Math.PI / 2;
      const r = k % 2 === 0 ? outer : inner;
      return `${(x + r * Math.cos(angle)).toFixed(1)} ${(y + r * Math.sin(angle)).toFixed(1)}`;
    };
    return `M${Array.from({ length: 2 * points }, (_, k) => corner(k)).join("L")}z`;
  };

  Object.assign(house, { describeRobot: describe, robotFigure: figure, robotChip: chip });
})();
