// The event stream. It always knows the last number it saw, so that a gap is filled, never skipped.

const SILENCE_MS = 12_000; // the server sends a heartbeat every 5 s

export class Stream {
  constructor({ after, kinds, onEvent, onUp, onDown }) {
    Object.assign(this, { after, kinds, onEvent, onUp, onDown });
    this.attempt = 0;
    this.open();
    this.watch = setInterval(() => {
      if (this.source && Date.now() - this.heardAt > SILENCE_MS) this.again();
    }, 1000);
    addEventListener("online", () => this.now());
    addEventListener("offline", () => this.again());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
  }

  open() {
    this.heardAt = Date.now();
    const source = new EventSource(`/api/v1/events?after=${this.after}`);
    this.source = source;
    const heard = () => { this.heardAt = Date.now(); };
    source.addEventListener("open", () => { heard(); this.attempt = 0; this.onUp(); });
    source.addEventListener("heartbeat", heard);
    source.addEventListener("error", () => { if (this.source === source) this.again(); });
    for (const kind of this.kinds) {
      source.addEventListener(kind, (message) => {
        heard();
        const seq = Number(message.lastEventId);
        if (seq <= this.after) return;
        this.after = seq;
        this.onEvent(kind, JSON.parse(message.data));
      });
    }
  }

  again() {
    this.source?.close();
    this.source = null;
    this.onDown();
    // 0.5 s, 1 s, 2 s, 4 s, then every 5 s, each with some jitter so that many screens do not come back at once.
    const wait = Math.min(5000, 500 * 2 ** this.attempt++) * (0.75 + Math.random() / 2);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), wait);
  }

  now() {
    if (this.source) return;
    clearTimeout(this.timer);
    this.open();
  }
}
