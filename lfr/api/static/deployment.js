// One deployment: a plan that fills up, what is still missing, and what can be done now.

import { json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { PlacePlan, parsePlace, placeText } from "./place.js";
import { ROLE_WORDS, STATE_WORDS, STEPS, fromLocal, moment, partOf, toLocal, windowText } from "./words.js";
import { Zones } from "./zones.js";

const at = (id) => document.getElementById(id);
const id = document.querySelector(".plan-head").dataset.id;
const path = `/deployments/${id}`;
const REASONS = ["objective", "legal_basis", "necessity", "proportionality", "less_intrusive", "expected_presence"];
const EDITABLE = ["draft", "refused"];

let shown, policy;
const place = new PlacePlan(at("place"), { readOnly: false, onChange: () => { at("part-where").elements.corners.value = placeText(place.points); } });
const zones = new Zones({ save: (cameras) => save({ cameras }) });
const refreshBar = wireBar(load);

async function load() {
  try {
    policy ??= await json("/policy");
    shown = await json(path);
    show();
    await Promise.all([missing(), facts()]);
    tell("error");
  } catch (problem) {
    tell("error", problem);
  }
}

function show() {
  const { plan, state } = shown;
  document.title = document.title.replace(/^.*?(?= ·)/, plan.title || "Deployment");
  at("title").textContent = plan.title || "Untitled deployment";
  at("state-chip").textContent = STATE_WORDS[state] ?? state;
  at("state-chip").dataset.state = state;
  at("window").textContent = windowText(shown.starts_at ?? plan.starts_at, shown.ends_at ?? plan.ends_at);
  at("list-size").textContent = shown.entries === null ? "" : `${shown.entries} listed`;
  const why = shown.state_reason === "asked" ? "" : shown.state_reason;
  at("state-note").hidden = !why;
  at("state-note").textContent = why ? `Reason: ${why.replaceAll("-", " ")}` : "";
  const readOnly = !EDITABLE.includes(state);
  place.polygons.readOnly = readOnly;
  fill(plan, readOnly);
  actions();
  decisions();
  zones.show(plan.cameras, readOnly);
}

function fill(plan, readOnly) {
  const why = at("part-why").elements;
  why.title.value = plan.title;
  options(why.use_case, policy.use_cases, plan.use_case);
  choices(at("categories"), policy.categories.filter((one) => !one.disabled), plan.categories, "category");
  for (const code of REASONS) why[code].value = plan.reasons[code];
  const where = at("part-where").elements;
  where.place_title.value = plan.place.title;
  where.corners.value = placeText(plan.place.polygon);
  place.show(plan.place.polygon, policy.sensitive.places);
  at("part-when").elements.starts_at.value = toLocal(plan.starts_at);
  at("part-when").elements.ends_at.value = toLocal(plan.ends_at);
  at("hint-window").textContent = `At most ${policy.authority.max_window_hours} hours. Your clock's time zone: ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`;
  people(plan.people);
  documents(plan.documents);
  for (const field of at("plan").querySelectorAll("form input, form textarea, form select, form button")) field.disabled = readOnly;
}

function options(select, list, value) {
  select.replaceChildren(...list.map((one) => element("option", { value: one.code, textContent: one.title, selected: one.code === value })));
}

function choices(place, list, chosen, name) {
  place.replaceChildren(...list.map((one) => element("label", { className: "check" },
    element("input", { type: "checkbox", name, value: one.code ?? one.id, checked: chosen.includes(one.code ?? one.id) }),
    element("span", { textContent: one.title }))));
}

function people(given) {
  at("people").replaceChildren(...Object.entries(ROLE_WORDS).map(([role, word]) => element("label", { className: "field" },
    element("span", { className: "field-name", textContent: word }),
    element("input", { name: role, value: (given[role] ?? []).join(", "), placeholder: "user names, with commas", autocapitalize: "none", spellcheck: false }))));
}

async function documents(chosen) {
  const { documents: known } = await json("/documents");
  const list = known.map((one) => ({ id: one.id, title: `${one.code.toUpperCase()}: ${one.title}, ${one.version}, until ${moment(one.expires_at).split(",")[1]}` }));
  choices(at("documents"), list, chosen, "document");
  if (!list.length) at("documents").replaceChildren(element("p", { className: "empty-text", textContent: policy.documents.length ? "None is registered yet: lfr document add" : "This policy asks for none." }));
  for (const box of at("documents").querySelectorAll("input")) box.disabled = !EDITABLE.includes(shown.state);
}

function decisions() {
  at("decisions-none").hidden = shown.decisions.length > 0;
  at("decisions").replaceChildren(...shown.decisions.map((one) => element("li", { className: "decision" },
    element("strong", { textContent: one.title }), element("span", { textContent: `${one.officer}, ${moment(one.at)}` }),
    element("code", { textContent: one.digest.slice(0, 16), title: `SHA-256 of what was signed: ${one.digest}` }))));
}

// What is missing for the step that comes next

async function missing() {
  const { wanted, gates } = await json(`${path}/gates`);
  const list = gates.flatMap((gate) => gate.missing);
  const ticked = gates.filter((gate) => !gate.missing.some((one) => one.blocks)).length;
  at("missing-done").max = Math.max(gates.length, 1);
  at("missing-done").value = ticked;
  at("missing-done-text").textContent = wanted ? `${ticked} of ${gates.length} in place` : "";
  at("missing-done").hidden = !wanted;
  at("gates-all").replaceChildren(...gates.map((gate) => element("li", { className: "gate" }, Object.assign(element("span", { className: "tick" }), { ariaHidden: "true" }), element("span", { textContent: gate.title }))));
  gates.forEach((gate, i) => { at("gates-all").children[i].firstChild.dataset.state = gate.missing.some((one) => one.blocks) ? "open" : "done"; });
  at("gates-more").hidden = !wanted;
  const FOR = { submit: "before it can be submitted", authorise: "before it can be authorised", "approve-list": "before the list can be approved", "go-live": "before it can go live", continue: "to go on" };
  const open = list.filter((one) => one.blocks);
  const stopped = shown.state === "stopped";
  at("missing-for").textContent = stopped ? "The Authorising Officer's signed decision that it may start again." : wanted ? `${open.length} ${open.length === 1 ? "thing" : "things"} ${FOR[wanted] ?? ""}` : "";
  at("missing-none").hidden = !wanted || stopped || list.length > 0;
  at("missing").replaceChildren(...list.map((one) => element("li", { className: one.blocks ? "gap" : "gap gap-soft" },
    element("a", { href: `#part-${partOf(one.rule)}` }, element("span", { className: "rule", textContent: one.rule }), document.createTextNode(` ${one.what}`)),
    element("small", { textContent: `${one.blocks ? "" : "Only a warning. "}${ROLE_WORDS[one.who] ?? one.who}` }))));
  const open_parts = new Set(open.map((one) => partOf(one.rule)));
  for (const tick of document.querySelectorAll("[data-tick]")) tick.dataset.state = open_parts.has(tick.dataset.tick) ? "open" : "done";
}

async function facts() {
  const [list, signs] = await Promise.all([json(`${path}/watchlist/facts`), json(`${path}/signs`)]);
  at("watchlist-facts").replaceChildren(...Object.entries({ Entries: list.entries, Pictures: list.images, "Not yet confirmed": list.unchecked, "Not re-checked": list.stale, "Look-alikes": list.alike })
    .map(([word, value]) => element("div", {}, element("dt", { textContent: word }), element("dd", { textContent: value }))));
  const done = signs.items.filter((one) => one.at_place).length;
  at("signs-state").textContent = signs.items.length ? `${done} of ${signs.items.length} photographed.${signs.overdue ? " A look is overdue." : ""}` : "This policy asks for none.";
}

// What can be done now

function actions() {
  const steps = shown.steps.filter((step) => STEPS[step]);
  at("actions").replaceChildren(...steps.map((step) => element("button", {
    type: "button", textContent: STEPS[step].word, onclick: () => ask(step),
    className: `button${STEPS[step].primary ? " button-primary" : ""}${STEPS[step].stop ? " button-stop" : ""}` })));
}

let asked = "";
function ask(step) {
  const { word, text, asks = [], reason = "Reason", stop } = STEPS[step];
  asked = step;
  at("act-title").textContent = word;
  at("act-text").textContent = text;
  at("act-reason-name").textContent = reason;
  at("act-go").textContent = word;
  at("act-go").className = `button ${stop ? "button-stop" : "button-primary"}`;
  at("act-form").reset();
  for (const field of at("act-form").querySelectorAll("[data-field]")) field.hidden = !asks.includes(field.dataset.field) || (field.dataset.field === "urgent" && !policy.authority.urgent_rank);
  if (asks.includes("ends_at")) at("act-form").elements.ends_at.value = toLocal(shown.ends_at);
  tell("act-error");
  at("act-dialog").showModal();
}

at("act-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = at("act-form").elements;
  const wants = STEPS[asked].asks ?? [];
  const body = { version: shown.version };
  if (wants.includes("reason")) body.reason = fields.reason.value.trim();
  if (wants.includes("code")) body.reason = fields.code.value;
  if (wants.includes("password")) body.password = fields.password.value;
  if (wants.includes("urgent")) body.urgent = fields.urgent.checked;
  if (wants.includes("ends_at")) body.ends_at = fromLocal(fields.ends_at.value);
  at("act-go").disabled = true;
  try {
    await json(`${path}/${asked}`, { method: "POST", body });
    at("act-dialog").close();
    at("announce").textContent = `${STEPS[asked].word}: done`;
    await Promise.all([load(), refreshBar()]);
  } catch (problem) {
    tell("act-error", problem);
    if (problem.missing?.length) await missing();
  } finally {
    fields.password.value = "";
    at("act-go").disabled = false;
  }
});

// Saving a part of the plan. What somebody else changed meanwhile is never overwritten.

async function save(change, form) {
  const plan = { ...shown.plan, ...change };
  shown = await json(`${path}/plan`, { method: "PUT", body: plan, headers: { "if-match": `"${shown.version}"` } });
  const told = form?.querySelector(".saved");
  if (told) { told.textContent = "Saved"; setTimeout(() => { told.textContent = ""; }, 4000); }
  const kept = form ? [...at("plan").querySelectorAll("form")].filter((one) => one !== form && one.dataset.dirty) : [];
  if (!kept.length) show();
  await missing();
}

const READ = {
  why: (f) => ({ title: f.title.value.trim(), use_case: f.use_case.value, categories: checked("categories"), reasons: Object.fromEntries(REASONS.map((code) => [code, f[code].value.trim()])) }),
  where: (f) => ({ place: { title: f.place_title.value.trim(), polygon: parsePlace(f.corners.value) } }),
  when: (f) => ({ starts_at: fromLocal(f.starts_at.value), ends_at: fromLocal(f.ends_at.value) }),
  people: (f) => ({ people: Object.fromEntries(Object.keys(ROLE_WORDS).map((role) => [role, f[role].value.split(/[,\s]+/).filter(Boolean)]).filter(([, names]) => names.length)) }),
  documents: () => ({ documents: checked("documents") }),
};
const checked = (place) => [...at(place).querySelectorAll("input:checked")].map((box) => box.value);

for (const form of at("plan").querySelectorAll("form")) {
  form.addEventListener("input", () => { form.dataset.dirty = "yes"; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let problem = form.querySelector(".form-error");
    if (!problem) { problem = element("p", { className: "form-error", hidden: true }); problem.setAttribute("role", "alert"); form.querySelector(".part-foot").before(problem); }
    try {
      const change = READ[form.dataset.part](form.elements);
      delete form.dataset.dirty;
      await save(change, form);
      tell(problem);
    } catch (error) {
      form.dataset.dirty = "yes";
      tell(problem, error);
    }
  });
}
at("part-where").elements.corners.addEventListener("change", (event) => {
  try { place.show(parsePlace(event.target.value)); } catch { /* told when it is saved */ }
});
addEventListener("beforeunload", (event) => { if (at("plan").querySelector("[data-dirty]")) event.preventDefault(); });

load();
setInterval(() => { if (!document.hidden && !at("plan").querySelector("[data-dirty]") && !document.querySelector("dialog[open]")) refresh(); }, 5000);

async function refresh() {
  try {
    const now = await json(path);
    if (now.version !== shown?.version) { shown = now; show(); }
    await Promise.all([missing(), facts()]);
  } catch { /* the bar tells when the connection is gone */ }
}
