// What is known of the devices, apart from how it is shown.

/** How many points of each curve are kept. */
export const POINTS = 60;

/** All devices, as the updates tell. */
export class Fleet {
  constructor() {
    this.devices = new Map();
    this.summary = {};
  }

  /** Takes an update; returns the ids of the devices that have changed, those that are gone among them. */
  apply(update) {
    const changed = new Set(update.forgotten ?? []);
    for (const id of changed) this.devices.delete(id);
    for (const status of update.devices ?? []) {
      const device = known(status, this.devices.get(status.peerId));
      this.devices.set(device.id, device);
      changed.add(device.id);
    }
    this.summary = numbers(update.summary ?? {});
    return changed;
  }

  /** The names of all that is measured. */
  metrics() {
    const names = new Set();
    for (const device of this.devices.values()) for (const name of device.curves.keys()) names.add(name);
    return [...names].sort();
  }

  /** The devices to show, in order. */
  select({ text = "", state = "all", sort = "name", descending = false } = {}) {
    const wanted = text.trim().toLowerCase();
    const chosen = [...this.devices.values()].filter(
      (device) =>
        (state === "all" || stateOf(device) === state || (state === "online" && device.online)) &&
        (device.name.toLowerCase().includes(wanted) || device.id.toLowerCase().includes(wanted)),
    );
    const key = sort === "state" ? stateOf : (device) => device[sort];
    const sign = descending ? -1 : 1;
    const names = new Intl.Collator("en", { numeric: true });
    return chosen.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = typeof x === "number" ? x - y : names.compare(x, y);
      return sign * order || names.compare(a.name, b.name) || names.compare(a.id, b.id);
    });
  }
}

/** `online`, `held` (up by the store) or `offline`. */
export function stateOf(device) {
  if (!device.online) return "offline";
  return device.heldUp ? "held" : "online";
}

// JSON has 64-bit numbers as text, and leaves out what is zero.
function numbers(message) {
  const { online, devices, stored, dropped, waiting, rate, heldUp, storeTime } = message;
  const all = { online, devices, stored, dropped, waiting, rate, heldUp };
  const read = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Number(value ?? 0)]));
  return { ...read, storeTime: milliseconds(storeTime) };
}

function known(status, before) {
  const curves = before?.curves ?? new Map();
  const latest = status.latest ?? [];
  for (const { metric, time, value } of latest) {
    const points = curves.get(metric) ?? [];
    if (points.at(-1)?.time !== time) points.push({ time, value: Number(value ?? 0) });
    if (points.length > POINTS) points.shift();
    curves.set(metric, points);
  }
  for (const name of curves.keys()) if (!latest.some(({ metric }) => metric === name)) curves.delete(name);
  return {
    ...numbers(status),
    id: status.peerId,
    name: status.name || status.peerId.slice(-8),
    online: Boolean(status.online),
    heldUp: Boolean(status.heldUp),
    lastSeen: status.lastSeen,
    latest: latest.map(({ metric, value }) => ({ metric, value: Number(value ?? 0) })),
    interval: milliseconds(status.configuration?.interval),
    paused: Boolean(status.configuration?.paused),
    curves,
  };
}

/** The milliseconds of a duration in JSON, such as `0.5s`; null if there is none. */
export function milliseconds(duration) {
  return duration ? Math.round(Number.parseFloat(duration) * 1e6) / 1e3 : null;
}

/** A duration in JSON of so many milliseconds. */
export function duration(milliseconds) {
  return `${milliseconds / 1_000}s`;
}

/** How long `milliseconds` are, for people. */
export function durationText(milliseconds) {
  if (milliseconds === null) return "–";
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  return `${Math.round(milliseconds / 100) / 10} s`;
}

/** Values as the `d` of an SVG path in a box of that size. */
export function curve(points, width, height) {
  if (points.length < 2) return "";
  const values = points.map(({ value }) => value);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return values
    .map((value, index) => {
      const x = (index / (values.length - 1)) * width;
      const y = range ? height - 1 - ((value - low) / range) * (height - 2) : height / 2;
      return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}
