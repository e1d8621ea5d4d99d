// What is shown, and what the user does.

import { CallFailure, Dashboard } from "./client.js";
import { Fleet, curve, duration, durationText, stateOf } from "./fleet.js";

const INTERVAL = "0.5s";
const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 15_000;
const WIDTH = 128;
const HEIGHT = 26;
const STATES = { online: "online", held: "held up", offline: "offline" };

const $ = (id) => document.getElementById(id);
const peer = new URLSearchParams(location.search).get("peer") ?? "collector";
const dashboard = new Dashboard(peer);
const fleet = new Fleet();
const rows = new Map();
const view = { text: "", state: "all", sort: "name", descending: false };
const count = new Intl.NumberFormat("en");
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const value = new Intl.NumberFormat("en", { minimumSignificantDigits: 4, maximumSignificantDigits: 4 });

document.title = `Devices of ${peer}`;

// --- watching

async function watch() {
  let pause = FIRST_PAUSE;
  for (;;) {
    let reason = "the stream has ended";
    try {
      for await (const update of dashboard.watch(INTERVAL)) {
        pause = FIRST_PAUSE;
        say(`live, from ${peer}`);
        show(fleet.apply(update));
      }
    } catch (failure) {
      reason = failure.message;
      if (failure instanceof CallFailure && failure.status === "UNAUTHENTICATED") {
        say("a token is needed", true);
        await loggedIn();
        continue;
      }
    }
    say(`${reason}; again in ${durationText(pause)}`, true);
    await new Promise((resume) => setTimeout(resume, pause));
    pause = Math.min(2 * pause, LAST_PAUSE);
  }
}

function say(text, lost = false) {
  if ($("connection").textContent !== text) $("connection").textContent = text;
  $("connection").classList.toggle("lost", lost);
}

function loggedIn() {
  $("login").hidden = false;
  $("token").focus();
  return new Promise((resume) => {
    $("login").onsubmit = (event) => {
      event.preventDefault();
      dashboard.token = $("token").value;
      $("token").value = "";
      $("login").hidden = true;
      resume();
    };
  });
}

// --- showing

function show(changed) {
  const { devices, online, rate, stored, dropped, heldUp, storeTime } = fleet.summary;
  $("sum-online").textContent = `${count.format(online)} of ${count.format(devices)}`;
  $("sum-rate").textContent = count.format(Math.round(rate));
  $("sum-stored").textContent = count.format(stored);
  $("sum-dropped").textContent = count.format(dropped);
  $("sum-held").textContent = count.format(heldUp);
  $("sum-store").textContent = durationText(storeTime);
  showMetrics();
  for (const id of changed) {
    const device = fleet.devices.get(id);
    if (device) fill(rowOf(id), device);
    else rows.delete(id);
  }
  arrange();
}

function showMetrics() {
  const names = fleet.metrics();
  const shown = [...$("metric").options].map((option) => option.value);
  if (names.join() === shown.join()) return;
  const chosen = $("metric").value;
  $("metric").replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
}

/** Shows the rows that are wanted, in order; those that are in place already stay there. */
function arrange() {
  const chosen = fleet.select(view);
  const body = $("devices");
  chosen.forEach(({ id }, index) => {
    const row = rowOf(id).row;
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  while (body.children.length > chosen.length) body.lastElementChild.remove();
  $("none").hidden = chosen.length > 0;
  $("shown").textContent = `${count.format(chosen.length)} shown`;
}

function rowOf(id) {
  let cells = rows.get(id);
  if (!cells) {
    cells = newRow(id);
    rows.set(id, cells);
    const device = fleet.devices.get(id);
    if (device) fill(cells, device);
  }
  return cells;
}

function newRow(id) {
  const row = document.createElement("tr");
  const cell = (style = "") => {
    const made = row.insertCell();
    made.className = style;
    return made;
  };
  const name = cell();
  name.title = id;
  const state = document.createElement("span");
  cell().append(state);
  const latest = cell("latest");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  cell().append(svg);
  const [rate, stored, dropped] = [cell("number"), cell("number"), cell("number")];
  const configure = document.createElement("button");
  configure.type = "button";
  configure.onclick = () => ask(id);
  cell().append(configure);
  return { row, name, state, latest, path, rate, stored, dropped, configure };
}

function fill(cells, device) {
  const state = stateOf(device);
  cells.row.className = state;
  put(cells.name, device.name);
  cells.state.className = `state ${state}`;
  put(cells.state, state === "offline" ? `last seen ${timeText(device.lastSeen)}` : STATES[state]);
  put(cells.latest, device.latest.map((reading) => `${reading.metric} ${value.format(reading.value)}`).join(" · "));
  cells.path.setAttribute("d", curve(device.curves.get($("metric").value) ?? [], WIDTH, HEIGHT));
  put(cells.rate, fine.format(device.rate));
  put(cells.stored, count.format(device.stored));
  put(cells.dropped, count.format(device.dropped));
  put(cells.configure, device.paused ? "paused" : `each ${durationText(device.interval)}`);
  cells.configure.disabled = !device.online;
  cells.configure.setAttribute("aria-label", `${device.name} measures ${cells.configure.textContent}: change it`);
}

// What comes from a device is text, never HTML.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function timeText(time) {
  return time ? new Date(time).toLocaleTimeString() : "never";
}

// --- finding and sorting

$("tools").onsubmit = (event) => event.preventDefault();
$("filter").oninput = () => {
  view.text = $("filter").value;
  arrange();
};
$("state").onchange = () => {
  view.state = $("state").value;
  arrange();
};
$("metric").onchange = () => {
  for (const [id, device] of fleet.devices) fill(rowOf(id), device);
};
for (const button of document.querySelectorAll("[data-sort]")) {
  button.onclick = () => {
    const by = button.dataset.sort;
    view.descending = view.sort === by ? !view.descending : !["name", "state"].includes(by);
    view.sort = by;
    showOrder();
    arrange();
  };
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, dialog");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    $("filter").focus();
  }
});

function showOrder() {
  for (const button of document.querySelectorAll("[data-sort]")) {
    const order = view.descending ? "descending" : "ascending";
    button.closest("th").ariaSort = button.dataset.sort === view.sort ? order : null;
  }
}

// --- configuring

let asked = null;

function ask(id) {
  const device = fleet.devices.get(id);
  if (!device) return;
  asked = id;
  $("configure-name").textContent = device.name;
  $("configure-id").textContent = id;
  $("interval").value = device.interval ?? 1_000;
  $("paused").checked = device.paused;
  answer("");
  $("configure").showModal();
  $("interval").select();
}

$("configure-cancel").onclick = () => $("configure").close();
$("configure").querySelector("form").onsubmit = async (event) => {
  event.preventDefault();
  const id = asked;
  const wanted = { interval: duration(Number($("interval").value)), paused: $("paused").checked };
  answer("calling …");
  try {
    await dashboard.configure(id, wanted);
    if (asked === id) answer("The device does so now.");
  } catch (failure) {
    if (asked === id) answer(failure.message, true);
  }
};

function answer(text, failed = false) {
  $("configure-result").textContent = text;
  $("configure-result").classList.toggle("failed", failed);
}

showOrder();
watch();
