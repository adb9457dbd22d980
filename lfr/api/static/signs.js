// Signs and notices, on the phone at the place: a photograph of each before the start, one tap an hour afterwards.

import { call, json } from "./api.js";
import { tell, wireBar } from "./bar.js";
import { age, span } from "./format.js";

const at = (id) => document.getElementById(id);
const id = document.querySelector(".plan-head").dataset.id;
const path = `/deployments/${id}/signs`;
let state;
wireBar(load);

async function load() {
  try {
    state = await json(path);
    show();
    tell("error");
  } catch (problem) {
    tell("error", problem);
  }
}

function show() {
  const cards = state.items.map((item) => {
    const node = at("item").content.firstElementChild.cloneNode(true);
    node.querySelector(".s-title").textContent = item.title;
    node.querySelector(".s-when").textContent = `${item.seen_at ? `${age(item.seen_at)}, ${item.seen_by}` : "not yet"}${item.seen_at && !item.at_place ? ": not at this place" : ""}`;
    node.querySelector(".tick").dataset.state = item.at_place ? "done" : "open";
    node.querySelector(".s-word").textContent = item.at_place ? "Take another" : "Take a photograph";
    node.querySelector(".s-take").classList.toggle("button-primary", !item.at_place);
    node.querySelector(".s-file").addEventListener("change", (event) => send(item.code, event.target, node));
    return node;
  });
  at("items").replaceChildren(...cards);
  due();
}

function due() {
  const all = state.items.every((item) => item.at_place);
  at("confirm").hidden = !all || !state.items.length;
  if (!state.items.length) at("due").textContent = "This deployment's policy asks for no signs.";
  else if (!all) at("due").textContent = `${state.items.filter((item) => !item.at_place).length} of ${state.items.length} still to be photographed.`;
  else if (!state.due_at) at("due").textContent = "All photographed.";
  else {
    const left = (new Date(state.due_at) - Date.now()) / 1000;
    at("due").textContent = left > 0 ? `Next look in ${span(left)}.` : `A look is due for ${span(-left)}. Recognition pauses if nobody looks.`;
    at("due").classList.toggle("is-late", left <= 0);
  }
}

// Where the phone is. Without a position the photograph is refused by the policy's rule, and the page says so.
function position() {
  return new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    navigator.geolocation.getCurrentPosition(({ coords }) => resolve(coords), () => resolve(null), { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 });
  });
}

async function send(item, input, node) {
  const file = input.files[0];
  if (!file) return;
  const bar = node.querySelector("progress");
  bar.hidden = false;
  try {
    const where = await position();
    at("position").textContent = where ? "" : "This phone gave no position: allow it for this page, and take the photograph again.";
    const form = new FormData();
    form.append("item", item);
    if (where) { form.append("latitude", where.latitude); form.append("longitude", where.longitude); }
    form.append("photo", file, "photo.jpg");
    await call(path, { method: "POST", body: form });
    at("announce").textContent = "Photograph stored";
    await load();
  } catch (problem) {
    tell("error", problem);
  } finally {
    bar.hidden = true;
    input.value = "";
  }
}

at("confirm").addEventListener("click", async () => {
  at("confirm").disabled = true;
  try {
    const where = await position();
    await call(`${path}/confirm`, { method: "POST", body: where ? { latitude: where.latitude, longitude: where.longitude } : {} });
    at("confirmed").textContent = "Recorded. Thank you.";
    await load();
  } catch (problem) {
    tell("error", problem);
  } finally {
    at("confirm").disabled = false;
  }
});

load();
setInterval(() => { if (state && !document.hidden) due(); }, 1000);
setInterval(() => { if (!document.hidden) load(); }, 30_000);
