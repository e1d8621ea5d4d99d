// The page: peers at the left, as they change; the chosen one's services, and a method to call.
import { h, millis, setText } from './dom.js';
import { events, json } from './api.js';
import { callView, kindOf } from './call.js';
import { latencyPlot, sparkline } from './plot.js';

const SAMPLES = 120;
const COMMON = /^grpc\.(health|reflection|channelz)\./;
const nav = document.getElementById('peers');
const main = document.getElementById('main');
const link = document.getElementById('link');
const cards = new Map();
let view = null;

const hash = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;
const chosen = () => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);

// A name that may be broken where people would.
const breakable = (name, where) => name.split(where).flatMap((part, i) => (i ? [document.createElement('wbr'), part] : [part]));

// What is known of a peer, and its place in the list.
function card(name) {
  const rtt = h('span', { class: 'rtt' });
  const note = h('span', { class: 'note' });
  const spark = sparkline();
  const element = h('a', { class: 'peer', href: hash(name) }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', { class: 'name' }, name), rtt, note, spark.element);
  nav.append(element);
  return { name, element, rtt, note, spark, samples: [], state: null, rate: 0, at: 0 };
}

function health(state) {
  if (!state.connected) return 'down';
  return Object.values(state.health).some((status) => status !== 'SERVING') ? 'sick' : 'up';
}

const words = { up: 'connected', sick: 'not all is serving', down: 'not connected' };

function update(known, state) {
  const now = performance.now();
  if (known.state) {
    const seconds = (now - known.at) / 1000;
    known.rate = seconds > 0 ? Math.max(state.calls - known.state.calls, 0) / seconds : 0;
  }
  known.state = state;
  known.at = now;
  known.samples.push(state.roundTripMillis);
  if (known.samples.length > SAMPLES) known.samples.shift();
  const how = health(state);
  known.element.className = `peer ${how}`;
  setText(known.rtt, state.connected ? millis(state.roundTripMillis) : 'down');
  setText(known.note, how === 'up' ? `${state.services.length} services · ${known.rate.toFixed(1)} calls/s` : words[how]);
  known.spark.draw(known.samples);
}

function onPeers(data) {
  setText(link, data.gateway);
  link.classList.remove('lost');
  for (const state of data.peers) {
    if (!cards.has(state.name)) cards.set(state.name, card(state.name));
    update(cards.get(state.name), state);
  }
  if (data.peers.length === 0) {
    main.replaceChildren(h('div', { class: 'empty' }, 'The gateway knows no peer yet.', h('code', {}, '--peer name=/ip4/…/tcp/…/p2p/…')));
    return;
  }
  if (!view) route();
  view?.update();
}

// The chosen peer: what it is, and what it offers.
function peerView(known) {
  const badge = h('span', { class: 'badge' });
  const facts = {};
  const dl = h('dl', { class: 'facts' }, ...['agent', 'health', 'round trip', 'secured by', 'muxer', 'calls'].map((name) => {
    facts[name] = h('dd');
    return h('div', {}, h('dt', {}, name), facts[name]);
  }));
  const protocols = h('ul');
  const count = h('summary');
  const plot = latencyPlot();
  const notice = h('p', { class: 'notice', hidden: true });
  const methods = h('nav', { class: 'methods', 'aria-label': 'Methods' });
  const place = h('div');
  let version = -1;
  let schema = null;
  let current = null;
  let shown = '';

  async function learn() {
    version = known.state.servicesVersion;
    try {
      schema = await json(`/api/peers/${encodeURIComponent(known.name)}/services`);
    } catch {
      return; // The peer's own state tells what is wrong.
    }
    // What most peers have comes behind what this one is for.
    const isCommon = (service) => COMMON.test(service.name);
    methods.replaceChildren(...[...schema.services.filter((s) => !isCommon(s)), ...schema.services.filter(isCommon)].map((service) =>
      h('section', { class: isCommon(service) ? 'common' : undefined },
        h('h3', {}, ...breakable(service.name, /(?<=\.)/)),
        h('ul', {}, ...service.methods.map((method) => h('li', {},
          h('a', { href: hash(known.name, service.name, method.name) },
            h('span', {}, ...breakable(method.name, /(?<=[a-z])(?=[A-Z])/)), h('span', { class: 'kind' }, kindOf(method)))))))));
    shown = '';
    choose();
  }

  function choose() {
    const [, serviceName, methodName] = chosen();
    const service = schema?.services.find((s) => s.name === serviceName);
    const method = service?.methods.find((m) => m.name === methodName);
    for (const a of methods.querySelectorAll('a')) {
      if (method && a.getAttribute('href') === hash(known.name, serviceName, methodName)) a.setAttribute('aria-current', 'true');
      else a.removeAttribute('aria-current');
    }
    const wanted = method ? `${serviceName}/${methodName}` : '';
    if (wanted === shown && current) return;
    current?.leave();
    shown = wanted;
    current = method ? callView(known.name, serviceName, method, schema) : null;
    place.replaceChildren(current ? current.element : h('p', { class: 'empty' }, schema ? 'Choose a method.' : 'Its services are not known yet.'));
  }

  const idLine = h('p', { class: 'id' });
  const element = h('div', {},
    h('div', { class: 'about' },
      h('div', {}, h('h2', {}, known.name, badge), idLine, dl, h('details', { class: 'protocols' }, count, protocols)),
      plot.element),
    notice,
    h('div', { class: 'work' }, methods, place));

  return {
    name: known.name,
    element,
    choose,
    escape: () => current?.escape(),
    leave: () => current?.leave(),
    update() {
      const { state } = known;
      const how = health(state);
      badge.className = `badge ${how === 'up' ? 'good' : 'bad'}`;
      setText(badge, words[how]);
      setText(idLine, state.address);
      setText(facts.agent, state.agent ?? '–');
      setText(facts.health, state.health[''] ? state.health[''].toLowerCase().replace('_', ' ') : 'not told');
      setText(facts['round trip'], millis(state.roundTripMillis));
      setText(facts['secured by'], state.security ?? '–');
      setText(facts.muxer, state.muxer ?? '–');
      setText(facts.calls, `${state.calls}${state.failedCalls ? `, ${state.failedCalls} failed` : ''} · ${known.rate.toFixed(1)}/s`);
      setText(count, `${state.protocols.length} protocols`);
      if (protocols.childElementCount !== state.protocols.length) protocols.replaceChildren(...state.protocols.map((p) => h('li', {}, p)));
      plot.draw(known.samples);
      const trouble = state.connected ? state.servicesTrouble && `Its services are not known: ${state.servicesTrouble}` : `Not connected${state.trouble ? `: ${state.trouble}` : ', trying'}.`;
      notice.hidden = !trouble;
      setText(notice, trouble || '');
      if (state.servicesVersion !== version && state.servicesVersion > 0) learn();
    },
  };
}

function route() {
  const [name] = chosen();
  const known = cards.get(name) ?? cards.values().next().value;
  if (!known?.state) return;
  for (const other of cards.values()) {
    if (other === known) other.element.setAttribute('aria-current', 'true');
    else other.element.removeAttribute('aria-current');
  }
  if (view?.name !== known.name) {
    view?.leave();
    view = peerView(known);
    main.replaceChildren(view.element);
    view.update();
  }
  view.choose();
  document.title = `${[known.name, ...chosen().slice(2)].join(' · ')} – Peers`;
}

async function follow() {
  for (;;) {
    try {
      await events('/api/events', {}, () => {}, (type, data) => type === 'peers' && onPeers(JSON.parse(data)));
    } catch (error) {
      link.title = error.message;
    }
    link.classList.add('lost');
    setText(link, 'The gateway does not answer. Trying again…');
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

addEventListener('hashchange', () => {
  route();
  // On a phone the form is beneath the list.
  if (chosen().length === 3) document.querySelector('.call-head')?.scrollIntoView({ block: 'nearest' });
});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !document.querySelector('dialog[open]')) view?.escape();
});
follow();
