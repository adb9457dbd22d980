// Camera tiles: wholly pixelated before they leave the camera. About two a second, none while nobody looks.

import { call } from "./api.js";
import { count, span } from "./format.js";

const EVERY_MS = 500;
const LEVEL = { ok: "good", opening: "wait", reconnecting: "warn", "no frames": "warn", frozen: "warn", black: "warn", ended: "wait", stopped: "wait", failed: "bad" };
const WORD = { ok: "OK", opening: "Opening", reconnecting: "Reconnecting", "no frames": "No frames", frozen: "Frozen picture", black: "Black picture", ended: "Ended", stopped: "Stopped", failed: "Failed" };

// What a good picture says of recognition, where that is not simply live or off for the whole system.
const RECOGNITION = { "outside envelope": "Outside envelope, no alerts", paused: "Paused, no alerts" };

class Tile {
  constructor(camera, template) {
    this.id = camera.id;
    this.node = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.node.querySelector(`.t-${name}`);
    this.canvas = this.part("canvas");
    this.etag = "";
    this.busy = false;
    this.seenAt = 0;
    this.part("confirm").addEventListener("click", () => this.confirm());
  }

  async confirm() {
    this.part("confirm").disabled = true;
    try {
      await call(`/cameras/${encodeURIComponent(this.id)}/confirm-view`, { method: "POST" });
      this.part("confirm").hidden = true;
    } catch (problem) {
      this.part("veil").textContent = problem.message;
    } finally {
      this.part("confirm").disabled = false;
    }
  }

  show(camera) {
    this.camera = camera;
    const title = camera.title || camera.id;
    this.part("title").textContent = title;
    this.canvas.setAttribute("aria-label", `Camera ${title}, whole picture pixelated`);
    this.part("glyph").dataset.level = LEVEL[camera.health] ?? "wait";
    this.part("health").textContent = WORD[camera.health] ?? camera.health;
    this.part("fps").textContent = camera.fps.toFixed(1);
    for (const key of ["dropped", "stale", "transits", "alerts"]) this.part(key).textContent = count(camera[key]);
    this.part("confirm").hidden = camera.recognition !== "outside envelope" || !camera.detail.endsWith("moved");
    this.veil();
  }

  veil(lost = false) {
    const { health, recognition, detail, last_frame_age_s: old } = this.camera;
    let text = "";
    if (lost) text = "Connection lost. This picture is old.";
    else if (health !== "ok") text = [WORD[health] ?? health, detail, old === null || old < 2 ? "" : `last frame ${span(old)} ago`].filter(Boolean).join(" · ");
    else if (RECOGNITION[recognition]) text = [RECOGNITION[recognition], detail.replace("outside envelope: ", "")].filter(Boolean).join(" · ");
    else if (!this.seenAt) text = "Waiting for the first picture";
    this.part("veil").textContent = text;
  }

  async refresh() {
    if (this.busy) return;
    this.busy = true;
    try {
      const response = await call(`/cameras/${encodeURIComponent(this.id)}/tile`, { headers: { accept: "image/jpeg", "if-none-match": this.etag } });
      if (response.status === 200) {
        const picture = await createImageBitmap(await response.blob());
        Object.assign(this.canvas, { width: picture.width, height: picture.height });
        this.canvas.getContext("2d").drawImage(picture, 0, 0);
        picture.close();
        this.etag = response.headers.get("etag") ?? "";
        this.seenAt = Date.now();
        this.veil();
      }
    } catch (problem) {
      // 404: no picture yet. Anything else is told by the stream and by the camera's own health.
      if (problem.status === 404) this.veil();
    } finally {
      this.busy = false;
    }
  }
}

export class Tiles {
  constructor() {
    this.list = document.getElementById("tiles");
    this.template = document.getElementById("tile-template");
    this.tiles = new Map();
    this.lost = false;
    setInterval(() => this.refresh(), EVERY_MS);
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  show(cameras) {
    document.getElementById("cameras-empty").hidden = cameras.length > 0;
    this.list.dataset.many = String(cameras.length > 2);
    for (const [id, tile] of this.tiles) {
      if (!cameras.some((camera) => camera.id === id)) { tile.node.remove(); this.tiles.delete(id); }
    }
    for (const camera of cameras) {
      if (!this.tiles.has(camera.id)) {
        const tile = new Tile(camera, this.template);
        this.tiles.set(camera.id, tile);
        this.list.append(tile.node);
      }
      this.tiles.get(camera.id).show(camera);
    }
  }

  setLost(lost) {
    this.lost = lost;
    for (const tile of this.tiles.values()) tile.veil(lost);
  }

  refresh() {
    if (document.hidden || this.lost) return;
    for (const tile of this.tiles.values()) tile.refresh();
  }

  title(id) {
    return this.tiles.get(id)?.camera.title || id;
  }
}
