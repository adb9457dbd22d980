// The list of alerts, newest first: two pictures of the same size, then plain numbers.

import { json } from "./api.js";
import { age, plural, score, time } from "./format.js";

const KEPT = 100;
const NEW_FOR_MS = 30_000;

export class Alerts {
  constructor({ cameraTitle }) {
    this.cameraTitle = cameraTitle;
    this.list = document.getElementById("alert-list");
    this.template = document.getElementById("alert-template");
    this.announce = document.getElementById("announce");
    this.known = new Set();
    this.arriving = [];
    setInterval(() => this.tick(), 1000);
    this.list.addEventListener("focusin", (event) => event.target.closest(".alert")?.classList.remove("is-new"));
  }

  load(alerts, more) {
    for (const alert of [...alerts].reverse()) this.insert(alert);
    this.more = more;
    this.count();
  }

  // An alert that the stream told of. Several at once are told in one sentence.
  async arrived(id) {
    if (this.known.has(id)) return;
    this.known.add(id);
    try {
      const alert = await json(`/alerts/${id}`);
      const node = this.insert(alert);
      node.classList.add("is-new", "is-arriving");
      setTimeout(() => node.classList.remove("is-new"), NEW_FOR_MS);
      this.arriving.push(alert);
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.tell(), 400);
    } catch (problem) {
      if (problem.status === 404) return; // another deployment's, in the same database
      this.known.delete(id);
      setTimeout(() => this.arrived(id), 2000);
    }
    this.count();
  }

  tell() {
    const [first] = this.arriving;
    this.announce.textContent = this.arriving.length === 1
      ? `New alert, camera ${this.cameraTitle(first.camera)}, ${time(first.raised_at)}. Score ${score(first.score)}, threshold ${score(first.threshold)}.`
      : `${plural(this.arriving.length, "new alert")}.`;
    this.arriving = [];
  }

  insert(alert) {
    const item = this.template.content.firstElementChild.cloneNode(true);
    const node = item.querySelector(".alert");
    const part = (name) => node.querySelector(`.a-${name}`);
    part("camera").textContent = this.cameraTitle(alert.camera);
    part("time").textContent = time(alert.raised_at);
    part("time").dateTime = alert.raised_at;
    part("label").textContent = alert.label ?? "entry taken off the list";
    part("score").textContent = score(alert.score);
    part("threshold").textContent = score(alert.threshold);
    part("gap").textContent = score(alert.gap);
    part("shots").textContent = alert.shots;
    part("transit").textContent = alert.transit;
    this.picture(part("probe"), `/api/v1/alerts/${alert.id}/probe`);
    this.picture(part("listed"), `/api/v1/watchlist/${alert.entry_id}/picture`);
    const scene = node.querySelector(".scene");
    scene.addEventListener("toggle", () => {
      if (scene.open && !part("scene").src) this.picture(part("scene"), `/api/v1/alerts/${alert.id}/scene`);
    });
    node.dataset.seq = alert.seq;
    node.setAttribute("aria-label", `Alert, camera ${this.cameraTitle(alert.camera)}, ${time(alert.raised_at)}`);

    const after = [...this.list.children].find((other) => Number(other.firstElementChild.dataset.seq) < alert.seq);
    this.list.insertBefore(item, after ?? null);
    this.known.add(alert.id);
    if (this.list.children.length > KEPT && !this.list.lastElementChild.contains(document.activeElement)) {
      this.list.lastElementChild.remove();
      this.more = true;
    }
    return node;
  }

  picture(image, url) {
    image.addEventListener("error", () => image.parentElement.classList.add("is-missing"));
    image.src = url;
  }

  count() {
    const shown = this.list.children.length;
    document.getElementById("alerts-empty").hidden = shown > 0;
    document.getElementById("alerts-count").textContent = shown ? `${plural(shown, "alert")}${this.more ? " shown" : ""}, newest first` : "";
    const older = document.getElementById("alerts-older");
    older.hidden = !this.more;
    older.textContent = "Older alerts are not shown here. The API has them all, under /api/v1/alerts.";
  }

  tick() {
    for (const node of this.list.querySelectorAll(".alert")) {
      const stamp = node.querySelector(".a-time").dateTime;
      node.querySelector(".a-age").textContent = age(stamp);
    }
  }

  // The neighbour of the alert that has the focus; the first one when none has.
  step(by) {
    const nodes = [...this.list.querySelectorAll(".alert")];
    if (!nodes.length) return;
    const here = nodes.indexOf(document.activeElement?.closest?.(".alert"));
    const next = here < 0 ? nodes[0] : nodes[Math.min(nodes.length - 1, Math.max(0, here + by))];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  toggleScene() {
    const scene = document.activeElement?.closest?.(".alert")?.querySelector(".scene");
    if (scene) scene.open = !scene.open;
  }
}
