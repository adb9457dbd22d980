// The live page. It loads what there is, then follows the event stream; what was missed is replayed.

import { Alerts } from "./alerts.js";
import { json } from "./api.js";
import { wireSignOut, wireStop } from "./bar.js";
import { span } from "./format.js";
import { showStatus } from "./health.js";
import { keys } from "./keys.js";
import { Stream } from "./stream.js";
import { Tiles } from "./tiles.js";

const KINDS = [
  "alert.raised", "actor.restarted", "camera.gap", "camera.health", "recognition.started", "recognition.stopped",
  "watchlist.enrolled", "watchlist.entry-revoked", "watchlist.imported",
];

const at = (id) => document.getElementById(id);
const tiles = new Tiles();
const alerts = new Alerts({ cameraTitle: (id) => tiles.title(id) });
const connection = { downSince: null };

// State of the system, once a second while somebody looks

let asking = false;
async function refresh() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const status = await json("/status");
    showStatus(status);
    tiles.show(status.cameras);
    tiles.setLost(connection.downSince !== null);
  } catch (problem) {
    if (problem.status === 503) {
      at("state").textContent = "Not answering";
      at("state-glyph").dataset.level = "bad";
    }
  } finally {
    asking = false;
  }
}

// Connection: plain to see when it is gone, and what came meanwhile is told

function linkUp() {
  at("link").textContent = "Connected";
  at("link-glyph").dataset.level = "good";
  at("lost").hidden = true;
  if (connection.downSince !== null) {
    connection.downSince = null;
    tiles.setLost(false);
    refresh();
  }
}

function linkDown() {
  connection.downSince ??= Date.now();
  at("link").textContent = "No connection";
  at("link-glyph").dataset.level = "bad";
  tiles.setLost(true);
  showLost();
}

function showLost() {
  if (connection.downSince === null) return;
  at("lost").hidden = false;
  // Hidden from screen readers: they are told once that it is gone, not every second for how long.
  at("lost-for").textContent = `(${span((Date.now() - connection.downSince) / 1000)})`;
}

function wireHelp() {
  const open = () => {
    at("help-dialog").showModal();
    at("help-close").focus();
  };
  at("help-open").addEventListener("click", open);
  at("help-close").addEventListener("click", () => at("help-dialog").close());
  return open;
}

wireSignOut();
const stop = wireStop(refresh);
const help = wireHelp();
keys({ j: () => alerts.step(1), k: () => alerts.step(-1), o: () => alerts.toggleScene(), s: stop, "?": help });

async function start() {
  let first;
  try {
    first = await json("/alerts?limit=100");
  } catch {
    linkDown();
    setTimeout(start, 2000);
    return;
  }
  await refresh();
  alerts.load(first.alerts, first.more);
  new Stream({
    after: first.seq,
    kinds: KINDS,
    onEvent: (kind, event) => (kind === "alert.raised" ? alerts.arrived(event.subject) : refresh()),
    onUp: linkUp,
    onDown: linkDown,
  });
  setInterval(refresh, 1000);
  setInterval(showLost, 1000);
  document.addEventListener("visibilitychange", refresh);
}

start();
