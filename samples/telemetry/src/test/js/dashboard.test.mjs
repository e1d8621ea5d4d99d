import assert from "node:assert/strict";
import test from "node:test";

const folder = process.env.DASHBOARD;
const { CallFailure, Dashboard, messages } = await import(`${folder}/client.js`);
const { Fleet, POINTS, curve, duration, durationText, milliseconds, stateOf } = await import(`${folder}/fleet.js`);

const reading = (metric, value, time = "2026-01-01T00:00:00Z") => ({ metric, value, time });

test("updates change what they name, and nothing else", () => {
  const fleet = new Fleet();
  const first = fleet.apply({
    devices: [
      { peerId: "12D3A", name: "north-2", online: true, stored: "9007199254740991", rate: 2.5 },
      { peerId: "12D3B", name: "north-10", latest: [reading("temperature", 21)] },
    ],
    summary: { devices: 2, online: 1, stored: "12", storeTime: "0.002s" },
  });
  assert.deepEqual([...first], ["12D3A", "12D3B"]);
  assert.equal(fleet.devices.get("12D3A").stored, 9007199254740991);
  assert.equal(fleet.devices.get("12D3B").stored, 0);
  assert.equal(fleet.summary.storeTime, 2);
  assert.equal(fleet.summary.heldUp, 0);

  const second = fleet.apply({ devices: [{ peerId: "12D3B", name: "north-10", online: true, heldUp: true }], forgotten: ["12D3A"] });
  assert.deepEqual([...second].sort(), ["12D3A", "12D3B"]);
  assert.deepEqual([...fleet.devices.keys()], ["12D3B"]);
  assert.equal(stateOf(fleet.devices.get("12D3B")), "held");
});

test("devices are found by name, id and state, and sorted as people count", () => {
  const fleet = new Fleet();
  fleet.apply({
    devices: [
      { peerId: "12D3A", name: "north-10", online: true, dropped: "5" },
      { peerId: "12D3B", name: "north-2", online: true, heldUp: true, dropped: "7" },
      { peerId: "12D3C", name: "south-1" },
    ],
  });
  const names = (view) => fleet.select(view).map(({ name }) => name);
  assert.deepEqual(names(), ["north-2", "north-10", "south-1"]);
  assert.deepEqual(names({ text: " NORTH " }), ["north-2", "north-10"]);
  assert.deepEqual(names({ text: "12d3c" }), ["south-1"]);
  assert.deepEqual(names({ state: "online" }), ["north-2", "north-10"]);
  assert.deepEqual(names({ state: "held" }), ["north-2"]);
  assert.deepEqual(names({ state: "offline" }), ["south-1"]);
  assert.deepEqual(names({ sort: "dropped", descending: true }), ["north-2", "north-10", "south-1"]);
});

test("curves are as long as they may be, and end with what is measured no more", () => {
  const fleet = new Fleet();
  for (let i = 0; i < POINTS + 5; i++) {
    const time = `2026-01-01T00:00:00.${i}Z`;
    const status = { peerId: "12D3A", name: "a", latest: [reading("temperature", i, time)] };
    fleet.apply({ devices: [status] });
    fleet.apply({ devices: [status] }); // the same reading once more
  }
  const points = fleet.devices.get("12D3A").curves.get("temperature");
  assert.equal(points.length, POINTS);
  assert.equal(points[0].value, 5);
  assert.deepEqual(fleet.metrics(), ["temperature"]);
  fleet.apply({ devices: [{ peerId: "12D3A", name: "a", latest: [reading("pressure", 1)] }] });
  assert.deepEqual(fleet.metrics(), ["pressure"]);
  assert.equal(curve(points.slice(0, 3), 100, 12), "M0.0 11.0L50.0 6.0L100.0 1.0");
  assert.equal(curve([{ value: 1 }], 100, 12), "");
  assert.equal(curve([{ value: 1 }, { value: 1 }], 100, 12), "M0.0 6.0L100.0 6.0");
});

test("durations are read, written and told", () => {
  assert.equal(milliseconds("0.050s"), 50);
  assert.equal(milliseconds("3600s"), 3_600_000);
  assert.equal(milliseconds(undefined), null);
  assert.equal(duration(50), "0.05s");
  assert.equal(durationText(50), "50 ms");
  assert.equal(durationText(1_500), "1.5 s");
  assert.equal(durationText(null), "–");
});

async function all(text, size) {
  const bytes = new TextEncoder().encode(text);
  const chunks = [];
  for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
  const read = [];
  for await (const message of messages(chunks, 1_000)) read.push(message);
  return read;
}

test("messages come line by line, wherever the network has cut them, and a failure is thrown", async () => {
  const text = '{"result":{"name":"Grünhaus"}}\n\n{"result":{}}\n';
  for (const size of [1, 2, 3, 7, 1_000]) assert.deepEqual(await all(text, size), [{ name: "Grünhaus" }, {}]);
  await assert.rejects(all('{"result":1}\n{"error":{"status":"UNAVAILABLE","message":"gone"}}\n', 5), {
    status: "UNAVAILABLE",
    message: "gone",
  });
  await assert.rejects(all("x".repeat(2_000), 500), { status: "RESOURCE_EXHAUSTED" });
});

test("a call that the gateway refuses fails with its status, and the token goes along", async () => {
  let seen;
  const answers = [
    new Response('{"code":14,"status":"UNAVAILABLE","message":"device is offline"}', { status: 503 }),
    new Response("<h1>Bad gateway</h1>", { status: 502 }),
    new Response("{}", { status: 401 }),
    new Response('{"interval":"1s"}'),
  ];
  const dashboard = new Dashboard("a b", async (url, options) => {
    seen = { url, options };
    return answers.shift();
  });
  dashboard.token = "secret";
  const configure = () => dashboard.configure("12D3A", { interval: "1s" });
  await assert.rejects(configure(), { status: "UNAVAILABLE", message: "device is offline" });
  await assert.rejects(configure(), { status: "HTTP 502" });
  await assert.rejects(configure(), (failure) => failure instanceof CallFailure && failure.status === "UNAUTHENTICATED");
  assert.deepEqual(await configure(), { interval: "1s" });
  assert.equal(seen.url, "/peers/a%20b/telemetry.Dashboard/Configure");
  assert.equal(seen.options.headers.authorization, "Bearer secret");
  assert.deepEqual(JSON.parse(seen.options.body), { peerId: "12D3A", configuration: { interval: "1s" } });
});
