// The state of the machine in the bar: one word, and what it means where that is not plain.

const STATES = {
  starting: ["wait", "Starting", ""],
  idle: ["wait", "Idle", "No deployment is live. No face is being compared."],
  live: ["good", "Live", ""],
  paused: ["warn", "Paused", "Recognition pauses and comes back by itself. No face is being compared."],
  degraded: ["warn", "Degraded", "Part of the system is not working as it should. See cameras and parts."],
  stopped: ["wait", "Stopped", "Recognition is stopped. No face is being compared. Only the Authorising Officer's signed decision starts it again."],
  failed: ["bad", "Failed", "The system failed and compares nothing. See its log, or run lfr status."],
};

const at = (id) => document.getElementById(id);

export function showState(status) {
  const [level, word, detail] = STATES[status.state] ?? ["warn", status.state, ""];
  if (at("state").textContent !== word) at("state").textContent = word;
  at("state-glyph").dataset.level = level;
  at("state-detail").hidden = !detail;
  if (at("state-detail").textContent !== detail) at("state-detail").textContent = detail;
  at("stop-open").disabled = ["stopped", "idle", "starting"].includes(status.state);
  at("notes").replaceChildren(...status.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
}
