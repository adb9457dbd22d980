// What was made, what lives, what is held, what was destroyed.

import { call, json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { count } from "./format.js";
import { STATE_WORDS, moment } from "./words.js";

const at = (id) => document.getElementById(id);
wireBar(load);

async function load() {
  try {
    const { balances, holds } = await json("/retention");
    at("balance-none").hidden = balances.length > 0;
    at("balance").replaceChildren(...balances.map((one) => element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `/deployments/${one.deployment_id}`, textContent: one.title || "Untitled" })),
      element("td", { textContent: STATE_WORDS[one.state] ?? one.state }),
      ...["created", "living", "held", "deleted"].map((key) => element("td", { textContent: count(one[key]) })),
      element("td", { className: one.off ? "is-off" : "", textContent: one.off ? `${count(one.off)}: tell an engineer` : "0" }))));
    at("holds-none").hidden = holds.length > 0;
    at("holds").replaceChildren(...holds.map(held));
    tell("error");
  } catch (problem) {
    tell("error", problem);
  }
}

function held(one) {
  const release = element("button", { type: "button", className: "button", textContent: "Release" });
  release.addEventListener("click", async () => {
    if (!confirm("Release this hold? If the pictures' time is over they are destroyed at once.")) return;
    release.disabled = true;
    try {
      await call(`/holds/${one.id}/release`, { method: "POST" });
      await load();
    } catch (problem) {
      tell("error", problem);
      release.disabled = false;
    }
  });
  return element("li", { className: "decision" }, element("strong", { textContent: `${one.reason_title}${one.reference ? `, ${one.reference}` : ""}` }), release,
    element("span", { textContent: `Owner ${one.owner}, until ${moment(one.expires_at)}. Placed by ${one.placed_by}.` }));
}

load();
