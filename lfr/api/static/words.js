// What states, steps and roles are called on the pages.

export const STATE_WORDS = {
  draft: "Draft", submitted: "Submitted", refused: "Refused", authorised: "Authorised", ready: "Ready", live: "Live",
  paused: "Paused", stopped: "Stopped", suspended: "Suspended by oversight", ended: "Ended", closed: "Closed",
};

export const ROLE_WORDS = {
  "authorising-officer": "Authorising Officer", "watchlist-owner": "Watchlist owner", operator: "LFR Operator",
  "engagement-officer": "Engagement Officer", engineer: "System engineer", auditor: "Auditor",
  "data-protection-officer": "Data protection officer",
};

// What a step is called, what it asks for, and the words it asks with.
export const STEPS = {
  submit: { word: "Submit for authority", text: "The plan goes to the Authorising Officer. It cannot be changed while it is with them." },
  withdraw: { word: "Take back", text: "The plan becomes a draft again." },
  authorise: { word: "Authorise", primary: true, asks: ["urgent", "password"], text: "You sign this plan: its purpose, place, window, cameras, zones and categories. It can be shown later that it was you, and to what." },
  refuse: { word: "Refuse", asks: ["reason", "password"], text: "The plan goes back to its authors with your reason." },
  "approve-list": { word: "Approve the list", primary: true, asks: ["password"], text: "You sign exactly this list, by its digest. Later additions need your signature, too; removals do not." },
  "go-live": { word: "Go live", primary: true, text: "Recognition begins on every planned camera. It ends by itself at the end of the window." },
  pause: { word: "Pause", text: "Recognition pauses until somebody resumes it. The list stays in memory." },
  resume: { word: "Resume", primary: true, text: "Mandate and bundle are verified again, then recognition goes on." },
  stop: { word: "Stop", stop: true, text: "Every camera stops at once and the watchlist leaves memory. Only the Authorising Officer's signed decision starts it again." },
  restart: { word: "Allow a restart", primary: true, asks: ["reason", "password"], text: "You sign that recognition may start again after this stop, and why." },
  "amend-list": { word: "Approve additions", asks: ["password"], text: "You sign what was added since you approved the list. Until then nobody added is compared; the threshold does not move." },
  extend: { word: "Extend", asks: ["ends_at", "reason", "password"], text: "A later end is a new decision of yours. The window can never be longer than the policy allows." },
  end: { word: "End", asks: ["code"], text: "The deployment is over for good. Recognition ends, and everything is shredded as the policy says." },
  close: { word: "Close and shred", text: "Everything that is not held as evidence is destroyed, and a receipt names each thing that was." },
  review: { word: "File the review", asks: ["reason"], reason: "Reference of the review", text: "The review after the deployment (A11). The next authority waits for it." },
  record: { word: "Record published", asks: ["reason"], reason: "Where the record is published", text: "The public record of this deployment (J2). The next authority waits for it." },
};

const date = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export function windowText(start, end) {
  if (!start || !end) return "No window yet";
  const [a, b] = [new Date(start), new Date(end)];
  const same = a.toDateString() === b.toDateString();
  return `${date.format(a)}, ${clock.format(a)} to ${same ? "" : `${date.format(b)}, `}${clock.format(b)}`;
}

export const moment = (iso) => (iso ? `${date.format(new Date(iso))}, ${clock.format(new Date(iso))}` : "–");

// datetime-local speaks local time without a zone; the API speaks UTC.
export const toLocal = (iso) => {
  if (!iso) return "";
  const then = new Date(iso);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
export const fromLocal = (text) => (text ? new Date(text).toISOString().replace(/\.\d+Z$/, "Z") : null);

// Which part of the plan a rule belongs to.
const PARTS = { A2: "why", A5: "why", A6: "why", B1: "why", A3: "when", A7: "where", C1: "cameras", C2: "cameras", C5: "cameras", A8: "documents", A9: "people", C4: "signs" };
export const partOf = (rule) => PARTS[rule] ?? (/^B/.test(rule) ? "watchlist" : "decisions");
