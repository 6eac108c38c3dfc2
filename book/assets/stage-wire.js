// The wire between the stage and the notes: two windows of one book. A BroadcastChannel where there is one; and a key in
// localStorage, whose changes the other window hears of, for pages that are files (there a channel joins nothing).
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  const NAME = "loopbot-stage";

  // Calls `hear` with every message of another window, once, whichever way it came.
  house.stageWire = (hear) => {
    const heard = [];
    const receive = (message) => {
      if (!message || typeof message !== "object" || typeof message.id !== "string" || heard.includes(message.id)) return;
      heard.push(message.id);
      if (heard.length > 50) heard.shift();
      hear(message);
    };
    let channel = null;
    try {
      channel = new BroadcastChannel(NAME);
      channel.addEventListener("message", ({ data }) => receive(data));
    } catch {
      // An old browser, or one that refuses: the other way is left.
    }
    addEventListener("storage", ({ key, newValue }) => {
      if (key !== `loopbot:${NAME}` || newValue === null) return;
      try {
        receive(JSON.parse(newValue));
      } catch {
        // Not ours.
      }
    });
    const own = Math.random().toString(36).slice(2);
    let count = 0;
    return {
      send(message) {
        const named = { ...message, id: `${own}-${(count += 1)}` };
        channel?.postMessage(named);
        house.store.set(NAME, named);
      },
    };
  };
})();
