// The health panel and the parts of the machine.

import { count, ms, plural, score } from "./format.js";
import { showState } from "./state.js";

const at = (id) => document.getElementById(id);
const total = (cameras, key) => cameras.reduce((sum, camera) => sum + camera[key], 0);
const highest = (values) => values.filter((value) => value !== null).reduce((a, b) => Math.max(a, b), -Infinity);

export function showStatus(status) {
  showState(status);
  at("h-watchlist").textContent = `${plural(status.watchlist_entries, "person", "people")}, ${plural(status.watchlist_images, "picture")}`;
  at("h-threshold").textContent = score(status.threshold);
  at("h-basis").textContent = status.threshold_basis;
  at("h-age").textContent = status.nonmatch_age_p95_ms === null ? "–" : `${count(Math.round(status.nonmatch_age_p95_ms))} / ${ms(status.nonmatch_age_max_ms)}`;
  const slowest = highest(status.cameras.map((camera) => camera.latency_p95_ms));
  at("h-latency").textContent = slowest === -Infinity ? "–" : ms(slowest);
  at("h-frames").textContent = ["processed", "dropped", "stale"].map((key) => count(total(status.cameras, key))).join(" / ");
  at("h-pack").textContent = status.pack;
  at("h-providers").textContent = status.providers.join(", ");
  showParts(status.actors);
  showEmpty(status);
}

function showParts(actors) {
  const dead = actors.filter((actor) => !actor.alive).length;
  const restarts = total(actors, "restarts");
  at("parts-sum").textContent = dead ? `${dead} of ${actors.length} down` : `${actors.length} up, ${plural(restarts, "restart")}`;
  at("parts-rows").replaceChildren(...actors.map((actor) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: actor.name });
    const cells = [actor.alive ? "Up" : "Down", actor.node ? `${actor.pid} on ${actor.node}` : actor.pid, count(actor.restarts)];
    row.append(name, ...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return row;
  }));
}

function showEmpty(status) {
  const [title, text] = emptyWords(status);
  at("alerts-empty-title").textContent = title;
  at("alerts-empty-text").textContent = text;
}

function emptyWords({ state, watchlist_entries: people, cameras }) {
  if (state === "stopped") return ["No alert", "Recognition is stopped, so none can come."];
  if (state === "idle") return ["No deployment is live", "No face is being compared. Plan, authorise and start one under Deployments."];
  if (state === "paused") return ["No alert", "Recognition pauses, so none can come. It goes on by itself."];
  if (state === "failed") return ["No alert", "The system failed, so none can come."];
  if (!people) return ["The watchlist is empty", "Nothing can raise an alert. Import a list under Deployments."];
  if (!cameras.length) return ["No camera", "Nothing can raise an alert until a camera is configured."];
  if (state === "starting") return ["Starting", "Cameras and engine are being opened. Alerts will appear here by themselves."];
  return ["No alert so far", `Every face is compared with ${plural(people, "listed person", "listed people")}. An alert appears here by itself, within a second.`];
}
