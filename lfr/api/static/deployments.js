// The list of deployments, and the start of a new plan.

import { json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { STATE_WORDS, windowText } from "./words.js";

const at = (id) => document.getElementById(id);
wireBar(load);

async function load() {
  try {
    const { deployments } = await json("/deployments");
    at("empty").hidden = deployments.length > 0;
    at("list").replaceChildren(...deployments.map(card));
    tell("error");
  } catch (problem) {
    tell("error", problem);
  }
}

function card(one) {
  const node = at("card").content.firstElementChild.cloneNode(true);
  const part = (name) => node.querySelector(`.r-${name}`);
  node.querySelector("a").href = `/deployments/${one.id}`;
  part("title").textContent = one.title || "Untitled";
  part("where").textContent = one.place || "No place yet";
  part("when").textContent = windowText(one.starts_at, one.ends_at);
  part("state").textContent = STATE_WORDS[one.state] ?? one.state;
  part("state").dataset.state = one.state;
  return node;
}

at("new").addEventListener("click", async () => {
  try {
    const policy = await json("/policy");
    at("new-form").elements.use_case.replaceChildren(...policy.use_cases.map((one) => element("option", { value: one.code, textContent: one.title })));
    tell("new-error");
    at("new-dialog").showModal();
  } catch (problem) {
    tell("error", problem);
  }
});

at("new-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  try {
    const title = form.elements.title.value.trim();
    if (!title) throw new Error("Give it a title, so that people know which one is meant");
    const made = await json("/deployments", { method: "POST", body: { title, use_case: form.elements.use_case.value } });
    location.assign(`/deployments/${made.id}`);
  } catch (problem) {
    tell("new-error", problem);
  }
});

load();
