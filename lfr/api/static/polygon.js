// Polygons drawn on a picture or plan. A corner is dragged, or focused and moved with the arrow keys; Delete removes it.
// Coordinates are 0..1 of the drawing, whatever it stands for.

const NS = "http://www.w3.org/2000/svg";
const STEP = 0.01;
const clamp = (value) => Math.min(1, Math.max(0, Math.round(value * 10_000) / 10_000));

function make(name, attributes = {}) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// Where a new corner goes: into the side it lies nearest to.
function nearestSide(points, [x, y]) {
  let best = points.length, least = Infinity;
  points.forEach(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length];
    const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1e-9;
    const t = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    const far = (ax + t * (bx - ax) - x) ** 2 + (ay + t * (by - ay) - y) ** 2;
    if (far < least) { least = far; best = i + 1; }
  });
  return best;
}

export class Polygons {
  // shapes: [{ name, kind, points }]; kind is a class of the style sheet. onChange is told after each change.
  constructor(svg, { ratio = 16 / 9, readOnly = false, onChange = () => {} } = {}) {
    Object.assign(this, { svg, ratio, readOnly, onChange });
    this.shapes = [];
    this.active = 0;
    svg.setAttribute("viewBox", `0 0 ${1000 * ratio} 1000`);
    svg.addEventListener("pointerdown", (event) => this.#press(event));
  }

  show(shapes, active = this.active) {
    this.shapes = shapes;
    this.active = Math.min(Math.max(active, 0), Math.max(shapes.length - 1, 0));
    this.draw();
  }

  draw(focus = null) {
    const nodes = [];
    // The one that is edited lies on top, so that its corners can be reached.
    const order = this.shapes.map((_, at) => at).sort((a, b) => (a === this.active) - (b === this.active));
    order.forEach((at) => {
      const shape = this.shapes[at];
      const points = shape.points.map((point) => this.#out(point).join(",")).join(" ");
      nodes.push(make("polygon", { points, class: `shape shape-${shape.kind}${at === this.active ? " is-active" : ""}` }));
    });
    const shape = this.shapes[this.active];
    if (shape && !this.readOnly) {
      shape.points.forEach((point, i) => {
        const [cx, cy] = this.#out(point);
        const corner = make("circle", { cx, cy, r: 16, class: "corner", tabindex: 0, role: "button", "aria-label": `${shape.name}, corner ${i + 1} of ${shape.points.length}, ${Math.round(point[0] * 100)} across, ${Math.round(point[1] * 100)} down. Arrow keys move it, Delete removes it.` });
        corner.dataset.corner = i;
        corner.addEventListener("keydown", (event) => this.#key(event, i));
        nodes.push(corner);
      });
    }
    this.svg.querySelectorAll(".shape, .corner").forEach((node) => node.remove());
    this.svg.append(...nodes);
    if (focus !== null) this.svg.querySelector(`[data-corner="${focus}"]`)?.focus();
  }

  #out([x, y]) { return [x * 1000 * this.ratio, y * 1000]; }

  #where(event) {
    const box = this.svg.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  #press(event) {
    const shape = this.shapes[this.active];
    if (this.readOnly || !shape || event.button) return;
    event.preventDefault();
    const corner = event.target.closest(".corner");
    let at;
    if (corner) at = Number(corner.dataset.corner);
    else {
      const point = this.#where(event);
      at = shape.points.length < 3 ? shape.points.length : nearestSide(shape.points, point);
      shape.points.splice(at, 0, point);
    }
    this.draw(at);
    const move = (moved) => { shape.points[at] = this.#where(moved); this.draw(at); };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      this.onChange();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  }

  #key(event, at) {
    const shape = this.shapes[this.active];
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key].map((d) => d * STEP * (event.shiftKey ? 5 : 1));
      shape.points[at] = [clamp(shape.points[at][0] + dx), clamp(shape.points[at][1] + dy)];
      this.draw(at);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      shape.points.splice(at, 1);
      this.draw(Math.min(at, shape.points.length - 1));
    } else return;
    event.preventDefault();
    this.onChange();
  }
}
