// Zones of recognition and masks, drawn on the camera's own pixelated picture.

import { call, json } from "./api.js";
import { element, tell } from "./bar.js";
import { Polygons } from "./polygon.js";

const at = (id) => document.getElementById(id);
const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];
const copy = (points) => points.map((point) => [...point]);

export class Zones {
  constructor({ save }) {
    this.save = save;
    this.cards = new Map();
    this.planned = [];
    this.editor = new Polygons(at("zone-svg"), { onChange: () => this.#shapes() });
    at("zone-mask").addEventListener("click", () => this.#add());
    at("zone-whole").addEventListener("click", () => { this.draft.zone = copy(WHOLE); this.#draw(0); });
    at("zone-form").addEventListener("submit", (event) => { event.preventDefault(); this.#store(); });
    setInterval(() => this.#pictures(), 1000);
  }

  async show(planned, readOnly) {
    this.planned = planned;
    this.readOnly = readOnly;
    const cameras = await json("/cameras").catch(() => []);
    const known = new Map(cameras.map((camera) => [camera.id, camera.title || camera.id]));
    for (const one of planned) if (!known.has(one.camera)) known.set(one.camera, `${one.camera} (not configured here)`);
    for (const [id, card] of this.cards) if (!known.has(id)) { card.node.remove(); this.cards.delete(id); }
    for (const [id, title] of known) this.#card(id, title);
    this.#pictures();
  }

  #card(id, title) {
    if (!this.cards.has(id)) {
      const node = at("zone-card").content.firstElementChild.cloneNode(true);
      const card = { node, canvas: node.querySelector("canvas"), shapes: new Polygons(node.querySelector("svg"), { readOnly: true }) };
      node.querySelector(".z-edit").addEventListener("click", () => this.#open(id, title));
      node.querySelector(".z-used").addEventListener("change", (event) => this.#use(id, event.target));
      this.cards.set(id, card);
      at("zones").append(node);
    }
    const { node, shapes } = this.cards.get(id);
    const plan = this.planned.find((one) => one.camera === id);
    node.querySelector(".z-title").textContent = title;
    node.querySelector("canvas").setAttribute("aria-label", `Camera ${title}, pixelated, with its zone`);
    node.querySelector(".z-used").checked = Boolean(plan);
    node.querySelector(".z-used").disabled = this.readOnly;
    node.querySelector(".z-edit").disabled = this.readOnly || !plan;
    node.querySelector(".z-note").textContent = plan ? `${plan.zone.length} corners${plan.masks.length ? `, ${plan.masks.length} masked` : ""}` : "not used";
    shapes.show(plan ? [{ name: "Zone", kind: "zone", points: plan.zone }, ...plan.masks.map((points, i) => ({ name: `Mask ${i + 1}`, kind: "mask", points }))] : [], 0);
  }

  async #use(id, box) {
    const others = this.planned.filter((one) => one.camera !== id);
    try {
      await this.save(box.checked ? [...others, { camera: id, zone: copy(WHOLE), masks: [] }] : others);
      tell("error");
    } catch (problem) {
      box.checked = !box.checked;
      tell("error", problem);
    }
  }

  #open(id, title) {
    const plan = this.planned.find((one) => one.camera === id);
    this.draft = { camera: id, zone: copy(plan.zone), masks: plan.masks.map(copy) };
    at("zone-title").textContent = `Zone of ${title}`;
    tell("zone-error");
    this.#draw(0);
    at("zone-dialog").showModal();
    this.cards.get(id).etag = ""; // so that the picture comes once more, for the dialog
    this.#pictures();
  }

  #draw(active) {
    this.editor.show([{ name: "Zone", kind: "zone", points: this.draft.zone }, ...this.draft.masks.map((points, i) => ({ name: `Mask ${i + 1}`, kind: "mask", points }))], active);
    this.#shapes();
  }

  #shapes() {
    at("zone-shapes").replaceChildren(...this.editor.shapes.flatMap((shape, i) => {
      const pick = element("button", { type: "button", className: "button", textContent: `${shape.name} (${shape.points.length})`, onclick: () => this.#draw(i) });
      pick.setAttribute("aria-pressed", String(i === this.editor.active));
      if (i === 0) return [pick];
      const remove = element("button", { type: "button", className: "button button-plain", textContent: "Remove", onclick: () => { this.draft.masks.splice(i - 1, 1); this.#draw(0); } });
      remove.setAttribute("aria-label", `Remove ${shape.name}`);
      return [pick, remove];
    }));
  }

  #add() {
    const n = this.draft.masks.length;
    const x = 0.1 + 0.1 * (n % 5);
    this.draft.masks.push([[x, 0.1], [x + 0.2, 0.1], [x + 0.2, 0.35], [x, 0.35]]);
    this.#draw(n + 1);
  }

  async #store() {
    try {
      if (this.draft.zone.length < 3 || this.draft.masks.some((mask) => mask.length < 3)) throw new Error("An outline needs at least three corners");
      await this.save(this.planned.map((one) => (one.camera === this.draft.camera ? this.draft : one)));
      at("zone-dialog").close();
    } catch (problem) {
      tell("zone-error", problem);
    }
  }

  #pictures() {
    if (document.hidden) return;
    for (const [id, card] of this.cards) this.#picture(id, card);
  }

  async #picture(id, card) {
    if (card.busy) return;
    card.busy = true;
    try {
      const response = await call(`/cameras/${encodeURIComponent(id)}/tile`, { headers: { accept: "image/jpeg", "if-none-match": card.etag ?? "" } });
      if (response.status !== 200) return;
      const picture = await createImageBitmap(await response.blob());
      card.etag = response.headers.get("etag") ?? "";
      const places = [card.canvas];
      if (at("zone-dialog").open && this.draft?.camera === id) places.push(at("zone-picture"));
      for (const canvas of places) {
        Object.assign(canvas, { width: picture.width, height: picture.height });
        canvas.getContext("2d").drawImage(picture, 0, 0);
      }
      picture.close();
    } catch { /* no picture yet: the outline can be drawn all the same */ } finally {
      card.busy = false;
    }
  }
}
