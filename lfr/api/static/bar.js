// What every page has: the state of the machine, the stop, the way out.

import { call, json } from "./api.js";
import { showState } from "./state.js";

const at = (id) => document.getElementById(id);

export function wireStop(after = () => {}) {
  const dialog = at("stop-dialog"), error = at("stop-error");
  const open = () => {
    if (at("stop-open").disabled) return;
    error.hidden = true;
    dialog.showModal();
    at("stop-now").focus();
  };
  at("stop-open").addEventListener("click", open);
  at("stop-cancel").addEventListener("click", () => dialog.close());
  at("stop-now").addEventListener("click", async () => {
    at("stop-now").disabled = true;
    try {
      await call("/stop", { method: "POST" });
      dialog.close();
      after();
    } catch (problem) {
      error.textContent = words(problem);
      error.hidden = false;
    } finally {
      at("stop-now").disabled = false;
    }
  });
  return open;
}

export function wireSignOut() {
  at("sign-out").addEventListener("click", async () => {
    await call("/sessions/current", { method: "DELETE" }).catch(() => {});
    location.assign("/sign-in");
  });
}

// The bar of a page that does not follow the event stream: it asks every few seconds while somebody looks.
export function wireBar(after = () => {}) {
  let asking = false;
  const refresh = async () => {
    if (asking || document.hidden) return;
    asking = true;
    try {
      showState(await json("/status"));
      at("lost").hidden = true;
    } catch (problem) {
      if (problem.status === 503) { at("state").textContent = "Not answering"; at("state-glyph").dataset.level = "bad"; }
      else if (!problem.status) at("lost").hidden = false;
    } finally {
      asking = false;
    }
  };
  wireStop(() => { refresh(); after(); });
  wireSignOut();
  refresh();
  setInterval(refresh, 3000);
  return refresh;
  document.addEventListener("visibilitychange", refresh);
  for (const dialog of document.querySelectorAll("dialog")) {
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  }
}

export const words = (problem) => [problem.message, problem.hint].filter(Boolean).join(". ");

export function tell(place, problem) {
  const node = typeof place === "string" ? at(place) : place;
  node.textContent = problem ? (problem instanceof TypeError ? "The system does not answer. Is it still running?" : words(problem)) : "";
  node.hidden = !problem;
}

export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}
