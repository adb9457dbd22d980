// Signing in; after a one-time password, choosing one's own.

import { call, json } from "./api.js";

const signIn = document.getElementById("sign-in");
const fresh = document.getElementById("new-password");
let used = "";

function tell(id, problem) {
  const place = document.getElementById(id);
  place.textContent = problem ? [problem.message, problem.hint].filter(Boolean).join(". ") : "";
  place.hidden = !problem;
}

async function submit(form, errorId, action) {
  const button = form.querySelector("button");
  tell(errorId);
  button.disabled = true;
  try {
    await action(Object.fromEntries(new FormData(form)));
  } catch (problem) {
    tell(errorId, problem instanceof TypeError ? new Error("The system does not answer. Is it still running?") : problem);
  } finally {
    button.disabled = false;
  }
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(signIn, "sign-in-error", async ({ name, password }) => {
    if (!name || !password) throw new Error("Give both user name and password");
    const session = await json("/sessions", { method: "POST", body: { name, password } });
    if (!session.must_change) return location.assign("/");
    used = password;
    fresh.elements.name.value = name; // so that a password manager files it under the right account
    signIn.hidden = true;
    fresh.hidden = false;
    fresh.elements.password.focus();
  });
});

fresh.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(fresh, "new-password-error", async ({ password, again }) => {
    if (password !== again) throw new Error("The two are not the same");
    await call("/sessions/current/password", { method: "PUT", body: { old: used, new: password } });
    location.assign("/");
  });
});
