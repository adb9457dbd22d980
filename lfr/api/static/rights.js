// The data protection officer's look into the ledger, and the reply that is chosen.

import { json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { moment } from "./words.js";

const at = (id) => document.getElementById(id);
let request = null;
wireBar();

at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.currentTarget.elements;
  at("found").hidden = true;
  try {
    request = await json("/rights", { method: "POST", body: { reference: fields.reference.value.trim(), password: fields.password.value } });
    tell("error");
    at("found-title").textContent = request.memberships.length ? "This reference was listed" : "This reference was not listed in the time the ledger covers";
    at("memberships").replaceChildren(...request.memberships.map((one) => element("li", { className: "decision" },
      element("strong", { textContent: one.category }), element("span", { textContent: `Listed ${moment(one.listed_at)}` }), element("span", { textContent: one.taken_off_at ? `Taken off ${moment(one.taken_off_at)}` : "Still listed" }), element("span", { textContent: [one.legal_basis, one.reason].filter(Boolean).join(". ") }))));
    at("replied").textContent = "";
    at("letter").hidden = true;
    at("reply").reset();
    at("found").hidden = false;
  } catch (problem) {
    tell("error", problem);
  } finally {
    fields.password.value = "";
  }
});

at("reply").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.currentTarget.elements;
  try {
    if (!fields.reply.value) throw new Error("Choose a reply");
    const answer = await json(`/rights/${request.id}/reply`, { method: "POST", body: { reply: fields.reply.value, reason: fields.reason.value.trim() } });
    tell("reply-error");
    at("replied").textContent = "Recorded. The words for the letter:";
    at("letter").textContent = answer.letter;
    at("letter").hidden = false;
  } catch (problem) {
    tell("reply-error", problem);
  }
});
