// The watchlist of one deployment: import, a second person's look at each picture, the morning's re-check.

import { call, json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { count, plural } from "./format.js";

const at = (id) => document.getElementById(id);
const id = document.querySelector(".plan-head").dataset.id;
const path = `/deployments/${id}/watchlist`;
const PAGE = 50;
let entries = [], visible = PAGE, csvUrl = "";
wireBar(load);

async function load() {
  try {
    const [facts, list] = await Promise.all([json(`${path}/facts`), json(path)]);
    entries = list.entries;
    at("facts").replaceChildren(...Object.entries({ Entries: facts.entries, Pictures: facts.images, "Not yet confirmed": facts.unchecked, "Not re-checked": facts.stale, "Look-alikes": facts.alike, "At most": facts.most ?? "–" })
      .map(([word, value]) => element("div", {}, element("dt", { textContent: word }), element("dd", { textContent: typeof value === "number" ? count(value) : value }))));
    show();
    tell("entries-error");
  } catch (problem) {
    tell("entries-error", problem);
  }
}

function show() {
  const wanted = entries.filter((one) => !one.revoked_at && (!at("only-open").checked || one.needs.length));
  at("entries-none").hidden = wanted.length > 0;
  at("more").hidden = wanted.length <= visible;
  at("entries").replaceChildren(...wanted.slice(0, visible).map(card));
}

function card(one) {
  const node = at("entry").content.firstElementChild.cloneNode(true);
  const part = (name) => node.querySelector(`.e-${name}`);
  const image = node.querySelector("img");
  image.alt = `Picture of ${one.label}`;
  image.addEventListener("error", () => image.parentElement.classList.add("is-missing"));
  image.src = `/api/v1/watchlist/${one.id}/picture`;
  part("label").textContent = one.label;
  part("category").textContent = one.category_title;
  part("flag").hidden = !one.alike;
  part("flag").textContent = "Looks like another entry";
  part("facts").textContent = [plural(one.images, "picture"), one.action_title, one.checked_by ? `confirmed by ${one.checked_by}` : `added by ${one.added_by}`, ...one.needs].join(" · ");
  part("confirm").hidden = Boolean(one.checked_by) || !one.may_confirm;
  part("confirm").addEventListener("click", () => act(node, () => call(`${path}/${one.id}/confirm`, { method: "POST" })));
  part("revoke").addEventListener("click", () => { if (confirm(`Take ${one.label} off the list? This applies at once.`)) act(node, () => call(`/watchlist/${one.id}`, { method: "DELETE" })); });
  return node;
}

async function act(node, what) {
  for (const button of node.querySelectorAll("button")) button.disabled = true;
  try {
    await what();
    await load();
  } catch (problem) {
    tell("entries-error", problem);
    for (const button of node.querySelectorAll("button")) button.disabled = false;
  }
}

at("only-open").addEventListener("change", () => { visible = PAGE; show(); });
at("more").addEventListener("click", () => { visible += PAGE; show(); });

// Import: sent whole, then followed row by row

at("import").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget, file = form.elements.file.files[0], button = form.querySelector("button");
  tell("import-error");
  at("report").hidden = true;
  if (!file) return tell("import-error", new Error("Choose a file first"));
  button.disabled = true;
  const bar = at("import-progress");
  bar.hidden = false;
  bar.removeAttribute("value");
  at("import-told").textContent = "Sending…";
  try {
    const body = new FormData();
    body.append("dry_run", form.elements.dry_run.checked ? "yes" : "no");
    body.append("file", file, file.name);
    let run = await json(`${path}/imports`, { method: "POST", body });
    while (run.state === "running") {
      bar.max = Math.max(run.total, 1);
      bar.value = run.done;
      at("import-told").textContent = `${count(run.done)} of ${count(run.total)}`;
      await new Promise((resolve) => setTimeout(resolve, 500));
      run = await json(`${path}/imports/${run.id}`);
    }
    if (run.state === "failed") throw Object.assign(new Error(run.problem), { hint: run.hint });
    at("import-told").textContent = "";
    report(run);
    await load();
  } catch (problem) {
    at("import-told").textContent = "";
    tell("import-error", problem);
  } finally {
    bar.hidden = true;
    button.disabled = false;
  }
});

function report(run) {
  const enrolled = run.rows.filter((row) => row.enrolled).length;
  at("report-sum").textContent = `${count(enrolled)} ${run.dry_run ? "would be enrolled" : "enrolled"}, ${count(run.rows.length - enrolled)} refused${run.dry_run ? ". Nothing was written." : "."}`;
  const first = [...run.rows].sort((a, b) => a.enrolled - b.enrolled).slice(0, 500);
  at("report-rows").replaceChildren(...first.map((row) => element("tr", {},
    element("th", { scope: "row", textContent: row.entry }), element("td", { textContent: row.source }),
    element("td", { textContent: row.enrolled ? "enrolled" : `refused: ${row.refusal}${row.detail ? ` (${row.detail})` : ""}` }))));
  const safe = (text) => `"${String(text ?? "").replace(/^([=+\-@\t])/, "'$1").replaceAll('"', '""')}"`;
  const lines = run.rows.map((row) => [row.entry, row.source, row.enrolled ? "enrolled" : "refused", row.refusal, row.detail].map(safe).join(","));
  URL.revokeObjectURL(csvUrl);
  csvUrl = URL.createObjectURL(new Blob([["label,image,result,reason,detail", ...lines].join("\r\n")], { type: "text/csv" }));
  at("report-csv").href = csvUrl;
  at("report").hidden = false;
}

at("recheck").addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = event.currentTarget.elements.file.files[0];
  if (!file) return tell("recheck-error", new Error("Choose a file first"));
  try {
    const body = new FormData();
    body.append("file", file, file.name);
    const told = await json(`${path}/recheck`, { method: "POST", body });
    at("recheck-told").textContent = `${count(told.current)} still current, ${count(told.withdrawn)} taken off, ${count(told.unknown)} not on this list, ${count(told.unnamed)} not named.`;
    tell("recheck-error");
    await load();
  } catch (problem) {
    tell("recheck-error", problem);
  }
});

load();
