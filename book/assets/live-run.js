// A live run: asks the course program to run something by name, and reads its record while it is being written.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});

  // Calls `began(recording)` at the first line and `grew()` after every line. Resolves, when the run has ended, been
  // stopped or broken off, to { recording, trouble }: null if nothing came, and a sentence if something went wrong.
  async function runLive(name, token, signal, { began, grew }) {
    let recording = null;
    let complete = false;
    try {
      const response = await house.call("POST", `run/${encodeURIComponent(name)}`, { token, signal });
      for await (const chunk of house.lines(response)) {
        if (chunk.error) throw new house.Refusal(String(chunk.error));
        if (recording) {
          recording.append(chunk);
        } else {
          recording = new house.Recording(chunk);
          began(recording);
        }
        complete ||= Boolean(chunk.end);
        grew();
      }
      return { recording, trouble: complete ? "" : "The run ended before its record was complete." };
    } catch (error) {
      return { recording, trouble: explain(error) };
    }
  }

  function explain(error) {
    if (error.name === "AbortError") return "You stopped the run. The record up to here is kept.";
    if (error instanceof house.Refusal) return error.message;
    if (error instanceof house.RecordingError) return `The run cannot be shown: ${error.message}.`;
    console.error(error);
    return "The connection to the course program broke off.";
  }

  house.runLive = runLive;
})();
