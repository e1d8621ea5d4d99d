// One method of a peer: its form, and what becomes of the calls that are made with it.
import { h, millis, newId, setText } from './dom.js';
import { events, Failure } from './api.js';
import { requestControl } from './form.js';
import { callPlot } from './plot.js';

const KEPT = 500;
const FLAT = 72; // Characters of a message that is one line.

export function kindOf(method) {
  if (method.clientStreaming && method.serverStreaming) return 'bidirectional';
  if (method.clientStreaming) return 'client stream';
  return method.serverStreaming ? 'server stream' : 'unary';
}

export function callView(peer, service, method, schema) {
  const control = requestControl(schema, method);
  const raw = h('textarea', { class: 'big', id: newId(), spellcheck: 'false', 'aria-label': 'Request as JSON' });
  const formBox = h('div', {}, control.element);
  const rawBox = h('div', { hidden: true }, raw);
  const problem = h('p', { class: 'bad small', role: 'alert' });
  const headers = h('textarea', { id: newId(), placeholder: 'x-request-id: 7', spellcheck: 'false' });
  const deadline = h('input', { id: newId(), type: 'text', placeholder: '5s', autocomplete: 'off' });
  const send = h('button', { class: 'primary', type: 'submit' }, method.serverStreaming ? 'Start' : 'Send');
  const cancel = h('button', { type: 'button', disabled: true, onclick: () => running?.abort() }, 'Cancel');
  const result = h('section', { class: 'result', 'aria-label': 'Response' });
  const live = h('p', { class: 'hidden-live', 'aria-live': 'polite', role: 'status' });
  const plot = callPlot();
  const calls = [];
  let running = null;
  let isRaw = false;

  const showForm = h('button', { type: 'button', 'aria-pressed': 'true', onclick: () => show(false) }, 'Form');
  const showRaw = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => show(true) }, 'JSON');

  // What was typed goes along, from one to the other.
  function show(wantsRaw) {
    if (wantsRaw === isRaw) return;
    try {
      if (wantsRaw) raw.value = JSON.stringify(control.read(), null, 2);
      else control.write(raw.value.trim() === '' ? undefined : JSON.parse(raw.value));
      problem.textContent = '';
    } catch (error) {
      problem.textContent = `That is no JSON: ${error.message}`;
      return;
    }
    isRaw = wantsRaw;
    formBox.hidden = isRaw;
    rawBox.hidden = !isRaw;
    showForm.setAttribute('aria-pressed', String(!isRaw));
    showRaw.setAttribute('aria-pressed', String(isRaw));
    if (isRaw) raw.focus();
  }

  function request() {
    const body = isRaw ? raw.value : JSON.stringify(control.read());
    const sent = { 'content-type': 'application/json' };
    for (const line of headers.value.split('\n')) {
      const colon = line.indexOf(':');
      if (line.trim() === '') continue;
      if (colon < 1) throw new Error(`"${line}" is no header: name: value is`);
      sent[`grpc-metadata-${line.slice(0, colon).trim()}`] = line.slice(colon + 1).trim();
    }
    if (deadline.value.trim() !== '') sent['x-deadline'] = deadline.value.trim();
    return { method: 'POST', body, headers: sent };
  }

  async function call() {
    if (running) return;
    let init;
    try {
      init = request();
      problem.textContent = '';
    } catch (error) {
      problem.textContent = error.message;
      return;
    }
    running = new AbortController();
    send.disabled = true;
    cancel.disabled = false;
    setText(live, 'Calling…');
    const response = responseView();
    result.replaceChildren(...response.elements, plot.element);
    let outcome;
    try {
      const path = `/peers/${encodeURIComponent(peer)}/${service}/${method.name}`;
      await events(path, { ...init, signal: running.signal }, (opened) => response.open(opened.headers), (type, data) => {
        if (type === 'message') return response.message(data);
        if (type === 'end') outcome = JSON.parse(data);
        return undefined;
      });
      outcome ??= { code: 14, status: 'UNAVAILABLE', message: 'the gateway has cut the response', details: [] };
    } catch (error) {
      if (error instanceof Failure) {
        response.open(error.headers);
        outcome = error.status;
      } else if (running.signal.aborted) {
        outcome = { code: 1, status: 'CANCELLED', message: 'cancelled here', details: [] };
      } else {
        outcome = { code: 14, status: 'UNAVAILABLE', message: `the gateway does not answer: ${error.message}`, details: [] };
      }
    }
    const time = response.end(outcome);
    setText(live, `${outcome.status}${outcome.message ? `: ${outcome.message}` : ''}, ${response.count()} in ${millis(time)}`);
    calls.push({ time, failed: outcome.code !== 0 });
    plot.draw(calls);
    running = null;
    send.disabled = false;
    cancel.disabled = true;
  }

  const form = h('form', { novalidate: true, onsubmit: (event) => { event.preventDefault(); call(); } },
    formBox, rawBox, problem,
    h('details', { class: 'options' }, h('summary', {}, 'Headers and deadline'),
      h('div', {},
        h('div', {}, h('label', { for: headers.id }, 'Headers, one a line'), headers),
        h('div', {}, h('label', { for: deadline.id }, 'Deadline'), deadline))),
    h('p', { class: 'actions' }, send, cancel,
      h('span', { class: 'keys' }, h('kbd', {}, 'Enter'), ' sends, ', h('kbd', {}, 'Esc'), ' cancels')));
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) call();
  });

  return {
    element: h('section', { 'aria-label': `${service}/${method.name}` },
      h('div', { class: 'call-head' },
        h('div', {}, h('h3', {}, method.name, h('span', { class: 'badge' }, kindOf(method))),
          h('p', { class: 'mono' }, `${method.input} → ${method.serverStreaming ? 'stream of ' : ''}${method.output}`),
          ...method.http.map((way) => h('p', { class: 'mono' }, way))),
        h('div', { class: 'tabs', role: 'group', 'aria-label': 'Request as' }, showForm, showRaw)),
      form, live, result),
    escape() { running?.abort(); },
    leave() { running?.abort(); },
  };
}

// The messages as they come, then the status.
function responseView() {
  const start = performance.now();
  let messages = 0;
  const outcome = h('div', { class: 'outcome' }, h('strong', {}, 'calling…'), h('span', { class: 'time' }));
  const details = h('div', { class: 'details' });
  const list = h('ul', { class: 'messages', hidden: true, tabindex: '0', 'aria-label': 'Messages' });
  const metadata = h('div');
  const trailersOfHead = [];

  function pairs(name, entries) {
    if (entries.length === 0) return;
    metadata.append(h('details', { class: 'metadata', open: name === 'Trailers' }, h('summary', {}, `${name} (${entries.length})`),
      h('dl', {}, ...entries.flatMap(([key, value]) => [h('dt', {}, key), h('dd', {}, value)]))));
  }

  const ticking = setInterval(() => setText(outcome.querySelector('.time'), millis(performance.now() - start)), 100);

  return {
    elements: [outcome, details, list, metadata],
    count: () => `${messages} ${messages === 1 ? 'message' : 'messages'}`,
    open(headers) {
      const shown = [];
      for (const [name, value] of headers) {
        if (name.startsWith('grpc-trailer-')) trailersOfHead.push([name.slice(13), value]);
        else if (!OF_HTTP.has(name)) shown.push([name, value]);
      }
      pairs('Headers', shown);
    },
    // Waits for the browser to show it now and then, so that a fast stream does not freeze the page.
    message(data) {
      const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
      messages += 1;
      list.hidden = false;
      list.append(h('li', {}, h('span', { class: 'when' }, `+${millis(performance.now() - start)}`), pretty(data)));
      if (list.childElementCount > KEPT) list.firstElementChild.remove();
      if (atEnd) list.scrollTop = list.scrollHeight;
      setText(outcome.querySelector('strong'), this.count());
      return messages % 20 === 0 ? new Promise(requestAnimationFrame) : undefined;
    },
    end(status) {
      clearInterval(ticking);
      const time = performance.now() - start;
      outcome.classList.add(status.code === 0 ? 'good' : 'failed');
      outcome.replaceChildren(h('strong', {}, status.status), h('span', { class: 'quiet' }, this.count() + (messages > KEPT ? `, the last ${KEPT} shown` : '')),
        h('span', { class: 'time' }, millis(time)), ...(status.message ? [h('span', { class: 'said' }, status.message)] : []));
      details.replaceChildren(...(status.details ?? []).map(detailView));
      pairs('Trailers', (status.trailers ?? trailersOfHead).filter(([name]) => name !== 'grpc-status-details-bin'));
      return time;
    },
  };
}

// An error detail of google.rpc in words, another one as JSON.
function detailView(detail) {
  const type = (detail['@type'] ?? '').replace(/.*[/.]/, '');
  const { '@type': _, ...rest } = detail;
  const violations = rest.fieldViolations ?? rest.violations;
  const body = Array.isArray(violations)
    ? h('dl', {}, ...violations.flatMap((v) => [h('dt', {}, v.field ?? v.subject ?? v.type ?? ''), h('dd', {}, v.description ?? '')]))
    : h('dl', {}, ...Object.entries(rest).filter(([, value]) => value !== '' && !(Array.isArray(value) && value.length === 0)).flatMap(([key, value]) =>
      [h('dt', {}, key), h('dd', {}, typeof value === 'string' ? value : JSON.stringify(value))]));
  return h('div', { class: 'detail' }, h('h4', {}, type || 'Detail'), body);
}

// JSON with its names and numbers in colour; digits stay as they came.
function pretty(data) {
  const block = h('pre');
  let text;
  try {
    const value = JSON.parse(data);
    const flat = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
    text = flat.length <= FLAT ? flat : JSON.stringify(value, null, 2);
  } catch {
    text = data;
  }
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;
  let last = 0;
  for (const match of text.matchAll(token)) {
    block.append(text.slice(last, match.index));
    if (match[2]) block.append(h('span', { class: 'key' }, match[1]), match[2]);
    else if (match[1]) block.append(match[1]);
    else block.append(h('span', { class: 'lit' }, match[0]));
    last = match.index + match[0].length;
  }
  block.append(text.slice(last));
  return block;
}

const OF_HTTP = new Set(['content-type', 'content-length', 'date', 'cache-control', 'vary', 'content-security-policy',
  'cross-origin-resource-policy', 'referrer-policy', 'x-content-type-options', 'www-authenticate', 'transfer-encoding']);
