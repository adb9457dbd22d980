// The place on a plan: metres, no map from anywhere else. Sensitive places of the policy are drawn in.

import { Polygons } from "./polygon.js";

const METRES = 111_320;
const NICE = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

export class PlacePlan {
  constructor(svg, { readOnly, onChange }) {
    this.svg = svg;
    this.polygons = new Polygons(svg, { ratio: 16 / 9, readOnly, onChange: () => { this.#read(); onChange(); } });
    this.points = [];
    this.sensitive = [];
  }

  // points: [[longitude, latitude]]; sensitive: [{ title, polygon }]
  show(points, sensitive = this.sensitive) {
    this.points = points.map((point) => [...point]);
    this.sensitive = sensitive;
    this.#frame();
    this.#grid();
    this.polygons.show([{ name: "Place", kind: "zone", points: this.points.map((point) => this.#in(point)) }]);
  }

  // The frame holds the place with as much again around it, and is at least 200 m high.
  #frame() {
    const given = this.points.length ? this.points : this.sensitive.flatMap((one) => one.polygon).slice(0, 1);
    const at = given.length ? given : [[-0.1276, 51.5072]];
    const lons = at.map(([lon]) => lon), lats = at.map(([, lat]) => lat);
    const middle = [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
    this.perLon = METRES * Math.cos((middle[1] * Math.PI) / 180);
    const high = Math.max((Math.max(...lats) - Math.min(...lats)) * METRES, ((Math.max(...lons) - Math.min(...lons)) * this.perLon * 9) / 16, 100) * 2;
    this.middle = middle;
    this.high = high;
    this.wide = (high * 16) / 9;
  }

  #in([lon, lat]) { return [0.5 + ((lon - this.middle[0]) * this.perLon) / this.wide, 0.5 - ((lat - this.middle[1]) * METRES) / this.high]; }

  #out([x, y]) {
    const round = (value) => Math.round(value * 1e6) / 1e6;
    return [round(this.middle[0] + ((x - 0.5) * this.wide) / this.perLon), round(this.middle[1] + ((0.5 - y) * this.high) / METRES)];
  }

  #read() { this.points = this.polygons.shapes[0].points.map((point) => this.#out(point)); }

  #grid() {
    const step = NICE.find((size) => this.high / size <= 8) ?? 10_000;
    const unit = 1000 / this.high, width = (1000 * 16) / 9;
    let lines = "";
    for (let x = (width / 2) % (step * unit); x < width; x += step * unit) lines += `M${x} 0V1000`;
    for (let y = 500 % (step * unit); y < 1000; y += step * unit) lines += `M0 ${y}H${width}`;
    this.svg.querySelector(".plan-grid").setAttribute("d", lines);
    this.svg.querySelector(".plan-bar").setAttribute("d", `M40 960h${step * unit}`);
    this.svg.querySelector(".plan-scale").textContent = `${step} m`;
    const places = this.svg.querySelector(".plan-sensitive");
    places.replaceChildren(...this.sensitive.map((one) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      node.setAttribute("points", one.polygon.map((point) => { const [x, y] = this.#in(point); return `${x * width},${y * 1000}`; }).join(" "));
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = one.title;
      node.append(title);
      return node;
    }));
  }
}

// Corners as text, one `latitude, longitude` a line (as maps show them), or a GeoJSON polygon.
export function parsePlace(text) {
  const trimmed = text.trim();
  if (!trimmed) return [];
  if (trimmed.startsWith("{")) return geoJson(JSON.parse(trimmed));
  return trimmed.split(/\n+/).map((line, at) => {
    const [lat, lon, more] = line.split(/[,;\s]+/).filter(Boolean).map(Number);
    if (more !== undefined || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) throw new Error(`Line ${at + 1} is no latitude, longitude`);
    return [lon, lat];
  });
}

function geoJson(value) {
  const shape = value.type === "FeatureCollection" ? value.features?.[0]?.geometry : value.type === "Feature" ? value.geometry : value;
  const ring = shape?.type === "Polygon" ? shape.coordinates?.[0] : undefined;
  if (!Array.isArray(ring) || ring.length < 4) throw new Error("This GeoJSON holds no polygon");
  return ring.slice(0, -1).map(([lon, lat]) => [lon, lat]);
}

export const placeText = (points) => points.map(([lon, lat]) => `${lat.toFixed(6)}, ${lon.toFixed(6)}`).join("\n");
