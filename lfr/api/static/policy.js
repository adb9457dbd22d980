// The policy in force, as people read it.

import { json } from "./api.js";
import { element, tell, wireBar } from "./bar.js";
import { count } from "./format.js";
import { ROLE_WORDS } from "./words.js";

const at = (id) => document.getElementById(id);
wireBar();

const list = (rows) => element("ul", { className: "bullets" }, ...rows.map((row) => element("li", {}, ...[row].flat())));
const pairs = (rows) => element("dl", { className: "pairs-list" }, ...rows.map(([word, value]) => element("div", {}, element("dt", { textContent: word }), element("dd", { textContent: value }))));
const part = (title, ...nodes) => element("section", { className: "card part" }, element("h2", { textContent: title }), ...nodes);
const named = (one) => [element("b", { textContent: one.title }), " ", element("code", { textContent: one.code })];
const codes = (all, title) => all.map((code) => title.get(code) ?? code).join(", ");
const span = (value, unit) => (value === 0 ? "not kept" : `${value} ${unit}${value === 1 ? "" : "s"}`);

function show(policy) {
  at("title").textContent = policy.title;
  at("version").textContent = `${policy.name}, version ${policy.version}`;
  at("digest").textContent = policy.digest.slice(0, 32);
  at("digest").title = `SHA-256 of the policy: ${policy.digest}`;
  const { authority, watchlist, retention, ages, signs } = policy;
  const actions = new Map(policy.actions.map((one) => [one.code, one.title]));
  at("sections").replaceChildren(
    part("Authority", pairs([
      ["Authorised by", `${authority.min_rank} or above`],
      ["Urgent authority", authority.urgent_rank ? `${authority.urgent_rank}; it lapses after ${authority.urgent_confirm_hours} h unless it is confirmed` : "does not exist"],
      ["Longest window", `${authority.max_window_hours} h`],
    ])),
    part("Use cases", list(policy.use_cases.map((one) => [...named(one), one.high_risk ? " – high risk, needs an outside approval" : ""]))),
    part("Who may be listed", list(policy.categories.map((one) => [...named(one), one.disabled ? " – switched off" : "", element("small", { textContent: `Legal basis: ${one.legal_bases.join("; ")}. Action: ${codes(one.actions, actions)}.` })]))),
    part("Children", pairs([["Under 18", ages.minors ? `each needs the signature of a ${ages.minor_rank}` : "not listed"], ["Under 13", ages.minors ? `each needs the signature of a ${ages.young_child_rank} and an outside approval` : "not listed"], ["Unknown age", ages.unknown_is_minor ? "treated as under 18" : "treated as adult"]])),
    part("The watchlist", pairs([["At most", `${count(watchlist.cap)} people`], ["Not older than", `${watchlist.max_age_hours} h at the start`], ["Seriousness", `offences of ${watchlist.min_max_sentence_years} year or more`], ["False alerts", `budget of one in ${count(Math.round(1 / watchlist.target_fpir))} people who pass`], ["Second person", watchlist.second_check ? "confirms each picture" : "not asked"]])),
    part("Where pictures may come from", list(policy.sources.map((one) => [...named(one), element("small", { textContent: `Held as: ${one.lawful_holds.join(", ")}` })]))),
    part("How long anything is kept", pairs([
      ["Faces of people who are not listed", `at most ${retention.nonmatch_seconds} s, in memory only`],
      ["Alerts that were not acted on", retention.alert_unactioned_seconds === 0 ? "deleted at once" : span(retention.alert_unactioned_seconds / 3600, "hour")],
      ["Other alerts", span(retention.alert_hours, "hour")],
      ["The watchlist, after the end", retention.watchlist_hours === 0 ? "destroyed when the deployment is closed" : span(retention.watchlist_hours, "hour")],
      ["Camera footage", retention.footage_days === 0 ? "not recorded" : span(retention.footage_days, "day")],
      ["Who was listed, without any picture", span(retention.ledger_months, "month")],
      ["The log, without names or faces", span(retention.log_years, "year")],
    ])),
    part("Reasons to keep an alert longer", list(policy.holds.map((one) => [...named(one), ` – at most ${one.max_days} days${one.needs_reference ? ", with a reference" : ""}`]))),
    part("Documents that must be current", policy.documents.length ? list(policy.documents.map(named)) : element("p", { className: "empty-text", textContent: "None." })),
    part("Signs and notices", signs.items.length ? element("p", { textContent: `${signs.items.join(", ")}: photographed before the start, looked at again every ${signs.recheck_minutes} minutes.` }) : element("p", { className: "empty-text", textContent: "None." })),
    part("Roles that one person may not hold together", policy.conflicts.length ? list(policy.conflicts.map(([a, b]) => `${ROLE_WORDS[a]} and ${ROLE_WORDS[b]}`)) : element("p", { className: "empty-text", textContent: "None: this policy is not for operational use." })),
  );
}

json("/policy").then(show, (problem) => tell("error", problem));
