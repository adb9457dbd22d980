// Single-letter keys. They can be switched off (WCAG 2.1.4) and never act while somebody types or a dialog is open.

const STORE = "lfr-keys";

export function keys(bindings) {
  const box = document.getElementById("keys-on");
  box.checked = localStorage.getItem(STORE) !== "off";
  box.addEventListener("change", () => localStorage.setItem(STORE, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === "s") return;
    if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    const action = bindings[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
